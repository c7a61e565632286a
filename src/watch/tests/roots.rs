//! Roots that are replaced, renamed, missing; files that are roots.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Rig;
use super::rig::filter_for;
use crate::model::Notice;
use crate::watch::Root;
use crate::watch::passes::Due;

fn fill(root: &Path) {
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/b/x"), "x").unwrap();
}

/// From here on these are watched, as named ones.
fn watch_only(rig: &mut Rig, paths: &[&Path]) {
    let root = |path: &&Path| Root { path: path.into(), shown: path.into(), named: true };
    let filter = filter_for(&rig.root);
    rig.apply(filter, paths.iter().map(root).collect());
    rig.sync();
}

/// Edits until an edit is told: how long that took.
fn until_told(rig: &mut Rig, path: &Path) -> Duration {
    rig.changes();
    let began = Instant::now();
    let mut edits = 0;
    while began.elapsed() < Duration::from_secs(10) {
        edits += 1;
        fs::write(path, format!("{edits}")).unwrap();
        rig.for_a_while(Duration::from_millis(10));
        if rig.changes().iter().any(|change| *change.path == *path) {
            return began.elapsed();
        }
    }
    panic!("{} is not watched any more", path.display());
}

#[test]
fn a_root_that_is_replaced_is_watched_again_within_a_second() {
    let mut rig = Rig::with(fill, |_| {});
    let root = rig.root.clone();
    let parent = root.parent().unwrap().to_path_buf();
    let threads = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut worst = Duration::ZERO;
    for round in 0..12 {
        let aside = parent.join(format!("aside{round}"));
        match round % 3 {
            0 => fs::remove_dir_all(&root).unwrap(),
            1 => fs::rename(&root, &aside).unwrap(),
            _ => {
                fs::rename(&root, &aside).unwrap();
                rig.for_a_while(Duration::from_millis(30));
            }
        }
        fill(&root);
        worst = worst.max(until_told(&mut rig, &root.join("a/b/x")));
        if round % 3 != 0 {
            rig.sync();
            rig.changes();
            fs::write(aside.join("a/b/x"), "no business of ours").unwrap();
            rig.sync();
            assert_eq!(rig.changes().len(), 0, "round {round}: the old tree");
        }
    }
    println!("re-armed after at most {worst:?}; {} descriptors", threads());
    assert!(worst < Duration::from_secs(1), "{worst:?}");
}

/// As the command's working directory does: what is open does not tell of its own end.
#[test]
fn a_root_that_somebody_stands_in_is_watched_again_when_it_is_made_anew() {
    let mut rig = Rig::with(fill, |_| {});
    let root = rig.root.clone();
    for round in 0..4 {
        let held = fs::File::open(&root).unwrap();
        fs::remove_dir_all(&root).unwrap();
        if round % 2 == 1 {
            rig.for_a_while(Duration::from_millis(30));
        }
        fill(&root);
        let took = until_told(&mut rig, &root.join("a/b/x"));
        println!("round {round}: re-armed after {took:?}");
        drop(held);
        rig.sync();
        rig.changes();
    }
}

#[test]
fn a_parent_that_is_renamed_and_made_again() {
    let mut rig = Rig::with(
        |root| {
            fs::create_dir(root.join("p")).unwrap();
            fill(&root.join("p/project"));
        },
        |_| {},
    );
    let outer = rig.root.clone();
    let project = outer.join("p/project");
    // From here on only the project is watched.
    let roots = vec![Root { path: project.clone(), shown: "project".into(), named: false }];
    rig.apply(filter_for(&outer), roots);
    rig.sync();
    for round in 0..3 {
        fs::rename(outer.join("p"), outer.join(format!("q{round}"))).unwrap();
        fill(&project);
        let took = until_told(&mut rig, &project.join("a/b/x"));
        assert!(took < Duration::from_secs(1), "round {round}: {took:?}");
    }
    assert!(rig.notices().iter().any(|notice| matches!(notice, Notice::RootBack { .. })));
    fs::write(outer.join("outside"), "").unwrap();
    rig.sync();
    assert!(!rig.changes().iter().any(|change| change.path.ends_with("outside")));
}

#[test]
fn a_single_file_counts_alone_and_survives_atomic_replacement() {
    let mut rig = Rig::with(fill, |_| {});
    let file = rig.dir.path().canonicalize().unwrap().join("extra/one.conf");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "1").unwrap();
    let mut roots = vec![Root { path: rig.root.clone(), shown: ".".into(), named: false }];
    roots.push(Root { path: file.clone(), shown: "one.conf".into(), named: true });
    let filter = filter_for(&rig.root);
    rig.apply(filter, roots);
    rig.sync();
    assert_eq!(rig.changes().len(), 0, "a new root is no change");
    for round in 0..3 {
        fs::write(file.with_extension("tmp"), format!("{round}")).unwrap();
        fs::rename(file.with_extension("tmp"), &file).unwrap();
        rig.sync();
        let changes = rig.changes();
        assert!(!changes.is_empty() && changes.iter().all(|change| *change.path == *file));
    }
    fs::remove_file(&file).unwrap();
    rig.sync();
    assert_eq!(rig.changes().len(), 1);
    fs::write(&file, "back").unwrap();
    rig.sync();
    assert!(!rig.changes().is_empty());
    fs::write(rig.path("a/b/x"), "the tree too").unwrap();
    rig.sync();
    assert!(rig.last().contains_key("a/b/x"));
}

#[test]
fn a_single_file_is_found_again_when_its_directory_is_made_anew() {
    let mut rig = Rig::with(fill, |_| {});
    let above = rig.dir.path().canonicalize().unwrap();
    let file = above.join("conf/one.conf");
    let directory = file.parent().unwrap();
    let make = |text: &str| {
        fs::create_dir_all(directory).unwrap();
        fs::write(&file, text).unwrap();
    };
    make("1");
    watch_only(&mut rig, &[&file]);
    for round in 0..6 {
        let aside = above.join(format!("aside{round}"));
        match round % 3 {
            0 => fs::remove_dir_all(directory).unwrap(),
            1 => fs::rename(directory, &aside).unwrap(),
            _ => {
                fs::rename(directory, &aside).unwrap();
                rig.for_a_while(Duration::from_millis(30));
                let removed = rig.changes();
                assert!(removed.iter().any(|change| *change.path == *file), "the removal is told");
            }
        }
        make(&format!("made {round}"));
        let took = until_told(&mut rig, &file);
        assert!(took < Duration::from_secs(2), "round {round}: {took:?}");
        if round % 3 != 0 {
            rig.sync();
            rig.changes();
            fs::write(aside.join("one.conf"), "no business of ours").unwrap();
            rig.sync();
            assert_eq!(rig.changes().len(), 0, "round {round}: the old file");
        }
    }
}

#[test]
fn a_link_on_the_way_to_a_root_may_be_turned_elsewhere() {
    let mut rig = Rig::with(fill, |_| {});
    let above = rig.dir.path().canonicalize().unwrap();
    let (link, root) = (above.join("current"), above.join("current/src"));
    let turn = |release: &str| {
        fill(&above.join(release).join("src"));
        std::os::unix::fs::symlink(release, above.join("new")).unwrap();
        fs::rename(above.join("new"), &link).unwrap();
    };
    turn("release0");
    watch_only(&mut rig, &[&root]);
    for round in 1..4 {
        turn(&format!("release{round}"));
        let took = until_told(&mut rig, &root.join("a/b/x"));
        assert!(took < Duration::from_secs(1), "round {round}: {took:?}");
        rig.sync();
        rig.changes();
        let old = above.join(format!("release{}/src/a/b/x", round - 1));
        fs::write(old, "no business of ours").unwrap();
        rig.sync();
        assert_eq!(rig.changes().len(), 0, "round {round}: the old tree");
    }
    // What it leads to is moved away, and made anew.
    fs::rename(above.join("release3"), above.join("aside")).unwrap();
    fill(&above.join("release3/src"));
    until_told(&mut rig, &root.join("a/b/x"));
}

#[test]
fn of_several_roots_that_move_each_is_looked_for() {
    let mut rig = Rig::with(fill, |_| {});
    let up = rig.dir.path().canonicalize().unwrap().join("up");
    let (first, second) = (up.join("a"), up.join("b"));
    fill(&first);
    fill(&second);
    watch_only(&mut rig, &[&first, &second]);
    fs::rename(&up, up.with_extension("old")).unwrap();
    rig.for_a_while(Duration::from_millis(30));
    fill(&second);
    until_told(&mut rig, &second.join("a/b/x"));
    fill(&first);
    until_told(&mut rig, &first.join("a/b/x"));
}

#[test]
fn a_root_that_is_missing_at_the_start_is_found_later() {
    let mut rig = Rig::with(fill, |_| {});
    let late = rig.dir.path().canonicalize().unwrap().join("late/root");
    let roots = vec![Root { path: late.clone(), shown: "late".into(), named: true }];
    let filter = filter_for(&rig.root);
    rig.apply(filter, roots);
    assert!(rig.notices().iter().any(|notice| matches!(notice, Notice::RootMissing { .. })));
    rig.for_a_while(Duration::from_millis(50));
    fill(&late);
    until_told(&mut rig, &late.join("a/b/x"));
    assert!(rig.watch.passes.due.at(Due::Roots).is_none(), "nothing is looked for any more");
}
