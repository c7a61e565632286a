//! Measurements, not tests: `cargo test --release --lib watch::tests::scale -- --ignored --nocapture`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Rig;
use super::rig::status;
use crate::watch::native::Native;

/// CPU time of the process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn tree(root: &Path) -> Vec<PathBuf> {
    let directories: usize =
        std::env::var("GW_DIRECTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let mut all = Vec::new();
    for i in 0..directories / 20 {
        for j in 0..19 {
            let path = root.join(format!("package-{}/module-{}/part-{j}", i / 50, i % 50));
            fs::create_dir_all(&path).unwrap();
            for name in ["lib.rs", "main_test.go", "README.md"] {
                fs::write(path.join(name), b"package main\n").unwrap();
            }
            all.push(path);
        }
    }
    all
}

/// What the event source alone takes.
#[test]
#[ignore = "a measurement"]
fn twenty_thousand_watches_alone() {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<_> =
        tree(&dir.path().join("tree")).into_iter().map(|path| (path, false)).collect();
    let before = status("VmRSS");
    let (to, _from) = tokio::sync::mpsc::unbounded_channel();
    let (began, cpu_before) = (Instant::now(), cpu());
    let mut native = Native::new(1, to).unwrap();
    for paths in paths.chunks(512) {
        native.arm(paths.iter().map(|(path, follow)| (path.as_path(), *follow)));
    }
    let (took, used) = (began.elapsed(), cpu() - cpu_before);
    println!("{} watches: {took:?}, CPU {used:?}, {} kB", paths.len(), status("VmRSS") - before);
}

/// 20,000 directories with three files each.
#[test]
#[ignore = "a measurement"]
fn twenty_thousand_directories() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tree");
    tree(&root);
    let before = status("VmRSS");
    for round in 0..2 {
        let (began, cpu_before) = (Instant::now(), cpu());
        let mut rig = Rig::watching(&root, Duration::ZERO);
        rig.until_ready();
        let (took, used) = (began.elapsed(), cpu() - cpu_before);
        println!(
            "round {round}: {} directories, {} files in {took:?}, CPU {used:?}; resident {} kB more, \
             at most {} kB",
            rig.watch.directories().0,
            rig.watch.tree.table.files(),
            status("VmRSS") - before,
            status("VmHWM"),
        );
        let cpu_before = cpu();
        rig.watch.run_started(&[], Instant::now());
        rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
        let more = status("VmRSS") - before;
        println!("baseline: CPU {:?}; resident {more} kB more", cpu() - cpu_before);
        let cpu_before = cpu();
        for i in 0..2000 {
            fs::write(root.join(format!("package-0/module-0/storm{i}")), "x").unwrap();
        }
        let making = cpu() - cpu_before;
        rig.until("the storm", |rig| rig.seen.len() >= 6000);
        println!("storm: CPU {:?} for making, {:?} in all", making, cpu() - cpu_before);
        for i in 0..2000 {
            fs::remove_file(root.join(format!("package-0/module-0/storm{i}"))).unwrap();
        }
    }
}
