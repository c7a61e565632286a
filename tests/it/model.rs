//! Random operations against a model: nothing that changed goes unnamed, and what is watched is what is
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::harness::*;

/// Every regular file of the tree with its content, and every directory with its inode.
fn scan(root: &Path) -> (BTreeMap<PathBuf, Vec<u8>>, BTreeSet<u64>) {
    let (mut files, mut directories) = (BTreeMap::new(), BTreeSet::new());
    let mut todo = vec![root.to_path_buf()];
    while let Some(directory) = todo.pop() {
        directories.insert(fs::metadata(&directory).unwrap().ino());
        for entry in fs::read_dir(&directory).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                todo.push(entry.path());
            } else if kind.is_file() {
                files.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
    }
    (files, directories)
}

/// The directories below one that the program itself changes.
fn directories(root: &Path) -> Vec<u64> {
    let Ok(stat) = fs::metadata(root) else { return Vec::new() };
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    below.flat_map(|entry| directories(&entry.path())).chain([stat.ino()]).collect()
}

/// The inodes that the program watches, except the ancestors of the root and what is beside the tree (its
/// own marker directory).
fn watched(watcher: &Watcher) -> BTreeSet<u64> {
    let mut others: BTreeSet<u64> =
        watcher.tree().ancestors().skip(1).map(|path| fs::metadata(path).unwrap().ino()).collect();
    for beside in ["run", "tmp", "home"] {
        others.extend(directories(&watcher.root().join(beside)));
    }
    fs::read_dir(format!("/proc/{}/fdinfo", watcher.pid()))
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .flat_map(|text| {
            let inodes = text.lines().filter_map(|line| {
                let inode = line
                    .strip_prefix("inotify ")?
                    .split(' ')
                    .find_map(|word| word.strip_prefix("ino:"))?;
                u64::from_str_radix(inode, 16).ok()
            });
            inodes.collect::<Vec<_>>()
        })
        .filter(|inode| !others.contains(inode))
        .collect()
}

/// One of a few names, so that operations meet each other.
fn name(random: &mut Random) -> String {
    let depth = 1 + random.below(3);
    (0..depth).map(|_| format!("n{}", random.below(4))).collect::<Vec<_>>().join("/")
}

/// One random operation; one that the file system refuses is none.
fn operate(root: &Path, random: &mut Random) {
    let (one, other) = (root.join(name(random)), root.join(name(random)));
    let file = one.join(format!("f{}", random.below(3)));
    let text = format!("{}", random.below(1_000_000));
    let _ = match random.below(12) {
        0 | 1 => fs::create_dir_all(&one),
        2..=4 => fs::write(&file, &text),
        5 => fs::write(&one, &text),
        6 => fs::rename(&one, &other),
        7 => fs::rename(&file, &other),
        8 => fs::remove_file(&file),
        9 => fs::remove_dir_all(&one),
        10 => std::os::unix::fs::symlink(&other, &file),
        _ => fs::metadata(&file)
            .map(|held| held.mode())
            .and_then(|mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode ^ 0o011))),
    };
}

/// Runs the operations in bursts; after each, when all is quiet, compares.
fn compare(seed: u64, operations: usize) {
    let project = Project::new().runs(Stamp::quick().sees("last"));
    let watcher = project.start(["--no-default-ignore", "--on-busy", "queue"]).ready();
    watcher.exactly(1);
    let mut random = Random(seed);
    let (mut before, _) = scan(&watcher.tree());
    let mut done = 0;
    while done < operations {
        let runs = watcher.run_count();
        let burst = 1 + random.below(60) as usize;
        for _ in 0..burst {
            operate(&watcher.tree(), &mut random);
        }
        done += burst;
        // A run that has the last word: what comes before it may have been named in a state that was not the
        // last, and going back to what such a run saw is no change.
        let last = format!("{done}");
        watcher.save("last", &last);
        let (after, directories) = scan(&watcher.tree());
        let differs = |path: &PathBuf| before.get(path) != after.get(path);
        let changed: BTreeSet<PathBuf> =
            before.keys().chain(after.keys()).filter(|path| differs(path)).cloned().collect();
        let missing = || -> BTreeSet<PathBuf> {
            let named: BTreeSet<PathBuf> = watcher.run_log()[runs..]
                .iter()
                .flat_map(|run| run.changed.clone().unwrap_or_default())
                .collect();
            changed.iter().filter(|path| !named.contains(*path)).cloned().collect()
        };
        let seen = || watcher.run_log().last().is_some_and(|run| run.saw_text(&last));
        watcher.wait_for("a run that saw the last file", || seen().then_some(()));
        if until(DEADLINE, || missing().is_empty().then_some(())).is_none() {
            panic!("seed {seed}, after {done}: not named: {:?}\n{}", missing(), watcher.story());
        }
        let unequal = || -> Vec<u64> {
            watched(&watcher).symmetric_difference(&directories).copied().collect()
        };
        if until(DEADLINE, || unequal().is_empty().then_some(())).is_none() {
            let tree =
                watcher.in_tree("find").args([".", "-printf", "%y %i %p\\n"]).output().unwrap();
            let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
            let (odd, story) = (unequal(), watcher.story());
            panic!("seed {seed}, after {done}: watched or there, not both: {odd:?}\n{tree}{story}");
        }
        quiet(&watcher);
        before = after;
    }
}

/// Waits until no run has begun for a while.
fn quiet(watcher: &Watcher) {
    watcher.wait_for("quiet", || {
        let runs = watcher.run_count();
        pace_ms(120);
        (runs == watcher.run_count()).then_some(())
    });
}

/// Several seeds at a time: most of the time is spent waiting for quiet.
fn seeds(seeds: std::ops::RangeInclusive<u64>, operations: usize, at_a_time: usize) {
    let waiting = std::sync::Mutex::new(seeds.clone());
    let next = || waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    compare(seed, operations);
                }
            });
        }
    });
    eprintln!("{} seeds of {operations} operations: 0 differences", seeds.count());
}

#[test]
fn random_operations() {
    seeds(1..=2, 600, 2);
}

#[test]
#[ignore = "50 seeds of 10,000 operations; make torture"]
fn torture_random_operations() {
    seeds(1..=50, 10_000, 10);
}

/// Names of random bytes: byte-exact to the command, never raw on stderr.
#[test]
fn random_names() {
    let watcher = Project::new().start(["--no-default-ignore", "--no-gitignore"]).ready();
    watcher.exactly(1);
    let mut random = Random(23);
    for _ in 0..40 {
        let length = 1 + random.below(30);
        let bytes: Vec<u8> = (0..length)
            .map(|_| match random.below(256) as u8 {
                0 | b'/' => b'x',
                byte => byte,
            })
            .collect();
        if bytes == b"." || bytes == b".." {
            continue;
        }
        let path = watcher.path(std::ffi::OsStr::from_bytes(&bytes));
        let runs = watcher.run_count();
        fs::write(&path, format!("{}", monotonic())).unwrap();
        watcher.wait_for("its exact name", || {
            let named = watcher.run_log()[runs..].iter().any(|run| {
                run.changed.iter().flatten().any(|named| named.as_os_str() == path.as_os_str())
            });
            named.then_some(())
        });
    }
    for line in watcher.lines() {
        let raw = line.chars().find(|letter| letter.is_control() || *letter == '\u{fffd}');
        assert_eq!(raw, None, "{line:?}");
    }
}
