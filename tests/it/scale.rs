//! A very large tree, half of it ignored.

use std::fs;
use std::time::{Duration, Instant};

use crate::harness::*;

/// So many directories: half of them below `node_modules`.
fn large(directories: usize) -> Project {
    let project = Project::new().file("a.go", "0");
    // A hundred at a time: one, and ninety-nine in it.
    for (group, number) in
        (0..directories / 200).flat_map(|group| (1..100).map(move |n| (group, n)))
    {
        for tree in ["src", "node_modules"] {
            let path = project.path(format!("{tree}/{group}/{number}"));
            fs::create_dir_all(&path).unwrap();
            if number % 10 == 0 {
                fs::write(path.join("f.go"), "0").unwrap();
            }
        }
    }
    project
}

/// What the program holds: watches, and memory of its own in kB (its text, which is shared, aside).
fn held(watcher: &Watcher) -> (usize, u64) {
    let watches = fs::read_dir(format!("/proc/{}/fdinfo", watcher.pid()))
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count())
        .sum();
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", watcher.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    (watches, line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// How often all threads of a watcher went to sleep by themselves.
pub(crate) fn wakeups(watcher: &Watcher) -> u64 {
    fs::read_dir(format!("/proc/{}/task", watcher.pid()))
        .unwrap()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
        .filter_map(|text| {
            let line = text.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum()
}

fn half_ignored(directories: usize, most_kb: u64) {
    let project = large(directories);
    let begun = Instant::now();
    // Progress is drawn on a terminal, and told in JSON.
    let watcher = project.start(["--ext", "go", "--log-format", "json"]);
    watcher.wait_runs(1);
    let line = watcher.says(r#""event":"watching""#);
    let ready = begun.elapsed();
    let at = |text: &str| watcher.timed_lines().into_iter().find(|(_, line)| line.contains(text));
    let walk = at(r#""event":"watching""#).unwrap().0.duration_since(watcher.timed_lines()[0].0);
    let progress = at(r#""event":"progress""#).map(|(_, line)| line);
    // Each second is told that passed; whether one did depends on the machine.
    assert!(progress.is_some() || walk < Duration::from_millis(1500), "{}", watcher.story());
    // The baseline of contents is read in the background.
    watcher.wait_for("an idle program", || {
        let before = wakeups(&watcher);
        pace_ms(700);
        (wakeups(&watcher) == before).then_some(())
    });
    let before = wakeups(&watcher);
    pace_ms(3000);
    let idle = wakeups(&watcher) - before;
    let (watches, memory) = held(&watcher);
    eprintln!("{directories} directories: ready after {ready:?}; {line}");
    eprintln!("{watches} watches, {memory} kB, {idle} wake-ups in 3 s; {progress:?}");
    assert!(watches <= directories / 2 + 100, "{watches} watches");
    assert!(memory <= most_kb, "{memory} kB");
    assert_eq!(idle, 0, "{}", watcher.story());
    watcher.exactly(1);
    let last = format!("src/{}/90/f.go", directories / 200 - 1);
    let run = watcher.run_after(|project| project.save(&last, "1"));
    assert_eq!(run.changed_below(&watcher.tree()), [last]);
    watcher.no_run_after(|project| project.save("node_modules/0/10/f.go", "1"));
}

#[test]
fn a_large_tree_half_ignored() {
    half_ignored(4_000, 30 << 10);
}

#[test]
#[ignore = "100,000 directories; make torture"]
fn torture_a_very_large_tree_half_ignored() {
    half_ignored(100_000, 60 << 10);
}
