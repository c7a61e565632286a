//! Directories that come, go and move; what happened before the first walk; lost events.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Rig;
use crate::model::{
    ChangeKind::{Appeared, Closed, Removed},
    Notice,
};
use crate::watch::message::Inner;
use crate::watch::{Message, Seen};

fn make(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "x").unwrap();
}

#[test]
fn files_in_new_nested_directories_are_all_seen() {
    let mut rig = Rig::new();
    for i in 0..500 {
        make(&rig.path(&format!("n{i}/1/2/3/x.go")));
    }
    rig.sync();
    let seen: BTreeSet<String> = rig.last().into_keys().collect();
    let expected: BTreeSet<String> = (0..500).map(|i| format!("n{i}/1/2/3/x.go")).collect();
    assert_eq!(expected.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new());
    for i in (0..500).step_by(50) {
        fs::write(rig.path(&format!("n{i}/1/2/3/x.go")), "later").unwrap();
    }
    rig.sync();
    assert_eq!(rig.last().len(), 10);
}

#[test]
fn a_directory_that_is_renamed_is_removed_here_and_appears_there() {
    let mut rig = Rig::with(
        |root| {
            make(&root.join("a/b/x"));
            make(&root.join("a/y"));
        },
        |_| {},
    );
    fs::rename(rig.path("a"), rig.path("z")).unwrap();
    rig.sync();
    let last = rig.last();
    let expected = [("a/b/x", Removed), ("a/y", Removed), ("z/b/x", Appeared), ("z/y", Appeared)];
    assert_eq!(last, expected.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect());
    fs::write(rig.path("z/b/x"), "after").unwrap();
    rig.sync();
    assert!(rig.last().contains_key("z/b/x"));
}

#[test]
fn a_new_directory_under_an_old_name_is_watched() {
    let mut rig = Rig::with(|root| make(&root.join("w/x")), |_| {});
    for round in 0..20 {
        fs::rename(rig.path("w"), rig.path(&format!("old{round}"))).unwrap();
        make(&rig.path("w/x"));
        rig.sync();
        rig.changes();
        fs::write(rig.path("w/x"), format!("{round}")).unwrap();
        rig.sync();
        assert!(rig.last().contains_key("w/x"), "round {round}");
        fs::write(rig.path(&format!("old{round}/x")), "also").unwrap();
        rig.sync();
        assert_eq!(rig.last().into_keys().collect::<Vec<_>>(), [format!("old{round}/x")]);
    }
}

#[test]
fn removing_a_tree_tells_every_file_once_and_forgets_it() {
    let mut rig = Rig::with(
        |root| {
            for i in 0..20 {
                make(&root.join(format!("d/{i}/f")));
            }
        },
        |_| {},
    );
    fs::remove_dir_all(rig.path("d")).unwrap();
    rig.sync();
    let changes = rig.short();
    assert_eq!(changes.len(), 20);
    assert!(changes.iter().all(|(_, kind)| *kind == Removed));
    assert_eq!(rig.watch.directories().0, 1);
}

#[test]
fn what_was_changed_between_the_start_and_the_first_look_counts() {
    let tree = |root: &Path| {
        for name in ["a/old", "a/edited", "b/replaced", "c/deleted", "d/left", "e/untouched"] {
            make(&root.join(name));
        }
        make(&root.join("moved/deep/er/file"));
    };
    let after = |root: &Path| {
        fs::write(root.join("a/edited"), "new").unwrap();
        make(&root.join("b/new/file"));
        fs::rename(root.join("d/left"), root.join("b/replaced")).unwrap();
        fs::remove_file(root.join("c/deleted")).unwrap();
        fs::rename(root.join("moved"), root.join("f")).unwrap();
    };
    let mut rig = Rig::start(tree, |_| {}, after);
    rig.until_ready();
    let seen: Vec<String> = rig.last().into_keys().collect();
    // A removal is known by its directory only.
    assert_eq!(seen, ["a/edited", "b/new/file", "b/replaced", "c", "d", "f/deep/er/file"],);
}

#[test]
fn after_lost_events_the_differences_are_told_and_new_events_come() {
    let mut rig = Rig::with(
        |root| {
            for name in ["a/kept", "a/edited", "b/gone", "c/x"] {
                make(&root.join(name));
            }
        },
        |_| {},
    );
    // As if these had been lost: the messages of this generation are thrown away unseen.
    rig.watch.tree.looks.generation += 100;
    fs::write(rig.path("a/edited"), "other bytes").unwrap();
    fs::remove_dir_all(rig.path("b")).unwrap();
    make(&rig.path("n/e/w"));
    fs::rename(rig.path("c"), rig.path("moved")).unwrap();
    rig.for_a_while(Duration::from_millis(100));
    assert_eq!(rig.last().len(), 0);
    let generation = rig.watch.tree.looks.generation;
    let lost = Message(Inner::Lost { generation });
    rig.watch.handle(lost, std::time::Instant::now(), &mut rig.seen);
    rig.until("the recovery", |rig| {
        rig.notices().iter().any(|notice| matches!(notice, Notice::Lost { .. }))
    });
    let last = rig.last();
    let expected = [
        ("a/edited", Appeared),
        ("b/gone", Removed),
        ("c/x", Removed),
        ("moved/x", Appeared),
        ("n/e/w", Appeared),
    ];
    assert_eq!(last, expected.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect());
    for name in ["a/kept", "moved/x", "n/e/w", "n/e/another"] {
        fs::write(rig.path(name), "after").unwrap();
        rig.sync();
        assert!(rig.last().contains_key(name), "{name}");
    }
    let changed = rig.notices().into_iter().find_map(|notice| match notice {
        Notice::Lost { changed, compared, .. } => Some((*changed, *compared)),
        _ => None,
    });
    assert_eq!(changed, Some((5, 4)));
}

#[test]
fn links_are_not_followed_and_loops_end() {
    use std::os::unix::fs::symlink;
    let mut rig = Rig::with(
        |root| {
            make(&root.join("a/x"));
            symlink(root, root.join("a/loop")).unwrap();
            symlink("/usr", root.join("out")).unwrap();
        },
        |_| {},
    );
    assert_eq!(rig.watch.directories().0, 2);
    fs::remove_file(rig.path("out")).unwrap();
    rig.sync();
    assert_eq!(rig.last().into_iter().collect::<Vec<_>>(), [("out".to_owned(), Removed)]);
}

#[test]
fn names_are_byte_exact() {
    use crate::sys::bytes::os_str;
    let mut rig = Rig::new();
    let names: [&[u8]; 4] = [b"new\nline", b"\xff\xfe", b" ", &[b'n'; 255]];
    for name in names {
        fs::create_dir(rig.root.join(os_str(name))).unwrap();
        fs::write(rig.root.join(os_str(name)).join(os_str(name)), "").unwrap();
    }
    rig.sync();
    let seen: BTreeSet<_> =
        rig.changes().into_iter().map(|change| change.path.to_path_buf()).collect();
    for name in names {
        let name = os_str(name);
        assert!(seen.contains(&rig.root.join(name).join(name)), "{name:?}");
    }
}

#[test]
fn a_file_becomes_a_directory_and_a_directory_a_file() {
    let mut rig = Rig::with(
        |root| {
            make(&root.join("f"));
            make(&root.join("d/x"));
        },
        |_| {},
    );
    fs::remove_file(rig.path("f")).unwrap();
    make(&rig.path("f/y"));
    fs::remove_dir_all(rig.path("d")).unwrap();
    make(&rig.path("d"));
    rig.sync();
    let last = rig.last();
    assert_eq!(last.get("f"), Some(&Removed));
    assert!(last.contains_key("f/y") && last.contains_key("d"));
    assert_eq!(last.get("d/x"), Some(&Removed));
    assert_eq!(rig.watch.directories().0, 2);
}

#[test]
fn edits_while_the_first_walk_goes_on_are_never_lost() {
    let tree = |root: &Path| {
        for i in 0..300 {
            make(&root.join(format!("p{}/m{i}/x", i % 17)));
        }
    };
    for round in 0..15_u64 {
        let mut rig = Rig::start(tree, |_| {}, |_| {});
        let dice = |salt: u64, sides: u64| (round + 1).wrapping_mul(salt) % 1009 % sides;
        rig.for_a_while(Duration::from_micros(dice(7919, 40) * 250));
        let i = dice(104_729, 300);
        let old = format!("p{}/m{i}", i % 17);
        let (changed, told) = match dice(15_485_863, 5) {
            0 => (format!("{old}/x"), fs::write(rig.path(&format!("{old}/x")), "edited")),
            1 => (format!("{old}/y"), fs::write(rig.path(&format!("{old}/y")), "new")),
            2 => {
                make(&rig.path("n/e/w"));
                ("n/e/w".to_owned(), Ok(()))
            }
            3 => (format!("p0/n{i}/x"), fs::rename(rig.path(&old), rig.path(&format!("p0/n{i}")))),
            _ => (old.clone(), fs::remove_file(rig.path(&format!("{old}/x")))),
        };
        told.unwrap();
        rig.until_ready();
        rig.sync();
        let seen = rig.last();
        let found = seen.keys().any(|name| *name == changed || *name == format!("{changed}/x"));
        assert!(found, "round {round}: {changed} is not in {seen:?}");
    }
}

#[test]
fn a_marker_made_before_its_directory_was_watched_is_asked_for_again() {
    let early = |root: &Path| root.parent().unwrap().join("marks/early");
    let mut rig = Rig::start(|_| {}, |_| {}, |root| fs::write(early(root), "").unwrap());
    rig.until("the word that markers may be lost", |rig| {
        rig.seen.iter().any(|seen| matches!(seen, Seen::Rearmed))
    });
    let come = |rig: &Rig| rig.seen.iter().any(|seen| matches!(seen, Seen::Marker(_)));
    assert!(!come(&rig), "nobody has told of it");
    fs::remove_file(early(&rig.root)).unwrap();
    fs::write(early(&rig.root), "").unwrap();
    rig.until("the marker", come);
}

/// An event that comes late comes after a pause, and others follow.
#[test]
fn a_late_event_makes_us_wait_for_those_behind_it() {
    let mut rig = Rig::with(|root| fs::write(root.join("a"), "1").unwrap(), |_| {});
    // The second pause follows the run of the first: it is one like any other.
    for content in ["2", "3"] {
        fs::write(rig.path("a"), content).unwrap();
        std::thread::sleep(Duration::from_millis(120));
        let closed = |seen: &Seen| matches!(seen, Seen::Change(c) if c.kind == Closed);
        rig.until("the event", |rig| rig.seen.iter().any(closed));
        assert!(rig.watch.is_comparing(Instant::now()), "{content}");
        rig.until("the answer", |rig| !rig.watch.is_comparing(Instant::now()));
        rig.seen.clear();
        rig.watch.taken();
    }
}

/// Git has ended a checkout: what it wrote is on its way, however much it is and however busy the machine.
#[test]
fn what_happened_before_catching_up_has_been_told_when_it_is_done() {
    let mut rig = Rig::with(|root| make(&root.join("d/a")), |_| {});
    for round in 0..5 {
        (0..300).for_each(|n| fs::write(rig.path(&format!("d/{n}")), format!("{round}")).unwrap());
        rig.watch.catch_up(Instant::now());
        assert!(rig.watch.is_comparing(Instant::now()));
        // It does not wait for ever.
        assert!(!rig.watch.is_comparing(Instant::now() + Duration::from_secs(1)));
        rig.until("the answer", |rig| !rig.watch.is_comparing(Instant::now()));
        let told = rig.last();
        let missing = (0..300).filter(|n| !told.contains_key(&format!("d/{n}"))).count();
        assert_eq!(missing, 0, "round {round}");
    }
}

/// A run that begins while a new directory is being looked at might see what it is never told of.
#[test]
fn while_a_new_directory_is_looked_at_changes_are_still_to_be_expected() {
    let mut rig = Rig::with(|root| make(&root.join("a")), |_| {});
    for round in 0..20 {
        (0..50).for_each(|n| make(&rig.path(&format!("n{round}/x/y/{n}"))));
        fs::write(rig.path("a"), format!("{round}")).unwrap();
        let a = rig.path("a");
        rig.until("all that is to be told now", |rig| {
            let told = |seen: &Seen| matches!(seen, Seen::Change(change) if *change.path == *a);
            rig.seen.iter().any(told) && !rig.watch.is_comparing(Instant::now())
        });
        let told = rig.last();
        let missing = (0..50).filter(|n| !told.contains_key(&format!("n{round}/x/y/{n}"))).count();
        assert_eq!(missing, 0, "round {round}");
    }
}
