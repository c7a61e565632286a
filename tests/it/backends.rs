//! The same saves through every source of events: natively, by the portable source, by polling.

use std::time::{Duration, Instant};

use crate::harness::*;
use crate::scale::wakeups;

/// The source, and how long after a save a second run could still begin.
const SOURCES: [(&[&str], Duration); 3] = [
    (&["--backend", "native"], QUIET),
    (&["--backend", "portable"], QUIET),
    (&["--poll=250ms"], Duration::from_millis(1000)),
];

/// Does something so many times through each source; each time is one run, which names what changed.
fn each(rounds: usize, names: impl Fn(usize) -> Vec<String>, save: impl Fn(&Watcher, usize)) {
    for (flags, quiet) in SOURCES {
        let project = Project::new().file("a.go", "0").file("node_modules/x.go", "0");
        let watcher = project.start(flags.iter().copied().chain(["--ext", "go"])).ready();
        watcher.exactly_within(1, quiet);
        for round in 0..rounds {
            let (before, begun) = (watcher.run_count(), Instant::now());
            save(&watcher, round);
            // A save that the machine stopped in its middle may be two.
            let stalled = usize::from(begun.elapsed() > Duration::from_millis(10));
            let run = watcher.wait_runs(before + 1);
            assert_eq!(run.changed_below(&watcher.tree()), names(round), "{flags:?}");
            pace(quiet);
            let extra = watcher.run_count() - before - 1;
            assert!(extra <= stalled, "{flags:?}: {extra} runs too many\n{}", watcher.story());
        }
        let runs = watcher.run_count();
        watcher.save("node_modules/x.go", "1");
        watcher.exactly_within(runs, quiet);
        eprintln!("{flags:?}: {rounds} saves, {} runs", runs - 1);
    }
}

#[test]
fn saves_in_place_through_every_source() {
    each(6, |_| vec!["a.go".into()], |watcher, round| watcher.save("a.go", format!("{round} in")));
}

#[test]
fn atomic_saves_through_every_source() {
    each(
        6,
        |_| vec!["a.go".into()],
        |watcher, round| watcher.save_atomically("a.go", format!("{round} at once")),
    );
}

#[test]
fn new_directories_through_every_source() {
    each(
        4,
        |round| vec![format!("new{round}/b/c/x.go")],
        |watcher, round| watcher.save_new(format!("new{round}/b/c/x.go"), "package x\n"),
    );
}

#[test]
fn the_same_bytes_through_every_source() {
    for (flags, quiet) in SOURCES {
        let watcher = Project::new().file("a.go", "one").file("b.go", "b");
        let watcher = watcher.start(flags.iter().copied().chain(["--ext", "go"])).ready();
        watcher.exactly_within(1, quiet + quiet);
        // The first save after the start, in place and atomically.
        watcher.save("a.go", "one");
        watcher.exactly_within(1, quiet);
        watcher.save_atomically("b.go", "b");
        watcher.exactly_within(1, quiet);
        watcher.save("a.go", "two");
        watcher.exactly_within(2, quiet + quiet);
        for _ in 0..5 {
            watcher.save("a.go", "two");
            pace_ms(100);
            watcher.save_atomically("a.go", "two");
            pace_ms(100);
        }
        watcher.exactly_within(2, quiet);
        watcher.save("a.go", "one");
        watcher.exactly_within(3, quiet);
        eprintln!("{flags:?}: 12 saves of the same bytes, no run");
    }
}

/// While nothing happens no thread wakes up, by whichever events. (On an overlay the tree is compared now and then.)
#[test]
fn idle_is_idle_through_every_event_source() {
    for (flags, quiet) in &SOURCES[..2] {
        let watcher = Project::new().file("a.go", "0").start(flags.iter().copied()).ready();
        watcher.run_after(|project| project.save("a.go", "1"));
        pace(*quiet);
        let before = wakeups(&watcher);
        pace(Duration::from_secs(3));
        let woken = wakeups(&watcher) - before;
        eprintln!("{flags:?}: {woken} wake-ups of all threads in 3 s");
        assert!(woken <= 20, "{flags:?}: {woken} wake-ups of all threads in 3 s");
    }
}
