//! Measurements, not tests: `cargo test --release --lib watch::tests::scale -- --ignored --nocapture`.

use std::fs;
use std::time::{Duration, Instant};

use super::Rig;
use super::rig::status;
use crate::watch::Seen;

/// 20,000 directories with three files each. Figures: README of the benches.
#[test]
#[ignore = "a measurement"]
fn twenty_thousand_directories() {
    let directories: usize =
        std::env::var("GW_DIRECTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tree");
    for i in 0..directories / 20 {
        for j in 0..19 {
            let path = root.join(format!("package-{}/module-{}/part-{j}", i / 50, i % 50));
            fs::create_dir_all(&path).unwrap();
            for name in ["lib.rs", "main_test.go", "README.md"] {
                fs::write(path.join(name), b"package main\n").unwrap();
            }
        }
    }
    let before = status("VmRSS");
    for round in 0..3 {
        let began = Instant::now();
        let mut rig = Rig::watching(&root, Duration::ZERO);
        rig.until_ready();
        let took = began.elapsed();
        let Some(Seen::Ready(watching)) =
            rig.seen.iter().find(|seen| matches!(seen, Seen::Ready(_)))
        else {
            panic!("not ready");
        };
        println!(
            "round {round}: {} directories in {took:?}; resident {} kB more, at most {} kB, table {} files",
            watching.directories,
            status("VmRSS") - before,
            status("VmHWM"),
            rig.watch.table.files(),
        );
        rig.watch.run_started(&[], Instant::now());
        let began = Instant::now();
        rig.until("the baseline", |rig| rig.watch.baseline_done());
        println!(
            "baseline in {:?}; resident {} kB more",
            began.elapsed(),
            status("VmRSS") - before
        );
    }
}
