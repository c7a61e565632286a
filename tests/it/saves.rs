//! One save, one run: in place, atomically, new files; none for the same bytes.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::harness::*;

const ROUNDS: usize = 200;

/// Makes each save 20 ms after the last run began, and expects exactly one run of each: that which
/// `is_its` finds. A save that the busy machine stopped in its middle for over 20 ms may be two.
fn rounds(
    watcher: &Watcher,
    count: usize,
    mut save: impl FnMut(&Watcher, usize),
    is_its: impl Fn(&Run, usize) -> bool,
) {
    let before = watcher.run_count();
    let mut stalls = 0;
    for round in 1..=count {
        pace_ms(20);
        let (runs, begun) = (watcher.run_count(), Instant::now());
        save(watcher, round);
        stalls += usize::from(begun.elapsed() > Duration::from_millis(20));
        watcher.wait_for(&format!("the run of save {round}"), || {
            watcher.run_log()[runs..].iter().any(|run| is_its(run, round)).then_some(())
        });
    }
    pace(QUIET);
    let runs = watcher.run_log();
    let extra = runs.len() - before - count;
    assert!(extra <= stalls, "{extra} runs too many, {stalls} stalls\n{}", watcher.story());
    assert!(runs.iter().all(|run| run.alone), "two at once\n{}", watcher.story());
}

/// [`rounds`] of a file that holds the number of the round; its run is to see exactly that.
fn rounds_of_a_file(flags: &[&str], save: impl FnMut(&Watcher, usize)) {
    let project = Project::new().file("a.go", "0").runs(Stamp::quick().sees("a.go"));
    let watcher = project.start(flags.iter().copied()).ready();
    rounds(&watcher, ROUNDS, save, |run, round| run.saw_text(round.to_string()));
}

#[test]
fn two_hundred_saves_in_place_are_two_hundred_runs() {
    rounds_of_a_file(&["--ext", "go"], |watcher, round| watcher.save("a.go", round.to_string()));
}

#[test]
fn two_hundred_atomic_saves_are_two_hundred_runs() {
    rounds_of_a_file(&["--ext", "go"], |watcher, round| {
        watcher.save_atomically("a.go", round.to_string());
    });
}

/// `write-file-atomic` and its like: a new name beside it, up to 3 ms, then the rename, while every
/// type counts.
#[test]
fn two_hundred_saves_the_way_node_does_it_are_two_hundred_runs() {
    let mut random = Random(7);
    rounds_of_a_file(&[], |watcher, round| {
        let beside = watcher.path(format!("a.go.{}", 1_000_000 + random.below(9_000_000)));
        fs::write(&beside, round.to_string()).unwrap();
        pace(Duration::from_micros(random.below(3_001)));
        fs::rename(&beside, watcher.path("a.go")).unwrap();
    });
}

/// Each save is of another file, as from a tool that goes through the tree: each waits up to 0.4 s for the next.
#[test]
fn forty_new_files_in_new_nested_directories_are_forty_runs() {
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    let path = |round| format!("new{round}/b/c/x.go");
    rounds(
        &watcher,
        40,
        |watcher, round| watcher.save_new(path(round), "package x\n"),
        |run, round| run.changed_below(&watcher.tree()).contains(&path(round)),
    );
}

#[test]
fn a_hundred_saves_of_the_same_bytes_are_no_run() {
    let watcher = Project::new().file("a.go", "one").start(["--ext", "go"]).ready();
    watcher.run_after(|project| project.save("a.go", "two"));
    watcher.exactly(2);
    let mut stalls = 0;
    for _ in 0..100 {
        let begun = Instant::now();
        watcher.save("a.go", "two");
        stalls += usize::from(begun.elapsed() > Duration::from_millis(200));
        pace_ms(20);
    }
    pace(QUIET);
    // A file that is found empty when it is closed is waited for 250 ms. A disk that stands still for so long with
    // the next save begun: a run on nothing, and one on what comes then.
    let runs = watcher.run_count();
    assert!((2..=2 + 2 * stalls).contains(&runs), "{stalls} stalls\n{}", watcher.story());
    watcher.says_all(&["a.go", "same bytes"]);
    let said = watcher.count_lines("same bytes");
    assert!((1..=6).contains(&said), "at most one line a second, not {said}\n{}", watcher.story());
}

/// A disk that is busy makes a writer wait between emptying the file and writing to it.
#[test]
fn a_writer_that_pauses_in_an_emptied_file_is_waited_for() {
    let project = Project::new().file("a.go", "one").runs(Stamp::quick().sees("a.go"));
    let watcher = project.start(["--ext", "go"]).ready();
    let run = watcher.run_after(|project| {
        let mut file = fs::File::create(project.path("a.go")).unwrap();
        pace_ms(1200);
        file.write_all(b"two").unwrap();
    });
    assert!(run.saw_text("two"), "{}", watcher.story());
    watcher.exactly(2);
}

/// `long-command > a.go`: somebody else's save does not wait for it for ever.
#[test]
fn a_file_that_stays_empty_and_open_holds_nobody_for_long() {
    let watcher =
        Project::new().file("a.go", "one").file("b.go", "one").start(["--ext", "go"]).ready();
    let open = fs::File::create(watcher.path("a.go")).unwrap();
    watcher.run_after(|project| project.save("b.go", "two"));
    watcher.run_after(|project| project.save("b.go", "three"));
    pace_ms(100); // it is certain by then what the runs saw
    drop(open);
    watcher.exactly(3);
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

/// `gofmt -w .` and its like, in place and beside, over all files: also as the first thing after the start.
#[test]
fn a_formatter_that_rewrites_every_file_unchanged_is_no_run() {
    let path = |number: usize| format!("d{}/f{number}.go", number % 20);
    let text = |number: usize| format!("package p{number}\n");
    let project =
        (0..300).fold(Project::new(), |project, number| project.file(path(number), text(number)));
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly_within(1, QUIET * 3);
    for _ in 0..3 {
        watcher.no_run_after(|watcher| (0..300).for_each(|n| watcher.save(path(n), text(n))));
        watcher.no_run_after(|watcher| {
            (0..300).for_each(|n| watcher.save_atomically(path(n), text(n)));
        });
    }
    // It changed one of them.
    let run = watcher.run_after(|watcher| {
        (0..300)
            .for_each(|n| watcher.save(path(n), if n == 77 { "other".into() } else { text(n) }));
    });
    assert!(run.changed_below(&watcher.tree()).contains(&path(77)), "{}", watcher.story());
    eprintln!("6 times 300 files rewritten unchanged: 0 runs; one of 300 changed: {} run", {
        watcher.exactly(2).len() - 1
    });
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

/// A name that comes, is seen and goes is nothing: no run, and no line.
#[test]
fn a_name_that_comes_and_goes_is_no_change() {
    let watcher = Project::new().file("a.go", "one").start([]).ready();
    watcher.exactly(1);
    let mut stalls = 0;
    for name in [".t", "t", "new.go", "a.go.tmp"] {
        for _ in 0..5 {
            let before = watcher.run_count();
            let mut file = fs::File::create(watcher.path(name)).unwrap();
            for _ in 0..5 {
                file.write_all(b"for a moment").unwrap();
                pace_ms(2);
            }
            let begun = Instant::now();
            drop(file);
            watcher.remove(name);
            if begun.elapsed() > Duration::from_millis(2) {
                stalls += 1; // complete for so long, it may well be seen
                continue;
            }
            pace_ms(60);
            assert_eq!(watcher.run_count(), before, "{name}\n{}", watcher.story());
        }
    }
    assert!(stalls < 20, "the machine has no time");
    if stalls == 0 {
        assert_eq!(watcher.count_lines("same bytes"), 0, "{}", watcher.story());
    }
}

/// What was there is missed, also when something of its name was there meanwhile; what comes back as it was is the same.
#[test]
fn a_name_that_was_there_is_missed_when_it_goes() {
    let watcher = Project::new().file("a.go", "one").file("b.go", "b").start([]).ready();
    watcher.exactly_within(1, QUIET * 2);
    let run = watcher.run_after(|watcher| {
        watcher.save_atomically("a.go", "two");
        watcher.remove("a.go");
    });
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go"]);
    watcher.exactly(2);
    let run = watcher.run_after(|watcher| watcher.save("a.go", "two"));
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go"]);
    watcher.exactly_within(3, QUIET * 2);
    // Away for a moment, and back with the same bytes.
    watcher.no_run_after(|watcher| {
        watcher.rename("a.go", "a.go.away");
        watcher.rename("a.go.away", "a.go");
    });
}

/// puma, gunicorn and php-fpm make their sockets anew at each start.
#[test]
fn sockets_and_pipes_are_no_change() {
    use std::os::unix::net::{UnixListener, UnixStream};
    let watcher = Project::new().file("a.go", "one").start([]).ready();
    watcher.exactly(1);
    watcher.no_run_after(|watcher| {
        for _ in 0..5 {
            let listener = UnixListener::bind(watcher.path("app.sock")).unwrap();
            let mut caller = UnixStream::connect(watcher.path("app.sock")).unwrap();
            caller.write_all(b"hello").unwrap();
            drop(listener);
            pace_ms(40);
            watcher.remove("app.sock");
            pace_ms(40);
        }
        make_pipe(watcher, "pipe");
        let reader = fs::OpenOptions::new().read(true).write(true).open(watcher.path("pipe"));
        reader.unwrap().write_all(b"written").unwrap();
        pace_ms(40);
        watcher.rename("pipe", "pipe.go");
        pace_ms(40);
        watcher.remove("pipe.go");
        fs::create_dir(watcher.path("sockets")).unwrap();
        drop(UnixListener::bind(watcher.path("sockets/one")).unwrap());
    });
    assert_eq!(watcher.count_lines("same bytes"), 0, "{}", watcher.story());
    let asked = crate::explain::ask(&watcher, ["explain", "sockets/one", "a.go"]);
    let expected = "sockets/one: ignored by sockets, pipes and devices (built-in)\na.go: watched\n";
    assert_eq!(crate::explain::out(&asked), expected);
    let run = watcher.run_after(|watcher| watcher.save("a.go", "two"));
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go"]);
    watcher.exactly(2);
}

fn make_pipe(project: &Project, name: &str) {
    assert!(project.in_tree("mkfifo").arg(name).status().unwrap().success());
}

/// The pipe is nothing, but the file that it replaces is gone; and a file in its place is there.
#[test]
fn a_pipe_in_the_place_of_a_file_tells_that_the_file_is_gone() {
    for poll in [&[][..], &["--poll=100ms"]] {
        let project = Project::new().file("a.go", "one").file("b.go", "one");
        let watcher = project.start(poll.to_vec()).ready();
        watcher.exactly_within(1, QUIET * 2);
        let pipe = watcher.run_after(|watcher| {
            watcher.remove("a.go");
            make_pipe(watcher, "a.go");
        });
        assert_eq!(pipe.changed_below(&watcher.tree()), ["a.go"], "{}", watcher.story());
        watcher.exactly(2);
        let renamed = watcher.run_after(|watcher| watcher.rename("a.go", "b.go"));
        assert_eq!(renamed.changed_below(&watcher.tree()), ["b.go"], "{}", watcher.story());
        watcher.exactly(3);
        let file = watcher.run_after(|watcher| {
            watcher.remove("b.go");
            watcher.save("b.go", "two");
        });
        assert_eq!(file.changed_below(&watcher.tree()), ["b.go"], "{}", watcher.story());
        watcher.exactly(4);
    }
}
