//! The watch engine under faults: lost events, limits, races at the start, unreadable places, odd writes.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::*;

/// Every path that any run so far named as changed.
fn named(watcher: &Watcher) -> BTreeSet<String> {
    watcher.run_log().iter().flat_map(|run| run.changed_below(&watcher.tree())).collect()
}

/// The length of the event queue, copied by the kernel into each new instance. Shortened while this lives, and
/// for the whole machine, so only by the long tests, and only by root.
struct ShortQueue(String);

const QUEUE: &str = "/proc/sys/fs/inotify/max_queued_events";

impl ShortQueue {
    fn new(length: usize) -> Option<Self> {
        let before = fs::read_to_string(QUEUE).ok()?;
        fs::write(QUEUE, format!("{length}")).ok()?;
        Some(Self(before))
    }
}

impl Drop for ShortQueue {
    fn drop(&mut self) {
        let _ = fs::write(QUEUE, &self.0);
    }
}

/// The kernel's queue overflows while the process is stopped. How long after it went on the run began.
fn overflow(files: usize, queue: Option<usize>) -> u64 {
    let short = queue.and_then(ShortQueue::new);
    let watcher = Project::new().file("a.go", "0").file("old/b.go", "0");
    let watcher = watcher.start(["--ext", "go", "--on-busy", "queue"]).ready();
    drop(short);
    watcher.exactly(1);
    watcher.suspend();
    for number in 0..files {
        watcher.save(format!("old/f{number}.txt"), "x");
    }
    watcher.save_new("new/deep/c.go", "0");
    watcher.save("a.go", "edited");
    let went_on = monotonic();
    watcher.signal(Signal::CONT);
    let run = watcher.wait_runs(2);
    watcher.exactly(2);
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go", "new/deep/c.go"]);
    let line = watcher.matches(
        r"^\[WARN\] the kernel dropped events .*: [\d,]+ files compared in \S+, [\d,]+ changed",
    );
    let mut seen = 0;
    for round in 0..5 {
        for path in ["a.go", "new/deep/c.go", "old/b.go", "new/d.go"] {
            let run = watcher.run_after(|project| project.save(path, format!("after {round}")));
            seen += usize::from(run.changed_below(&watcher.tree()).iter().any(|one| one == path));
            pace_ms(30);
        }
    }
    let waited = (run.began - went_on) / 1_000_000;
    eprintln!("one run after {waited} ms; {seen} of 20 later edits; {line}");
    assert!(waited < PROMPT_MS, "{waited} ms\n{}", watcher.story());
    assert_eq!((seen, watcher.count_lines("dropped events")), (20, 1), "{}", watcher.story());
    waited
}

#[test]
fn lost_events_are_made_good() {
    overflow(8_000, None);
}

#[test]
#[ignore = "20,000 files, ten times; make torture"]
fn torture_lost_events() {
    let worst = (0..10).map(|_| overflow(20_000, Some(64))).max();
    eprintln!("ten times one run, at most {} ms after it went on", worst.unwrap());
}

fn new_directories_at_full_speed(count: usize) {
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    for number in 0..count {
        watcher.save_new(format!("n{number}/1/2/3/x.go"), "x");
    }
    watcher.wait_for("all of them", || {
        let seen = named(&watcher).iter().filter(|path| path.ends_with("/x.go")).count();
        (seen == count).then_some(())
    });
    eprintln!("{count} of {count} files in new directories");
}

#[test]
fn files_in_new_directories_made_at_full_speed() {
    new_directories_at_full_speed(150);
}

#[test]
#[ignore = "500 directories, five times; make torture"]
fn torture_new_directories() {
    for _ in 0..5 {
        new_directories_at_full_speed(500);
    }
}

/// An edit at a random moment after the start leads to a run that began after it.
fn edits_during_the_start(rounds: u64, directories: usize, within_ms: u64) {
    let mut project = Project::new().runs(Stamp::quick().sees("d0/f.go"));
    for number in 0..directories {
        project = project.file(format!("d{number}/f.go"), "0");
    }
    let (mut random, mut lost) = (Random(17), 0);
    for round in 1..=rounds {
        let mut args = vec!["run".into(), "--ext".into(), "go".into(), "--".into()];
        args.extend(project.argv());
        let mut command = project.in_tree(project.program_path());
        let mut child = command.args(args).stderr(std::process::Stdio::null()).spawn().unwrap();
        pace(Duration::from_micros(random.below(within_ms * 1000)));
        let edited = monotonic();
        let text = format!("round {round}");
        project.save("d0/f.go", &text);
        let ran = until(Duration::from_secs(10), || {
            let runs = project.run_log();
            runs.last().is_some_and(|run| run.began > edited && run.saw_text(&text)).then_some(())
        });
        processes::send(child.id(), Signal::TERM);
        child.wait().unwrap();
        lost += usize::from(ran.is_none());
        if ran.is_none() {
            project.kill_what_is_left();
            panic!("round {round}: the edit was lost");
        }
    }
    eprintln!("{rounds} edits during the start in {directories} directories: {lost} lost");
}

#[test]
fn an_edit_during_the_start_is_not_lost() {
    edits_during_the_start(25, 400, 60);
}

#[test]
#[ignore = "100 starts in 20,000 directories; make torture"]
fn torture_edits_during_the_start() {
    edits_during_the_start(100, 20_000, 300);
}

#[test]
fn an_unreadable_directory_is_said_once_and_picked_up_again() {
    ["native", "portable", "poll"].into_iter().for_each(unreadable);
}

fn unreadable(backend: &str) {
    let project = Project::new().file("a.go", "0").file("locked/b.go", "0");
    let root = rustix::process::geteuid().is_root();
    let project = if root { project.owned_by(64_018) } else { project };
    let allow = |project: &Project, mode| {
        fs::set_permissions(project.path("locked"), fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(&project, 0);
    let watcher = project.start(["--ext", "go", "--backend", backend]).ready();
    watcher.says_all(&["locked", "ermission"]);
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(2);
    allow(&watcher, 0o755);
    watcher.wait_for("an edit in it", || {
        watcher.save("locked/b.go", format!("{}", monotonic()));
        pace_ms(100);
        named(&watcher).contains("locked/b.go").then_some(())
    });
    assert_eq!(watcher.count_lines("ermission"), 1, "{}", watcher.story());
    allow(&watcher, 0o700);
}

/// Of a root the directory above tells nothing: it is tried again.
#[test]
fn an_unreadable_root_is_picked_up_again() {
    let project = Project::new().file("root/b.go", "0").file("root/deep/c.go", "0");
    let root = rustix::process::geteuid().is_root();
    let project = if root { project.owned_by(64_019) } else { project };
    let allow = |project: &Project, mode| {
        fs::set_permissions(project.path("root"), fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(&project, 0);
    let watcher = project.start(["-w", "root"]).ready();
    watcher.says_all(&["root", "ermission"]);
    pace_ms(1500);
    allow(&watcher, 0o755);
    for name in ["root/b.go", "root/deep/c.go"] {
        watcher.wait_for("an edit in it", || {
            watcher.save(name, format!("{}", monotonic()));
            pace_ms(100);
            named(&watcher).contains(name).then_some(())
        });
    }
    assert_eq!(watcher.count_lines("ermission"), 1, "{}", watcher.story());
}

/// It becomes so while it is watched, and what was changed in it meanwhile is found when it is readable again.
#[test]
fn a_directory_that_becomes_unreadable_is_said_once_and_picked_up_again() {
    let project = Project::new().file("a.go", "0").file("locked/b.go", "0");
    let root = rustix::process::geteuid().is_root();
    let project = if root { project.owned_by(65_534) } else { project };
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly(1);
    let allow = |mode| {
        let locked = watcher.path("locked");
        fs::set_permissions(locked, fs::Permissions::from_mode(mode)).unwrap();
    };
    for _ in 0..3 {
        allow(0);
        watcher.says_all(&["locked", "ermission"]);
        pace_ms(100);
        if root {
            watcher.save("locked/b.go", format!("meanwhile {}", monotonic()));
        }
        pace_ms(100);
        let runs = watcher.run_count();
        allow(0o755);
        if root {
            watcher.wait_for("what was changed meanwhile", || {
                named(&watcher).contains("locked/b.go").then_some(())
            });
        }
        watcher.run_after(|project| project.save("a.go", format!("{}", monotonic())));
        pace(QUIET);
        let run = watcher.run_after(|project| project.save("locked/b.go", format!("{runs}")));
        assert_eq!(run.changed_below(&watcher.tree()), ["locked/b.go"]);
    }
    let said = watcher.count_lines("ermission");
    assert_eq!(said, 3, "once each time\n{}", watcher.story());
}

#[test]
fn an_older_file_moved_over_and_an_old_time_with_new_content_are_changes() {
    let project = Project::new()
        .file("a.go", "now")
        .file("backup/a.go.old", "then")
        .runs(Stamp::quick().sees("a.go"));
    let old = ["-d", "2001-01-01", "backup/a.go.old"];
    assert!(project.in_tree("touch").args(old).status().unwrap().success());
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly(1);
    let run = watcher.run_after(|project| project.rename("backup/a.go.old", "a.go"));
    assert!(run.saw_text("then"));
    watcher.exactly(2);
    let run = watcher.run_after(|project| {
        let mut file = fs::File::create(project.path("a.go")).unwrap();
        file.write_all(b"new content of an old time").unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(100_000)).unwrap();
    });
    assert!(run.saw_text("new content of an old time"));
    watcher.exactly(3);
}

#[test]
fn a_mapped_write_is_seen_when_the_mapping_is_released() {
    let Some(python) = python() else { return skip("python3 is not installed") };
    let watcher = Project::new()
        .file("a.go", "0".repeat(4096))
        .runs(Stamp::quick().sees("a.go"))
        .start(["--ext", "go"])
        .ready();
    watcher.exactly(1);
    let program = "import mmap
with open('a.go', 'r+b') as file:
    mapped = mmap.mmap(file.fileno(), 0)
mapped[0:5] = b'hello'
mapped.flush()
mapped.close()";
    let map =
        || assert!(watcher.in_tree(&python).args(["-c", program]).status().unwrap().success());
    let run = watcher.run_after(|_| map());
    assert!(run.saw_text("hello".to_owned() + &"0".repeat(4091)));
}

#[test]
fn file_and_directory_change_places() {
    let watcher = Project::new().file("thing.go", "a file").start(["--ext", "go"]).ready();
    watcher.exactly(1);
    watcher.run_after(|project| {
        project.remove("thing.go");
        project.save_new("thing.go/inner.go", "in a directory of the same name");
    });
    watcher
        .wait_for("the inner file", || named(&watcher).contains("thing.go/inner.go").then_some(()));
    pace(QUIET);
    let run = watcher.run_after(|project| project.save("thing.go/inner.go", "edited"));
    assert_eq!(run.changed_below(&watcher.tree()), ["thing.go/inner.go"]);
    pace(QUIET);
    watcher.run_after(|project| {
        fs::remove_dir_all(project.path("thing.go")).unwrap();
        project.save("thing.go", "a file again");
    });
    pace(QUIET);
    let run = watcher.run_after(|project| project.save("thing.go", "edited"));
    assert_eq!(run.changed_below(&watcher.tree()), ["thing.go"]);
}

/// A directory whose name begins with this one's.
fn beside(tree: &Path, name: &[u8]) -> PathBuf {
    let mut name = name[..name.len().min(253)].to_vec();
    name.extend(b".d");
    tree.join(OsStr::from_bytes(&name))
}

/// Names that other programs stumble over, byte by byte: spaces, newlines, bytes that are no text, 255 bytes; and a
/// path of almost 4,000 bytes.
#[test]
fn odd_names_and_long_paths_are_watched_and_told_exactly() {
    let long = [b'm'; 255];
    let odd: [&[u8]; 6] = [b"a b", b" ", b"new\nline", b"\xff\xfe", b"-rf", &long];
    let project = Project::new();
    let root = project.tree().as_os_str().len();
    let mut deep = project.tree();
    while deep.as_os_str().len() + 256 < 3_990 {
        deep.push("n".repeat(255));
    }
    deep.push("d".repeat(3_990_usize.saturating_sub(deep.as_os_str().len() + 1).max(1)));
    fs::create_dir_all(&deep).unwrap();
    for name in odd {
        fs::create_dir(beside(&project.tree(), name)).unwrap();
    }
    let watcher = project.start(["--no-default-ignore"]).ready();
    watcher.exactly(1);
    let mut count = 0;
    let mut tell = |path: PathBuf| {
        fs::write(&path, format!("{}", monotonic())).unwrap();
        watcher.wait_for("its exact name", || {
            let runs = watcher.run_log();
            runs.iter()
                .any(|run| run.changed.iter().flatten().any(|one| *one == path))
                .then_some(())
        });
        count += 1;
    };
    for name in odd {
        tell(watcher.path(OsStr::from_bytes(name)));
        tell(beside(&watcher.tree(), name).join(OsStr::from_bytes(name)));
    }
    tell(deep.join("x.go"));
    let longest = deep.join("x.go").as_os_str().len();
    eprintln!(
        "{count} of 13 odd names told exactly; the longest path has {longest} bytes ({root} of the root)"
    );
    for line in watcher.lines() {
        assert_eq!(line.chars().find(|letter| letter.is_control()), None, "{line:?}");
    }
}

/// The process sleeps (a laptop's lid): nothing is lost, however long.
fn suspended(time: Duration) {
    let watcher = Project::new().file("a.go", "0").file("d/b.go", "0");
    let watcher = watcher.start(["--ext", "go", "--on-busy", "queue"]).ready();
    watcher.exactly(1);
    for round in 0..3 {
        let runs = watcher.run_count();
        watcher.suspend();
        watcher.save("a.go", format!("asleep {round}"));
        pace(time / 2);
        watcher.save_new(format!("new{round}/c.go"), "asleep");
        watcher.save_atomically("d/b.go", format!("asleep {round}"));
        pace(time / 2);
        let woken = monotonic();
        watcher.signal(Signal::CONT);
        watcher.wait_for("all three", || {
            let named: BTreeSet<String> = watcher.run_log()[runs..]
                .iter()
                .flat_map(|run| run.changed_below(&watcher.tree()))
                .collect();
            ["a.go".to_owned(), "d/b.go".into(), format!("new{round}/c.go")]
                .iter()
                .all(|path| named.contains(path))
                .then_some(())
        });
        pace(QUIET);
        let more = &watcher.run_log()[runs..];
        // One; on a busy machine what had gathered may come in two portions.
        assert!(more.len() <= 2, "{} runs\n{}", more.len(), watcher.story());
        let waited = (more.last().unwrap().began - woken) / 1_000_000;
        eprintln!("asleep for {time:?}: {} run(s), the last {waited} ms later", more.len());
        assert!(waited < PROMPT_MS, "{waited} ms");
    }
    watcher.run_after(|project| project.save("new0/c.go", "awake"));
}

#[test]
fn nothing_is_lost_while_the_process_is_suspended() {
    suspended(Duration::from_secs(1));
}

#[test]
#[ignore = "ten seconds, three times; make torture"]
fn torture_suspended() {
    suspended(Duration::from_secs(10));
}
