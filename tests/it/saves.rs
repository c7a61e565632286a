//! One save, one run: in place, atomically, new files; none for the same bytes.

use std::fs;

use crate::harness::*;

const ROUNDS: usize = 200;

/// Makes each save 20 ms after the last run began, and expects exactly one run of each.
fn rounds(watcher: &Watcher, rounds: usize, mut save: impl FnMut(&Watcher, usize)) {
    let before = watcher.run_count();
    for round in 1..=rounds {
        pace_ms(20);
        save(watcher, round);
        watcher.wait_runs(before + round);
    }
    let runs = watcher.exactly(before + rounds);
    assert!(runs.iter().all(|run| run.alone), "two at once\n{}", watcher.story());
}

#[test]
fn two_hundred_saves_in_place_are_two_hundred_runs() {
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(Stamp::quick().sees("a.go"))
        .start(["--ext", "go"])
        .ready();
    rounds(&watcher, ROUNDS, |watcher, round| watcher.save("a.go", format!("{round}")));
    for (round, run) in watcher.run_log().iter().enumerate() {
        assert!(run.saw_text(round.to_string()), "run {} saw {:?}", round + 1, run.saw);
    }
}

#[test]
fn two_hundred_atomic_saves_are_two_hundred_runs() {
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(Stamp::quick().sees("a.go"))
        .start(["--ext", "go"])
        .ready();
    rounds(&watcher, ROUNDS, |watcher, round| watcher.save_atomically("a.go", format!("{round}")));
    for (round, run) in watcher.run_log().iter().enumerate() {
        assert!(run.saw_text(round.to_string()), "run {} saw {:?}", round + 1, run.saw);
    }
}

/// `write-file-atomic` and its like: a new name beside it, up to 3 ms, then the rename, while every
/// type counts.
#[test]
fn two_hundred_saves_the_way_node_does_it_are_two_hundred_runs() {
    let watcher =
        Project::new().file("a.go", "0").runs(Stamp::quick().sees("a.go")).start([]).ready();
    let mut random = Random(7);
    rounds(&watcher, ROUNDS, |watcher, round| {
        let beside = watcher.path(format!("a.go.{}", 1_000_000 + random.below(9_000_000)));
        fs::write(&beside, format!("{round}")).unwrap();
        pace(std::time::Duration::from_micros(random.below(3_001)));
        fs::rename(&beside, watcher.path("a.go")).unwrap();
    });
    for (round, run) in watcher.run_log().iter().enumerate() {
        assert!(run.saw_text(round.to_string()), "run {} saw {:?}", round + 1, run.saw);
    }
}

#[test]
fn two_hundred_new_files_in_new_nested_directories_are_two_hundred_runs() {
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    rounds(&watcher, ROUNDS, |watcher, round| {
        watcher.save_new(format!("new{round}/b/c/x.go"), "package x\n");
    });
    let runs = watcher.run_log();
    for (round, run) in runs.iter().enumerate().skip(1) {
        let changed = run.changed_below(&watcher.tree());
        assert_eq!(changed, [format!("new{round}/b/c/x.go")], "run {}", round + 1);
    }
}

#[test]
fn a_hundred_saves_of_the_same_bytes_are_no_run() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    watcher.run_after(|project| project.save("a.go", "two"));
    watcher.exactly(2);
    for _ in 0..100 {
        watcher.save("a.go", "two");
        pace_ms(20);
    }
    watcher.exactly(2);
    watcher.says_all(&["a.go", "same bytes"]);
    let said = watcher.count_lines("same bytes");
    assert!((1..=6).contains(&said), "at most one line a second, not {said}\n{}", watcher.story());
}

#[test]
fn a_hundred_atomic_saves_of_the_same_bytes_are_no_run() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    watcher.run_after(|project| project.save("a.go", "two"));
    watcher.exactly(2);
    for _ in 0..100 {
        watcher.save_atomically("a.go", "two");
        pace_ms(20);
    }
    watcher.exactly(2);
}

#[test]
fn the_first_save_after_the_start_may_leave_the_bytes_too() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    pace_ms(700); // a person's first save; the baseline is taken behind the first run
    watcher.no_run_after(|project| project.save("a.go", "one"));
    watcher.run_after(|project| project.save("a.go", "two"));
    watcher.exactly(2);
}

#[test]
fn a_touch_is_asked_for_and_runs() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    watcher.run_after(|project| {
        assert!(project.in_tree("touch").arg("a.go").status().unwrap().success());
    });
    watcher.exactly(2);
    let chmod = |project: &Watcher| {
        assert!(project.in_tree("chmod").args(["600", "a.go"]).status().unwrap().success());
    };
    watcher.no_run_after(chmod);
}

#[test]
fn opening_and_reading_is_no_change() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    watcher.no_run_after(|project| {
        for _ in 0..50 {
            fs::read(project.path("a.go")).unwrap();
            drop(fs::OpenOptions::new().append(true).open(project.path("a.go")).unwrap());
        }
    });
}

#[test]
fn appearing_renaming_and_removing_are_changes() {
    let watcher =
        Project::new().file("a.go", "one").file("b.go", "b").start(["--ext", "go"]).ready();
    let changed = |run: Run| run.changed_below(&watcher.tree());
    let created = watcher.run_after(|project| project.save("new.go", "new"));
    assert_eq!(changed(created), ["new.go"]);
    watcher.exactly(2);
    let renamed = watcher.run_after(|project| project.rename("new.go", "newer.go"));
    assert_eq!(changed(renamed), ["new.go", "newer.go"]);
    watcher.exactly(3);
    let removed = watcher.run_after(|project| project.remove("newer.go"));
    assert_eq!(changed(removed), ["newer.go"]);
    watcher.exactly(4);
    let linked = watcher.run_after(|project| {
        std::os::unix::fs::symlink("a.go", project.path("link.go")).unwrap();
    });
    assert_eq!(changed(linked), ["link.go"]);
    watcher.exactly(5);
}

#[test]
fn a_directory_by_itself_is_no_change() {
    let watcher = Project::new().file("a.go", "one").start([]).ready();
    watcher.no_run_after(|project| {
        fs::create_dir_all(project.path("empty/deep")).unwrap();
        fs::remove_dir(project.path("empty/deep")).unwrap();
        fs::remove_dir(project.path("empty")).unwrap();
    });
}

#[test]
fn a_directory_moved_in_out_and_away_is_its_files() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    fs::create_dir(watcher.outside("parcel")).unwrap();
    for name in ["x.go", "y.go"] {
        fs::write(watcher.outside("parcel").join(name), name).unwrap();
    }
    let moved = |from, to| {
        watcher.run_after(|_| fs::rename(from, to).unwrap()).changed_below(&watcher.tree())
    };
    let (outside, inside) = (watcher.outside("parcel"), watcher.path("parcel"));
    assert_eq!(moved(outside.clone(), inside.clone()), ["parcel/x.go", "parcel/y.go"]);
    watcher.exactly(2);
    watcher.run_after(|project| project.save("parcel/x.go", "edited after the move"));
    watcher.exactly(3);
    assert_eq!(moved(inside, outside.clone()), ["parcel/x.go", "parcel/y.go"]);
    watcher.exactly(4);
    watcher.no_run_after(|_| fs::write(outside.join("x.go"), "no longer ours").unwrap());
}

#[test]
fn changes_made_while_the_walk_goes_on_are_seen() {
    let mut project = Project::new();
    for number in 0..300 {
        project = project.file(format!("d{number}/e/f.go"), "0");
    }
    let watcher = project.start(["--ext", "go"]);
    watcher.wait_runs(1);
    watcher.save("d299/e/f.go", "saved before the walk was there");
    watcher.save("d7/e/new.go", "new before the walk was there");
    watcher.wait_for("both", || {
        let runs = watcher.run_log();
        let named: Vec<String> =
            runs.iter().flat_map(|run| run.changed_below(&watcher.tree())).collect();
        ["d299/e/f.go", "d7/e/new.go"]
            .iter()
            .all(|path| named.iter().any(|name| name == path))
            .then_some(())
    });
}
