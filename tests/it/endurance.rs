//! Much output and many reloads: as fast as the command alone, and nothing that grows.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::*;

/// A figure of `/proc/PID/status` in KiB, or a count.
fn figure(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{field}:"))).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Directories that are watched, as the kernel counts them.
fn watches(pid: u32) -> usize {
    let lines = |name: &Path| fs::read_to_string(name).unwrap_or_default();
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    entries.flatten().map(|entry| lines(&entry.path()).matches("inotify wd:").count()).sum()
}

/// What must not grow: descriptors and threads of both processes, watches.
fn constant(watcher: &Watcher) -> [usize; 5] {
    let (pid, shim) = (watcher.pid(), watcher.shim().expect("a shim").pid);
    let threads = |pid| figure(pid, "Threads") as usize;
    [descriptors(pid), threads(pid), descriptors(shim), threads(shim), watches(pid)]
}

/// Resident memory of both processes in KiB.
fn memory(watcher: &Watcher) -> u64 {
    figure(watcher.pid(), "VmRSS") + figure(watcher.shim().expect("a shim").pid, "VmRSS")
}

/// Files that are written over and over.
const FILES: usize = 200;

/// Writes in one storm.
const STORM: usize = 2_000;

/// Saves and waits for the run, so many times; then writes files in storms (each write is two or three events:
/// emptied, written, closed). After each storm comes an edit, whose run must be there.
fn load(watcher: &Watcher, reloads: usize, writes: usize) {
    let begun = Instant::now();
    let mut edit = 0;
    let mut edit_runs = |what: &str| {
        edit += 1;
        let text = format!("{what} {edit} {}", monotonic());
        watcher.save("a.go", &text);
        watcher.wait_for("the edit's run", || {
            watcher.last_run().is_some_and(|run| run.saw_text(&text)).then_some(())
        });
        watcher.asked();
    };
    (0..reloads).for_each(|_| edit_runs("reload"));
    eprintln!("{reloads} reloads: {:?}", begun.elapsed());
    for storm in 0..writes / STORM {
        for write in storm * STORM..(storm + 1) * STORM {
            let path = format!("d{}/f{}.go", write % 10, write % FILES);
            watcher.save(path, format!("{write}"));
        }
        edit_runs("storm");
    }
    eprintln!("and {writes} writes: {:?}", begun.elapsed());
}

fn soak(reloads: usize, writes: usize, may_grow_kib: u64) {
    let warm_up = if writes > 100_000 { 40_000 } else { 4_000 };
    let mut project = Project::new().file("a.go", "0").runs(Stamp::quick().sees("a.go"));
    for number in 0..FILES {
        project = project.file(format!("d{}/f{number}.go", number % 10), "0");
    }
    // A fixed window: else saves in such a row would each be waited for 50 ms.
    let watcher = project.start(["--ext", "go", "-d", "1ms"]).ready();
    watcher.exactly(1);
    load(&watcher, 200, warm_up);
    pace(Duration::from_secs(1));
    let before = (constant(&watcher), memory(&watcher));
    let begun = Instant::now();
    load(&watcher, reloads, writes);
    pace(Duration::from_secs(1));
    let after = (constant(&watcher), memory(&watcher));
    let runs = watcher.run_count();
    eprintln!(
        "{reloads} reloads and {writes} writes in {:?}, {runs} runs in all: {} KiB, then {} KiB; \
         descriptors, threads (ours, the shim's), watches: {:?}",
        begun.elapsed(),
        before.1,
        after.1,
        after.0
    );
    // Files are open for a moment while they are compared.
    until(DEADLINE, || (constant(&watcher) == before.0).then_some(()));
    assert_eq!(before.0, constant(&watcher), "descriptors, threads, watches");
    let grown = after.1.saturating_sub(before.1);
    assert!(grown < may_grow_kib, "grew by {grown} KiB");
    let below = processes::descendants(watcher.pid());
    assert!(below.iter().all(|process| process.state != 'Z'), "{below:?}");
}

#[test]
fn nothing_grows_over_some_hundred_reloads() {
    soak(200, 6_000, 2048);
}

#[test]
#[ignore = "20,000 reloads and a million events; make torture"]
fn torture_soak() {
    soak(20_000, 500_000, 2048);
}

/// Much output goes straight to where ours goes: as fast as the command alone, the best of some attempts.
fn output(megabytes: u64, attempts: usize, at_least: f64) {
    let line = format!("head -c {megabytes}M /dev/zero");
    let project = Project::new();
    let finish = |command| project.finish_within(DEADLINE * 10, command).took;
    let (mut alone, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..attempts {
        let mut command = project.in_tree("sh");
        command.args(["-c", &format!("sh -c '{line}' | cat >/dev/null"), "sh"]);
        alone.push(finish(command));
        let mut command = project.in_tree("sh");
        command.args(["-c", "\"$0\" run --once -q -e \"$1\" | cat >/dev/null"]);
        command.arg(project.program_path()).arg(&line);
        ours.push(finish(command));
    }
    let best = |times: &[Duration]| times.iter().min().unwrap().as_secs_f64();
    let share = best(&alone) / best(&ours);
    eprintln!("{megabytes} MB: alone {alone:?}, ours {ours:?}: {:.1} %", share * 100.0);
    assert!(share >= at_least, "{share}");
}

#[test]
fn output_is_not_slowed_down() {
    // A limit of time is no matter of tests that run side by side: here only that nothing is in the way.
    output(300, 2, 0.1);
}

#[test]
#[ignore = "160 GB; make torture"]
fn torture_in_time_output() {
    // Many short ones: on a machine that is shared, the best of a few long ones says little.
    output(5_000, 16, 0.95);
}

/// How often a command began that notes it in a file.
fn begun(project: &Project) -> usize {
    fs::read_to_string(project.outside("begun")).unwrap_or_default().lines().count()
}

const ENDLESS: &str = "echo begun >> ../out/begun; exec yes";

/// The most that both processes ever needed, in KiB.
fn peak(pid: u32) -> u64 {
    let below = processes::descendants(pid);
    let shim = below.iter().find(|one| one.name == "gw-shim").map_or(0, |shim| shim.pid);
    figure(pid, "VmHWM") + figure(shim, "VmHWM")
}

/// A debug build is larger by itself.
const MEMORY_KIB: u64 = if cfg!(debug_assertions) { 48 * 1024 } else { 16 * 1024 };

fn under_endless_output(rounds: usize, limit: u64) {
    let project = Project::new().file("a.go", "0");
    let mut command = project.in_tree("sh");
    command.args(["-c", "exec \"$0\" run --ext go -e \"$1\" >/dev/null"]);
    command.arg(project.program_path()).arg(ENDLESS);
    let mut watcher = project.start_as(command).watching();
    watcher.wait_for("the first", || (begun(&watcher) == 1).then_some(()));
    let mut times = Vec::new();
    for round in 1..=rounds {
        watcher.asked();
        watcher.save("a.go", format!("{round}"));
        let edited = monotonic();
        watcher.wait_for("the next", || (begun(&watcher) == 1 + round).then_some(()));
        times.push(ms_since(edited));
    }
    let memory = peak(watcher.pid());
    let took = watcher.ends_by(Signal::INT).as_millis() as u64;
    let (_, longest) = figures("endless output: from edit to the next run", &times);
    eprintln!("Ctrl-C: {took} ms; {memory} KiB at most");
    assert!(longest <= limit && took <= limit, "{times:?}, {took}");
    assert!(memory < MEMORY_KIB, "{memory} KiB");
}

#[test]
fn reload_and_ctrl_c_work_under_endless_output() {
    under_endless_output(3, PROMPT_MS);
}

#[test]
#[ignore = "20 rounds within 300 ms; make torture"]
fn torture_in_time_endless_output() {
    under_endless_output(20, 300);
}

/// Nobody reads the terminal: the command is stuck in its output, and so is what we would like to say.
fn unread_terminal(unread: Duration, rounds: usize, limit: u64) {
    let project = Project::new().file("a.go", "0");
    let args = ["--ext", "go", "-v", "-e", ENDLESS];
    let Some(mut pty) = Pty::start(project, &args, false) else { return };
    pty.wait_for("the first", || (begun(&pty) == 1).then_some(()));
    pace(unread);
    let mut times = Vec::new();
    for round in 1..=rounds {
        let mut ask = pty.in_tree(pty.program_path());
        assert!(ask.args(["wait", "--settle", "1ms"]).output().is_ok_and(|it| it.status.success()));
        pty.save("a.go", format!("{round}"));
        let edited = monotonic();
        pty.wait_for("the next", || (begun(&pty) == 1 + round).then_some(()));
        times.push(ms_since(edited));
    }
    let memory = peak(pty.pid());
    let pressed = monotonic();
    pty.types("\x03");
    let status = pty.end();
    let took = ms_since(pressed);
    let (_, longest) = figures("unread terminal: from edit to the next run", &times);
    eprintln!("Ctrl-C: {took} ms; {memory} KiB at most");
    assert_eq!(status, 130);
    assert!(pty.left().is_empty(), "{:?}", pty.left());
    assert!(longest <= limit && took <= limit, "{times:?}, {took}");
    assert!(memory < MEMORY_KIB, "{memory} KiB");
}

#[test]
fn a_terminal_that_nobody_reads() {
    unread_terminal(Duration::from_secs(1), 3, PROMPT_MS);
}

#[test]
#[ignore = "10 s unread, 20 rounds within 300 ms; make torture"]
fn torture_in_time_unread_terminal() {
    unread_terminal(Duration::from_secs(10), 20, 300);
}

#[test]
fn a_reader_that_goes_away_leaves_nothing() {
    for _ in 0..3 {
        let project = Project::new();
        let mut command = project.in_tree("sh");
        command.args(["-c", "\"$0\" run --once -e 'yes; true' 2>&1 | grep -m1 y"]);
        command.arg(project.program_path());
        let done = project.finish(command);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
        assert!(done.stdout.contains('y'), "{}", done.stdout);
        let mut command = project.in_tree("sh");
        command.args(["-c", "\"$0\" run --once -e 'yes; true' | head -1"]);
        let done = project.finish({
            command.arg(project.program_path());
            command
        });
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
        assert_eq!(done.stdout, "y\n");
    }
}

/// The reader of what *we* say goes away: it goes on, and ends as always.
#[test]
fn a_reader_of_our_lines_that_goes_away() {
    let project = Project::new().file("a.go", "0");
    let mut command = project.in_tree(project.program_path());
    command.args(["run", "--ext", "go", "-v", "-e", "echo begun >> ../out/begun"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("run 1"), "{line}");
    drop((stderr, child.stdout.take()));
    for round in 1..=20 {
        let next = until(DEADLINE, || {
            project.save("a.go", format!("{}", monotonic()));
            until(QUIET, || (begun(&project) > round).then_some(()))
        });
        assert!(next.is_some(), "no run {round}, {:?}", child.try_wait());
    }
    processes::send(child.id(), Signal::TERM);
    let status = until(DEADLINE, || child.try_wait().unwrap());
    let _ = child.kill();
    assert_eq!(status.and_then(|status| status.signal()), Some(Signal::TERM.as_raw()));
    let left = until(DEADLINE, || processes::tagged(project.tag()).is_empty().then_some(()));
    project.kill_what_is_left();
    assert!(left.is_some());
}

/// A wide tree: ready soon, one watch per kept directory, and idle afterwards.
fn wide(directories: usize) {
    let mut project = Project::new();
    for number in 0..directories {
        let ignored = if number % 2 == 0 { "node_modules/" } else { "" };
        project = project.directory(format!("{ignored}d{}/e{number}", number / 100));
    }
    let project = project.file("d0/last.go", "0");
    let begun = Instant::now();
    let watcher = project.start([]).ready();
    eprintln!("{directories} directories: ready after {:?}", begun.elapsed());
    watcher.run_after(|project| project.save("d0/last.go", "1"));
    let memory = figure(watcher.pid(), "VmRSS");
    eprintln!("{memory} KiB resident");
    assert!(memory < 60 * 1024, "{memory} KiB");
    watcher.exactly(2);
}

#[test]
fn three_thousand_directories_half_of_them_ignored() {
    wide(3_000);
}

#[test]
#[ignore = "100,000 directories; make torture"]
fn torture_a_hundred_thousand_directories() {
    wide(100_000);
}
