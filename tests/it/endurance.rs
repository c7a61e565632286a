//! Much output and many reloads: as fast as the command alone, and nothing that grows.

use std::fs;
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

fn soak(reloads: usize, may_grow_kib: u64) {
    let watcher = Project::new().file("a.go", "0").start_exactly(["run", "--", "true"]);
    watcher.says("] watching ");
    let shim = watcher.shim().expect("a shim").pid;
    let reload = |round: usize| {
        watcher.save("a.go", format!("{round}"));
        watcher.wait_for("its end", || {
            let lines = watcher.timed_lines();
            lines.iter().rev().take(4).any(|(_, line)| line.contains(": exit 0 in")).then_some(())
        });
        pace_ms(2);
    };
    (0..200).for_each(reload);
    let ours = |pid| (descriptors(pid), figure(pid, "Threads"));
    pace(QUIET);
    let before = (ours(watcher.pid()), ours(shim), figure(watcher.pid(), "VmRSS"));
    (0..reloads).for_each(reload);
    pace(QUIET);
    watcher.save("a.go", "the last");
    pace(QUIET);
    let after = (ours(watcher.pid()), ours(shim), figure(watcher.pid(), "VmRSS"));
    assert_eq!((before.0, before.1), (after.0, after.1), "descriptors and threads");
    let grown = after.2.saturating_sub(before.2);
    eprintln!("{reloads} reloads: {grown} KiB more");
    assert!(grown < may_grow_kib, "grew by {grown} KiB");
    let zombies = processes::descendants(watcher.pid());
    assert!(zombies.iter().all(|process| process.state != 'Z'), "{zombies:?}");
}

#[test]
fn nothing_grows_over_some_hundred_reloads() {
    soak(300, 2048);
}

#[test]
#[ignore = "20,000 reloads; make torture"]
fn torture_soak() {
    soak(20_000, 2048);
}

/// Much output goes straight to where ours goes; a Ctrl-C in the middle of it works.
fn output(megabytes: u64) {
    let line = format!("head -c {megabytes}M /dev/zero");
    let alone = {
        let project = Project::new();
        let begun = Instant::now();
        let mut command = project.in_tree("sh");
        command.args(["-c", &format!("{line} | cat >/dev/null")]);
        assert!(command.status().unwrap().success());
        begun.elapsed()
    };
    let project = Project::new();
    let mut command = project.in_tree("sh");
    command.args(["-c", "\"$0\" run --once -q -e \"$1\" | cat >/dev/null"]);
    command.arg(project.program_path()).arg(&line).stderr(Stdio::null());
    let ours = project.finish(command).took;
    eprintln!("{megabytes} MB: alone {alone:?}, ours {ours:?}");
    assert!(ours < alone * 2 + Duration::from_millis(500), "alone {alone:?}, ours {ours:?}");
}

#[test]
fn output_is_not_slowed_down() {
    output(200);
}

#[test]
#[ignore = "3 GB; make torture"]
fn torture_output() {
    output(3000);
}

#[test]
fn reload_and_ctrl_c_work_under_endless_output() {
    let project = Project::new().file("a.go", "0");
    let mut command = project.in_tree("sh");
    command.args([
        "-c",
        "exec \"$0\" run --ext go -e 'echo begun >> ../out/begun; exec yes' >/dev/null",
    ]);
    command.arg(project.program_path());
    let mut watcher = project.start_as(command).watching();
    let begun = || fs::read_to_string(watcher.outside("begun")).unwrap_or_default().lines().count();
    watcher.wait_for("the first", || (begun() == 1).then_some(()));
    let edited = Instant::now();
    watcher.save("a.go", "1");
    watcher.wait_for("the second", || (begun() == 2).then_some(()));
    assert!(edited.elapsed() < Duration::from_secs(1), "{:?}", edited.elapsed());
    let took = watcher.ends_by(Signal::INT);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_reader_that_goes_away_leaves_nothing() {
    let project = Project::new();
    let mut command = project.in_tree("sh");
    command.args(["-c", "\"$0\" run --once -e 'yes; true' | head -1"]).arg(project.program_path());
    let done = project.finish(command);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    assert_eq!(done.stdout, "y\n");
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
