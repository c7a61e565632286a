//! The cost of one change does not depend on how many are pending.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{PLAIN, TEMPORARY, us, zero};
use crate::model::{
    Change, ChangeKind,
    ChangeKind::{Closed, Removed, RenamedAway, Touched, Written},
    Facts,
};
use crate::settle::{Settings, Settle};

/// Feeds `files` paths with the given events each, all before anything is due; returns list steps for
/// each change, hundredfold, and the number of paths handed out.
fn steps(files: u64, kinds: &[(ChangeKind, Facts)]) -> (u64, usize) {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let mut now = start;
    let mut changes = 0;
    for file in 0..files {
        let path: Arc<std::path::Path> = std::path::Path::new(&format!("/src/{file}.go")).into();
        for &(kind, facts) in kinds {
            now += us(1);
            settle.note(Change { path: Arc::clone(&path), kind, facts }, now);
            assert!(settle.deadline().is_none_or(|at| at > now));
            changes += 1;
        }
    }
    let end: Instant = now + Duration::from_secs(1);
    let taken = settle.take(end).map_or(0, |batch| batch.changes.len());
    (settle.steps() * 100 / changes, taken)
}

#[test]
fn a_change_costs_the_same_from_one_to_a_hundred_thousand_pending() {
    let ways: [&[(ChangeKind, Facts)]; 4] = [
        &[(Written, PLAIN), (Closed, PLAIN)],
        &[(Removed, PLAIN)],
        &[(Written, PLAIN)],
        &[(Written, TEMPORARY), (Closed, TEMPORARY), (RenamedAway, TEMPORARY), (Touched, PLAIN)],
    ];
    for kinds in ways {
        let (few, _) = steps(10, kinds);
        let (many, taken) = steps(100_000, kinds);
        assert_eq!(taken, 100_000);
        assert!(
            many <= few.max(200) + 100,
            "{few} steps of 100 changes with 10, {many} with 100,000"
        );
    }
}
