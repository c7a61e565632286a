//! The same saves through every source of events.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Rig;
use crate::model::{Backend, Notice};
use crate::watch::Poll;
use crate::watch::looks::Why;
use crate::watch::message::{Events, Inner, Message};
use crate::watch::walk::Order;

fn rig(backend: Backend) -> Rig {
    let tree = |root: &Path| {
        fs::create_dir_all(root.join("src")).unwrap();
        for name in ["src/a", "src/b", "c"] {
            fs::write(root.join(name), name).unwrap();
        }
    };
    Rig::with(tree, |settings| {
        settings.backend = backend;
        if backend == Backend::Poll {
            settings.poll = Poll::Every(Duration::from_millis(30));
        }
    })
}

/// The names that were told of after everything has been seen.
fn told(rig: &mut Rig) -> BTreeSet<String> {
    rig.sync();
    rig.last().into_keys().collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn saves(backend: Backend) {
    let mut rig = rig(backend);
    rig.watch.run_started(&[], Instant::now());
    rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
    fs::write(rig.path("src/a"), "other").unwrap();
    assert!(told(&mut rig).contains("src/a"), "{backend:?}: a save in place");
    fs::write(rig.path("src/t"), "atomic").unwrap();
    fs::rename(rig.path("src/t"), rig.path("src/b")).unwrap();
    assert!(told(&mut rig).contains("src/b"), "{backend:?}: an atomic save");
    fs::remove_file(rig.path("c")).unwrap();
    assert_eq!(told(&mut rig), names(["c"]), "{backend:?}: a removal");
    fs::create_dir_all(rig.path("n/e/w")).unwrap();
    fs::write(rig.path("n/e/w/x"), "").unwrap();
    assert_eq!(told(&mut rig), names(["n/e/w/x"]), "{backend:?}: a new directory");
    fs::write(rig.path("n/e/w/x"), "later").unwrap();
    assert_eq!(told(&mut rig), names(["n/e/w/x"]), "{backend:?}: in the new directory");
    fs::rename(rig.path("n"), rig.path("m")).unwrap();
    assert_eq!(told(&mut rig), names(["m/e/w/x", "n/e/w/x"]), "{backend:?}: a renamed directory");
    fs::remove_dir_all(rig.path("m")).unwrap();
    assert_eq!(told(&mut rig), names(["m/e/w/x"]), "{backend:?}: a removed directory");
}

fn same_bytes(backend: Backend) {
    let mut rig = rig(backend);
    rig.watch.run_started(&[], Instant::now());
    rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
    // Polling has to have come by once since the run's start.
    rig.sync();
    fs::write(rig.path("src/a"), "src/a").unwrap();
    assert!(!rig.run(), "{backend:?}: the same bytes");
    fs::write(rig.path("src/a"), "other").unwrap();
    assert!(rig.run(), "{backend:?}: other bytes");
    rig.sync();
    fs::write(rig.path("src/a"), "other").unwrap();
    assert!(!rig.run(), "{backend:?}: the bytes that the last run saw");
    fs::write(rig.path("src/a"), "src/a").unwrap();
    assert!(rig.run(), "{backend:?}: the bytes of the run before");
}

#[test]
fn saves_are_seen_natively() {
    saves(Backend::Native);
    same_bytes(Backend::Native);
}

#[test]
fn saves_are_seen_by_the_portable_source() {
    saves(Backend::Portable);
    same_bytes(Backend::Portable);
}

#[test]
fn saves_are_seen_by_polling() {
    saves(Backend::Poll);
    same_bytes(Backend::Poll);
}

#[test]
fn an_older_file_and_an_older_time_are_changes_to_polling() {
    let mut rig = rig(Backend::Poll);
    let old = std::time::SystemTime::UNIX_EPOCH;
    fs::write(rig.dir.path().join("old"), "older").unwrap();
    let file = fs::File::options().append(true).open(rig.dir.path().join("old")).unwrap();
    file.set_modified(old).unwrap();
    fs::rename(rig.dir.path().join("old"), rig.path("c")).unwrap();
    assert_eq!(told(&mut rig), names(["c"]));
}

#[test]
fn without_an_event_source_everything_is_polled_and_that_is_said() {
    let mut rig = rig(Backend::Native);
    // As if the system had refused a new instance.
    let generation = rig.watch.tree.looks.generation;
    rig.watch.tree.looks.order(Order::Renew {
        generation,
        events: Events::None,
        trees: Vec::new(),
    });
    let refused = Message(Inner::NoSource { generation });
    rig.watch.handle(refused, Instant::now(), &mut rig.seen);
    let tree = &mut rig.watch.tree;
    tree.looks.look_at_all(&mut tree.table, Why::Recover);
    fs::write(rig.path("src/a"), "other").unwrap();
    rig.until("the polling", |rig| {
        rig.notices().iter().any(|notice| matches!(notice, Notice::Limit { events: 0, .. }))
    });
    rig.until("the change", |rig| {
        rig.seen.iter().any(|seen| matches!(seen, crate::watch::Seen::Change(_)))
    });
    assert!(rig.last().contains_key("src/a"));
}
