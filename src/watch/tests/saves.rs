//! Saves of single files, as programs make them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant, SystemTime};

use super::Rig;
use super::rig::causes;
use crate::model::{
    Backend, ChangeKind,
    ChangeKind::{Appeared, Closed, Removed, RenamedAway, Touched, Written},
};
use crate::watch::{Comparison, Poll, Seen, Settings};

/// What `touch` does: both times, for only one of them is told as an access or a write.
fn touch(path: &std::path::Path, time: SystemTime) {
    let file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.set_times(fs::FileTimes::new().set_accessed(time).set_modified(time)).unwrap();
}

fn one(rig: &mut Rig) -> Vec<(String, ChangeKind)> {
    rig.sync();
    let mut short = rig.short();
    short.dedup();
    short
}

#[test]
fn a_save_in_place_is_written_then_closed() {
    let mut rig = Rig::with(|root| fs::write(root.join("a.go"), "one").unwrap(), |_| {});
    fs::write(rig.path("a.go"), "two").unwrap();
    assert_eq!(one(&mut rig), [("a.go".into(), Written), ("a.go".into(), Closed)]);
}

#[test]
fn a_writer_that_is_still_there_is_not_closed() {
    let mut rig = Rig::new();
    let mut file = fs::File::create(rig.path("a.go")).unwrap();
    file.write_all(b"half").unwrap();
    rig.sync();
    assert!(rig.last()["a.go"] == Written);
    file.write_all(b"whole").unwrap();
    drop(file);
    assert_eq!(one(&mut rig), [("a.go".into(), Written), ("a.go".into(), Closed)]);
}

#[test]
fn an_atomic_save_is_complete_at_once_and_its_temporary_is_new() {
    let mut rig = Rig::with(|root| fs::write(root.join("a.go"), "one").unwrap(), |_| {});
    fs::write(rig.path("a.go.tmp"), "two").unwrap();
    fs::rename(rig.path("a.go.tmp"), rig.path("a.go")).unwrap();
    rig.sync();
    let changes = rig.changes();
    let last = changes.last().unwrap();
    assert_eq!((last.path.as_ref(), last.kind), (rig.path("a.go").as_path(), Appeared));
    assert!(!last.facts.new);
    for change in changes.iter().filter(|change| change.path.ends_with("a.go.tmp")) {
        assert!(change.facts.new, "{change:?}");
    }
}

#[test]
fn removal_renaming_and_links() {
    let mut rig = Rig::with(
        |root| {
            fs::write(root.join("a"), "a").unwrap();
            fs::write(root.join("b"), "b").unwrap();
        },
        |_| {},
    );
    fs::remove_file(rig.path("a")).unwrap();
    assert_eq!(one(&mut rig), [("a".into(), Removed)]);
    fs::rename(rig.path("b"), rig.path("c")).unwrap();
    assert_eq!(one(&mut rig), [("b".into(), RenamedAway), ("c".into(), Appeared)]);
    symlink("c", rig.path("link")).unwrap();
    fs::hard_link(rig.path("c"), rig.path("hard")).unwrap();
    assert_eq!(one(&mut rig), [("link".into(), Appeared), ("hard".into(), Appeared)]);
}

#[test]
fn a_touch_is_a_change_and_a_chmod_or_an_idle_open_is_none() {
    use std::os::unix::fs::PermissionsExt;
    let mut rig = Rig::with(|root| fs::write(root.join("a"), "a").unwrap(), |_| {});
    fs::set_permissions(rig.path("a"), fs::Permissions::from_mode(0o600)).unwrap();
    drop(fs::OpenOptions::new().append(true).open(rig.path("a")).unwrap());
    fs::read(rig.path("a")).unwrap();
    assert_eq!(one(&mut rig), []);
    touch(&rig.path("a"), SystemTime::now());
    assert_eq!(one(&mut rig), [("a".into(), Touched)]);
}

#[test]
fn a_truncated_file_is_said_to_be_emptied() {
    let mut rig = Rig::with(|root| fs::write(root.join("a"), "a").unwrap(), |_| {});
    drop(fs::File::create(rig.path("a")).unwrap());
    rig.sync();
    let changes = rig.changes();
    assert!(changes.last().unwrap().facts.emptied, "{changes:?}");
    let mut file = fs::OpenOptions::new().append(true).open(rig.path("a")).unwrap();
    file.write_all(b"new").unwrap();
    drop(file);
    rig.sync();
    assert!(!rig.changes().last().unwrap().facts.emptied);
}

fn polled_every_50_ms(settings: &mut Settings) {
    settings.backend = Backend::Poll;
    settings.poll = Poll::Every(Duration::from_millis(50));
}

/// A pass of polling can meet half a save.
#[test]
fn a_file_that_a_pass_finds_truncated_is_said_to_be_emptied() {
    let mut rig = Rig::with(|root| fs::write(root.join("a"), "a").unwrap(), polled_every_50_ms);
    for (text, emptied) in [("", true), ("new", false), ("", true)] {
        fs::write(rig.path("a"), text).unwrap();
        rig.until("the pass", |rig| {
            let told = |seen: &Seen| matches!(seen, Seen::Change(c) if c.facts.emptied == emptied);
            rig.seen.iter().any(told)
        });
        rig.changes();
    }
}

/// The save of a new file too; whether it stays empty is known after the next pass.
#[test]
fn a_new_file_that_a_pass_finds_empty_is_waited_for_until_the_next() {
    let mut rig = Rig::with(|_| {}, polled_every_50_ms);
    fs::create_dir(rig.path("new")).unwrap();
    fs::write(rig.path("new/a"), "").unwrap();
    rig.until("the pass", |rig| rig.seen.iter().any(|seen| matches!(seen, Seen::Change(_))));
    let batch = rig.batch().unwrap();
    assert!(matches!(rig.watch.compare(&batch), Comparison::Unsettled(_)), "perhaps half a save");
    let end = Instant::now() + Duration::from_secs(10);
    while rig.watch.compare(&batch) != Comparison::Changed {
        assert!(Instant::now() < end, "no pass came by");
        rig.for_a_while(Duration::from_millis(5));
    }
    assert_eq!(rig.changes(), [], "it stays empty");
}

#[test]
fn a_file_found_empty_in_a_new_directory_is_said_to_be_emptied() {
    let mut rig = Rig::with(|root| fs::create_dir(root.join(".away")).unwrap(), |_| {});
    fs::create_dir(rig.path(".away/new")).unwrap();
    fs::write(rig.path(".away/new/a"), "").unwrap();
    // Made before its directory could be watched, and perhaps not yet filled.
    fs::rename(rig.path(".away/new"), rig.path("new")).unwrap();
    rig.sync();
    let changes = rig.changes();
    assert!(changes.last().unwrap().facts.emptied, "{changes:?}");
}

#[test]
fn the_same_bytes_are_no_change() {
    let mut rig = Rig::with(
        |root| {
            fs::write(root.join("a"), "one").unwrap();
            fs::write(root.join("b"), "b").unwrap();
        },
        |_| {},
    );
    rig.watch.run_started(&[], Instant::now());
    rig.until("the baseline", |rig| {
        rig.watch.tree.table.record(&rig.path("a")).is_some_and(|record| record.hash != 0)
    });
    fs::write(rig.path("a"), "one").unwrap();
    assert!(!rig.run(), "same bytes in place");
    fs::write(rig.path("t"), "one").unwrap();
    fs::rename(rig.path("t"), rig.path("a")).unwrap();
    assert!(!rig.run(), "same bytes by rename");
    fs::remove_file(rig.path("a")).unwrap();
    fs::write(rig.path("a"), "one").unwrap();
    assert!(!rig.run(), "removed and made again");
    fs::write(rig.path("a"), "two").unwrap();
    assert!(rig.run(), "other bytes");
    fs::write(rig.path("a"), "two").unwrap();
    assert!(!rig.run(), "the bytes that the last run saw");
    fs::write(rig.path("a"), "one").unwrap();
    assert!(rig.run(), "the bytes of the run before");
    fs::remove_file(rig.path("b")).unwrap();
    assert!(rig.run(), "a removal");
    fs::write(rig.path("b"), "b").unwrap();
    assert!(rig.run(), "made again after a run without it");
    fs::write(rig.path("new"), "").unwrap();
    assert!(rig.run(), "a new file");
    fs::write(rig.path("temporary"), "").unwrap();
    fs::remove_file(rig.path("temporary")).unwrap();
    assert!(!rig.run(), "came and went");
}

#[test]
fn a_touch_reloads_although_the_bytes_are_the_same() {
    let mut rig = Rig::with(|root| fs::write(root.join("a"), "one").unwrap(), |_| {});
    rig.watch.run_started(&[], Instant::now());
    rig.until("the baseline", |rig| {
        rig.watch.tree.table.record(&rig.path("a")).is_some_and(|record| record.hash != 0)
    });
    rig.for_a_while(Duration::from_millis(20));
    touch(&rig.path("a"), SystemTime::UNIX_EPOCH);
    assert!(rig.run());
}

/// A run that has seen a change but was not told of it (its event came, or it was compared, while that run was
/// about to start): it is told to the next one, and what did not change stays known.
#[test]
fn what_a_run_has_seen_without_being_told_is_still_to_be_told() {
    let tree = |root: &std::path::Path| {
        for name in ["a", "b", "c"] {
            fs::write(root.join(name), "one").unwrap();
        }
    };
    for compared in [true, false] {
        let mut rig = Rig::with(tree, |_| {});
        rig.watch.run_started(&[], Instant::now());
        rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
        fs::write(rig.path("a"), "two").unwrap();
        fs::write(rig.path("b"), "one").unwrap();
        rig.sync();
        let batch = rig.batch().unwrap();
        if compared {
            assert_eq!(rig.watch.compare(&batch), Comparison::Changed);
        }
        // Another batch, which was on its way before, starts a run.
        rig.watch.run_started(&[rig.path("c").into()], Instant::now());
        rig.until("the confirmation", |rig| rig.watch.tree.contents.deadline().is_none());
        rig.for_a_while(Duration::from_millis(200));
        assert_eq!(rig.watch.compare(&batch), Comparison::Changed, "compared: {compared}");
        rig.watch.run_started(&causes(&batch), Instant::now());
        rig.until("the confirmation", |rig| rig.watch.tree.contents.deadline().is_none());
        rig.for_a_while(Duration::from_millis(200));
        fs::write(rig.path("a"), "two").unwrap();
        assert!(!rig.run(), "compared: {compared}");
    }
    // The same bytes, then a run that another file caused: they are still known.
    let mut rig = Rig::with(tree, |_| {});
    rig.watch.run_started(&[], Instant::now());
    rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
    for _ in 0..2 {
        fs::write(rig.path("b"), "one").unwrap();
        assert!(!rig.run());
        fs::write(rig.path("c"), format!("{:?}", Instant::now())).unwrap();
        assert!(rig.run());
    }
}

/// `patch -b` over an older backup, looked at when all of it has happened.
#[test]
fn a_file_that_is_back_already_was_away() {
    let tree = |root: &std::path::Path| {
        fs::write(root.join("a.go"), "one").unwrap();
        fs::write(root.join("a.go.orig"), "none").unwrap();
    };
    let mut rig = Rig::with(tree, |_| {});
    fs::write(rig.path("a.go.oAb12Cd"), "two").unwrap();
    fs::rename(rig.path("a.go"), rig.path("a.go.orig")).unwrap();
    fs::rename(rig.path("a.go.oAb12Cd"), rig.path("a.go")).unwrap();
    let mut told = one(&mut rig);
    told.retain(|(path, _)| !path.ends_with("Cd"));
    let expected = [("a.go", RenamedAway), ("a.go.orig", Appeared), ("a.go", Appeared)];
    assert_eq!(told, expected.map(|(path, kind)| (path.to_owned(), kind)));
}

/// Helix makes the file its backup: for a moment the sibling that tells is away.
#[test]
fn a_backup_by_renaming_is_a_temporary_of_what_is_away() {
    let mut rig = Rig::with(|root| fs::write(root.join("a.go"), "one").unwrap(), |_| {});
    rig.for_a_while(Duration::from_millis(20));
    fs::rename(rig.path("a.go"), rig.path("a.goAbCdEf.bck")).unwrap();
    rig.sync();
    let changes = rig.changes();
    let facts: Vec<_> =
        changes.iter().map(|change| (change.kind, change.facts.temporary)).collect();
    assert_eq!(facts, [(RenamedAway, false), (Appeared, true)]);
}

#[test]
fn a_pipe_is_nothing_but_what_it_replaces_is_gone() {
    let mut rig = Rig::with(|root| fs::write(root.join("a.go"), "one").unwrap(), |_| {});
    let make =
        |path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    make(rig.path("pipe"));
    assert_eq!(one(&mut rig), []);
    fs::rename(rig.path("pipe"), rig.path("a.go")).unwrap();
    assert_eq!(one(&mut rig), [("a.go".into(), Removed)]);
    fs::remove_file(rig.path("a.go")).unwrap();
    assert_eq!(one(&mut rig), []);
    fs::write(rig.path("a.go"), "two").unwrap();
    assert_eq!(one(&mut rig).last(), Some(&("a.go".into(), Closed)));
}
