//! Random operations at full speed against a fresh scan: afterwards the table equals what is on disk, every
//! directory is watched, and nothing whose content differs from the run before was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Rig;
use super::rig::causes;
use crate::sys::bytes::os_str;
use crate::sys::files;
use crate::watch::reader::hash;

/// A small generator (xorshift64*), so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }
}

/// A name out of few, so that they meet again.
fn name(dice: &mut Dice) -> String {
    format!("{}{}", ["a", "b", "c"][dice.roll(3)], dice.roll(3))
}

fn below(dice: &mut Dice, root: &Path) -> PathBuf {
    let mut path = root.to_path_buf();
    for _ in 0..=dice.roll(3) {
        path.push(name(dice));
    }
    path
}

/// A file with several names tells of a write only under the one it was written by.
fn has_hard_links(seed: u64) -> bool {
    seed.is_multiple_of(3)
}

/// One operation; that some are impossible is a part of the game.
fn operate(dice: &mut Dice, root: &Path, outside: &Path, links: bool) {
    let (path, other) = (below(dice, root), below(dice, root));
    let text = format!("{}", dice.roll(4));
    let _ = match dice.roll(16) {
        0..=2 => fs::write(&path, &text),
        3 => fs::create_dir(&path),
        4 => path.parent().map_or(Ok(()), |parent| {
            fs::create_dir_all(parent).and_then(|()| fs::write(&path, &text))
        }),
        5 => fs::create_dir_all(&path),
        6 => fs::remove_file(&path),
        7 => fs::remove_dir_all(&path),
        8 | 9 => fs::rename(&path, &other),
        10 => fs::write(root.join("temporary"), &text)
            .and_then(|()| fs::rename(root.join("temporary"), &path)),
        11 => symlink(&other, &path),
        12 => fs::set_permissions(&path, fs::Permissions::from_mode(0o755)),
        13 if links => fs::hard_link(&path, &other),
        13 => fs::copy(&path, &other).map(|_| ()),
        14 => fs::rename(&path, outside.join(name(dice))),
        _ => fs::rename(outside.join(name(dice)), &path),
    };
}

type Scan = (BTreeSet<PathBuf>, BTreeMap<PathBuf, u32>);

fn scan(dir: &Path, found: &mut Scan) {
    found.0.insert(dir.to_path_buf());
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let stat = files::lstat(&path).unwrap();
        if stat.is_dir() {
            scan(&path, found);
        } else {
            found.1.insert(path, stat.print());
        }
    }
}

fn table(rig: &Rig) -> Scan {
    let mut found = Scan::default();
    rig.watch.tree.table.walk(&mut |path, _, dir| {
        found.0.insert(path.to_path_buf());
        for (name, record) in dir.entries.iter().filter(|(_, record)| !record.is_dir()) {
            found.1.insert(path.join(os_str(name)), record.print);
        }
    });
    found
}

fn contents(root: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = Scan::default();
    scan(root, &mut found);
    let hash = |path: &Path| hash(path, u64::MAX, &mut Vec::new()).map_or(0, |(hash, _)| hash);
    found.1.into_keys().map(|path| (path.clone(), hash(&path))).collect()
}

/// Every directory tells of a new file in it.
#[track_caller]
fn probe(rig: &mut Rig, seed: u64) {
    let (dirs, _) = table(rig);
    for dir in &dirs {
        fs::write(dir.join("probe"), "").unwrap();
    }
    rig.sync();
    let told: BTreeSet<PathBuf> =
        rig.changes().into_iter().map(|change| change.path.to_path_buf()).collect();
    for dir in &dirs {
        assert!(told.contains(&dir.join("probe")), "seed {seed}: {} is deaf", dir.display());
        fs::remove_file(dir.join("probe")).unwrap();
    }
    rig.sync();
    rig.changes();
}

fn play(seed: u64, operations: usize) {
    let mut rig = Rig::new();
    let outside = rig.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let root = rig.root.clone();
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut before = contents(&root);
    rig.watch.run_started(&[], Instant::now());
    let mut left = operations;
    while left > 0 {
        let burst = (1 + dice.roll(40)).min(left);
        left -= burst;
        for _ in 0..burst {
            operate(&mut dice, &root, &outside, has_hard_links(seed));
        }
        rig.sync();
        let mut on_disk = Scan::default();
        scan(&root, &mut on_disk);
        let mut in_table = table(&rig);
        if has_hard_links(seed) {
            on_disk.1.values_mut().chain(in_table.1.values_mut()).for_each(|print| *print = 0);
        }
        assert_eq!(in_table, on_disk, "seed {seed}, {left} operations before the end");
        let batch = rig.batch();
        let now = contents(&root);
        let differing: BTreeSet<&PathBuf> = before
            .keys()
            .chain(now.keys())
            .filter(|_| !has_hard_links(seed))
            .filter(|path| before.get(*path) != now.get(*path))
            .collect();
        let told: BTreeSet<PathBuf> = batch
            .iter()
            .flat_map(|batch| &batch.changes)
            .map(|change| change.path.to_path_buf())
            .collect();
        for path in &differing {
            assert!(told.contains(*path), "seed {seed}: {} was left out", path.display());
        }
        let Some(batch) = batch else { continue };
        let same = rig.watch.compare(&batch) == crate::watch::Comparison::Same;
        assert!(!same || differing.is_empty(), "seed {seed}: {differing:?} taken for the same");
        if !same {
            rig.watch.run_started(&causes(&batch), Instant::now());
            rig.until("the confirmation", |rig| rig.watch.tree.contents.deadline().is_none());
            before = now;
        }
    }
    probe(&mut rig, seed);
}

#[test]
fn after_random_operations_the_table_equals_a_fresh_scan() {
    for seed in 1..=12 {
        play(seed, 400);
    }
}

#[test]
#[ignore = "50 seeds of 10,000 operations; make torture"]
fn torture_random_operations_against_a_fresh_scan() {
    // Several at a time: mostly they wait for a run's beginning to be certain.
    let waiting = std::sync::Mutex::new(1..=50);
    let next = || waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    play(1000 + seed, 10_000);
                }
            });
        }
    });
    println!("50 seeds of 10,000 operations: 0 differences");
}
