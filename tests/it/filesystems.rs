//! File systems that send no events, or not all: polling is chosen by itself, and told.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::*;

/// Namespaces in which something is mounted on the tree, as long as this lives. All that runs in them (a
/// FUSE server) ends with it.
struct Inside {
    holder: Child,
    first: u32,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Inside {
    /// Mounts by a shell script that is run in the tree.
    fn new(project: &Project, script: &str) -> Option<Self> {
        let mut command = Command::new("unshare");
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Not tagged as the test's: it outlives the program.
        command.env_clear().env("PATH", path).current_dir(project.tree());
        command.args(["-Urmpf", "--kill-child", "sh", "-ec"]);
        command.arg(format!("{script}\ntouch ../out/mounted\nexec sleep 1000"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut holder = command.spawn().ok()?;
        let mounted = until(Duration::from_secs(10), || {
            let done = project.outside("mounted").exists();
            (done || holder.try_wait().is_ok_and(|status| status.is_some())).then_some(done)
        });
        let first =
            crate::harness::processes::descendants(holder.id()).first().map(|process| process.pid);
        let inside = Self { holder, first: first.unwrap_or(0) };
        (mounted == Some(true) && inside.first != 0).then_some(inside)
    }

    /// Starts the program in there.
    fn start(&self, project: Project, flags: &str) -> Watcher {
        let mut command = project.in_tree("nsenter");
        let line = format!("cd \"$TREE\" && exec \"$0\" run {flags} -- \"$@\"");
        command.env("TREE", project.tree()).args(["-t", &self.first.to_string()]);
        command.args(["-U", "-m", "--preserve-credentials", "sh", "-c", &line]);
        command.arg(project.program_path()).args(project.argv());
        project.start_as(command).ready()
    }

    /// Writes a file of the tree through the mount.
    fn save(&self, watcher: &Watcher, name: &str, text: &str) {
        let path = format!("/proc/{}/root{}", self.first, watcher.path(name).display());
        fs::write(path, text).unwrap();
    }
}

/// How often the program's threads have been woken up, and its CPU time in hundredths of a second.
fn activity(watcher: &Watcher) -> (u64, u64) {
    let tasks = fs::read_dir(format!("/proc/{}/task", watcher.pid())).unwrap().flatten();
    let wakeups = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
        .flat_map(|text| {
            let lines = text.lines().filter(|line| line.starts_with("voluntary_ctxt_switches"));
            lines
                .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                .collect::<Vec<_>>()
        })
        .sum();
    let stat = fs::read_to_string(format!("/proc/{}/stat", watcher.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (wakeups, fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
}

/// What happens while nothing happens.
fn idle(watcher: &Watcher, time: Duration) -> (u64, u64) {
    pace_ms(1500);
    let before = activity(watcher);
    pace(time);
    let after = activity(watcher);
    (after.0 - before.0, after.1 - before.1)
}

/// Changes made behind the mount: the first is found by the comparison, which is said; the others are
/// found by polling within two seconds.
fn changes_from_behind(watcher: &Watcher, what: &str, save: impl Fn(&str)) {
    let seen_after = |text: &str| {
        let (edited, begun) = (monotonic(), Instant::now());
        save(text);
        watcher.wait_for(&format!("{what}: a run after {text}"), || {
            let runs = watcher.run_log();
            runs.iter().any(|run| run.began > edited).then_some(())
        });
        begun.elapsed()
    };
    let first = seen_after("the first from behind");
    let line = watcher.matches(r"^\[WARN\] .*polling|polled|polls");
    eprintln!("{what}: the first after {first:?}; {line}");
    pace_ms(1500);
    let mut worst = Duration::ZERO;
    for round in 0..5 {
        worst = worst.max(seen_after(&format!("from behind, {round}")));
        pace_ms(700);
    }
    eprintln!("{what}: five more, each within {worst:?}");
    assert!(first < Duration::from_secs(5), "{first:?}\n{}", watcher.story());
    assert!(worst < Duration::from_millis(PROMPT_MS), "{worst:?}\n{}", watcher.story());
}

fn layers() -> Project {
    let project = Project::new().runs(Stamp::quick());
    for part in ["lower", "upper", "work", "served"] {
        fs::create_dir(project.outside(part)).unwrap();
        fs::write(project.outside(part).join("a.go"), "0").unwrap();
    }
    fs::remove_file(project.outside("work").join("a.go")).unwrap();
    project
}

/// Mounts, watches, and sees that what is done through the mount is told by events.
fn watched(script: &str, flags: &str) -> Option<(Inside, Watcher)> {
    let project = layers();
    if !on_path("nsenter") {
        skip("no nsenter here");
        return None;
    }
    let Some(inside) = Inside::new(&project, script) else {
        skip(&format!("cannot be mounted here: {script}"));
        return None;
    };
    let watcher = inside.start(project, flags);
    watcher.exactly(1);
    let begun = Instant::now();
    watcher.run_after(|watcher| inside.save(watcher, "a.go", "through the mount"));
    eprintln!("through the mount: a run after {:?}", begun.elapsed());
    watcher.exactly(2);
    Some((inside, watcher))
}

const RELATIVE: &str =
    "mount -t overlay overlay -o lowerdir=../out/lower,upperdir=../out/upper,workdir=../out/work .";
const ABSOLUTE: &str = "cd ../out; D=$PWD; mount -t overlay overlay \
     -o lowerdir=$D/lower,upperdir=$D/upper,workdir=$D/work $D/../tree";
const FUSE: &str = "bindfs --no-allow-other ../out/served .";
const OVER_FUSE: &str = "cd ../out; D=$PWD; rm lower/a.go; bindfs --no-allow-other $D/served $D/lower; mount -t overlay overlay \
     -o lowerdir=$D/lower,upperdir=$D/upper,workdir=$D/work $D/../tree";

/// Whatever the layers are, and whether they can be seen from here.
#[test]
fn an_overlay_written_from_behind_comes_to_be_polled() {
    for script in [RELATIVE, ABSOLUTE] {
        let Some((_inside, watcher)) = watched(script, "--ext go") else { return };
        let behind = watcher.outside("upper").join("b.go");
        changes_from_behind(&watcher, "overlay", |text| fs::write(&behind, text).unwrap());
        watcher.says_all(&["an overlay", "did not tell of a change"]);
        assert_eq!(watcher.count_lines("did not tell of a change"), 1, "{}", watcher.story());
    }
}

#[test]
fn what_is_done_behind_fuse_comes_to_be_polled() {
    if !on_path("bindfs") {
        return skip("bindfs is not installed");
    }
    let Some((inside, watcher)) = watched(FUSE, "--ext go") else { return };
    let (wakeups, _) = idle(&watcher, Duration::from_millis(4500));
    eprintln!("FUSE, idle: {wakeups} wake-ups of all threads in 4.5 s");
    assert!((1..=80).contains(&wakeups), "compared every 2 s, not {wakeups} wake-ups");
    assert_eq!(watcher.count_lines("did not tell of a change"), 0, "{}", watcher.story());
    let behind = watcher.outside("served").join("a.go");
    changes_from_behind(&watcher, "FUSE", |text| fs::write(&behind, text).unwrap());
    watcher.says_all(&["on FUSE", "did not tell of a change"]);
    // Events are no less heeded than before.
    watcher.run_after(|watcher| inside.save(watcher, "a.go", "through it again"));
}

#[test]
fn an_overlay_over_fuse_is_as_silent_as_that() {
    if !on_path("bindfs") {
        return skip("bindfs is not installed");
    }
    let Some((_inside, watcher)) = watched(OVER_FUSE, "--ext go") else { return };
    let behind = watcher.outside("upper").join("b.go");
    changes_from_behind(&watcher, "overlay over FUSE", |text| fs::write(&behind, text).unwrap());
    watcher.says_all(&["an overlay", "did not tell of a change"]);
}

#[test]
fn who_wants_no_polling_gets_none() {
    let Some((_inside, watcher)) = watched(RELATIVE, "--ext go --poll=never") else { return };
    let behind = watcher.outside("upper").join("b.go");
    let runs = watcher.run_count();
    fs::write(&behind, "from behind").unwrap();
    let (wakeups, cpu) = idle(&watcher, Duration::from_secs(3));
    assert_eq!((wakeups, cpu, watcher.run_count()), (0, 0, runs), "{}", watcher.story());
}

#[test]
fn everything_is_polled_when_asked() {
    let file = "watcher:\n  backend: poll\n";
    for (config, flags, variable) in [
        (file, vec![], None),
        ("", vec!["--poll=300ms"], None),
        ("watcher:\n  poll: 300ms\n", vec![], None),
        ("", vec![], Some("300ms")),
    ] {
        let mut project = Project::new().settings(config).file("a.go", "0").file("d/b.go", "0");
        if let Some(variable) = variable {
            project = project.env("GO_WATCHER_POLL", variable);
        }
        let watcher = project.start(flags.iter().copied()).ready();
        watcher.says_all(&["poll"]);
        for round in 2..5 {
            let begun = Instant::now();
            let run = watcher.run_after(|project| project.save("d/b.go", format!("{round}")));
            assert_eq!(run.changed_below(&watcher.tree()), ["d/b.go"]);
            eprintln!("{config:?} {flags:?} {variable:?}: seen after {:?}", begun.elapsed());
            watcher.exactly_within(round, Duration::from_millis(1200));
        }
        watcher.run_after(|project| project.save_new("new/c.go", "1"));
    }
}

/// What is ignored is not polled either; and never more than a twentieth of a core.
fn share(files: usize, time: Duration) {
    let mut project = Project::new();
    for number in 0..files {
        project = project.file(format!("d{}/f{number}.go", number / 20), "0");
    }
    for number in 0..200 {
        project = project.file(format!("node_modules/m{number}/x.js"), "0");
    }
    let watcher = project.start(["--backend", "poll"]).ready();
    let line = watcher.matches(&format!("{} files", group(files)));
    pace_ms(3000);
    let (_, cpu) = idle(&watcher, time);
    let share = cpu as f64 / time.as_secs_f64();
    eprintln!("{files} files polled: {share:.1} % of a core; {line}");
    // Hundredths of a second are counted: give or take one or two.
    assert!(share <= 5.0 + 2.0 / time.as_secs_f64(), "{share} %\n{}", watcher.story());
}

fn group(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    }
}

#[test]
fn polling_takes_a_twentieth_of_a_core_at_most() {
    share(2000, Duration::from_secs(4));
}

#[test]
#[ignore = "20,000 files for a minute; make torture"]
fn torture_polling_takes_a_twentieth_of_a_core_at_most() {
    share(20_000, Duration::from_secs(60));
}
