//! Names that come and go: they are no change, and no batch names them.

use super::{Fired, NEW, PLAIN, Played, Script, TEMPORARY, ms, us, zero};
use crate::model::{
    Change,
    ChangeKind::{self, Appeared, Closed, Removed, RenamedAway, Touched, Written},
    Facts,
};
use crate::settle::{Settings, Settle};

const BACKUP: &str = "main.goAbCdEf.bck";

/// Helix: the file becomes the backup, is written anew, and the backup is removed a while after that.
fn helix(written: u64, removed_after: u64) -> Vec<Fired> {
    Script::default()
        .event(0, "main.go", RenamedAway, PLAIN)
        .event(0, BACKUP, Appeared, TEMPORARY)
        .event(100, "main.go", Written, PLAIN)
        .event(100 + written, "main.go", Closed, PLAIN)
        .event(100 + written + removed_after, BACKUP, Removed, TEMPORARY)
        .batches()
}

#[test]
fn a_backup_that_is_removed_after_the_save_is_neither_a_batch_nor_named() {
    for written in [0, 80, 5_000, 40_000, 300_000] {
        for removed_after in (0..=20_000).step_by(1_000) {
            let fired = helix(written, removed_after);
            assert_eq!(fired.len(), 1, "{written} µs, {removed_after} µs: {fired:?}");
            assert_eq!(fired[0].paths(), ["main.go"]);
            let end = us(100 + written + removed_after);
            assert!(fired[0].at <= end + ms(50), "{written} µs, {removed_after} µs: {fired:?}");
        }
    }
}

#[test]
fn a_name_that_comes_and_goes_is_nothing_whatever_it_looks_like() {
    for facts in [NEW, TEMPORARY] {
        for (kind, gone) in [(Closed, Removed), (Touched, RenamedAway), (Written, Removed)] {
            let script = Script::default()
                .event(0, "t", Written, facts)
                .event(80, "t", kind, facts)
                .event(90, "t", gone, facts);
            assert!(script.batches().is_empty(), "{kind:?} {gone:?}");
        }
    }
}

#[test]
fn a_name_that_was_there_is_missed_also_when_it_came_back_meanwhile() {
    let script = Script::default()
        .event(0, "a.go", Removed, PLAIN)
        .event(50, "a.go", Written, PLAIN)
        .event(90, "a.go", Closed, PLAIN)
        .event(95, "a.go", Removed, PLAIN);
    assert_eq!(script.batches()[0].kinds(), [("a.go", Removed)]);
}

#[test]
fn a_name_that_stays_until_its_batch_is_missed_when_it_goes() {
    let script = Script::default()
        .event(0, "n.go", Written, NEW)
        .event(80, "n.go", Closed, NEW)
        .event(100_000, "n.go", Removed, PLAIN);
    let kinds: Vec<_> = script.batches().iter().map(|fired| fired.kinds()[0].1).collect();
    assert_eq!(kinds, [Closed, Removed]);
}

/// rsync copies a large file for ten seconds, and a person saves meanwhile.
#[test]
fn a_file_that_is_copied_beside_its_place_at_length_is_never_named_and_holds_nobody() {
    const PART: &str = ".big.bin.Xy12Ab";
    let mut script = Script::default().save(5_000_000, "a.go").save(9_000_000, "b.go");
    for n in 0..1_000 {
        // After the first batch a run has begun: for the watch engine the name is not new any more.
        let facts = if n < 501 { TEMPORARY } else { PLAIN };
        script = script.event(n * 10_000, PART, Written, facts);
    }
    let fired = script
        .event(10_000_000, PART, Closed, PLAIN)
        .event(10_000_010, PART, Touched, PLAIN)
        .event(10_000_020, PART, RenamedAway, PLAIN)
        .event(10_000_020, "big.bin", Appeared, PLAIN)
        .batches();
    let told: Vec<_> = fired.iter().map(Fired::paths).collect();
    assert_eq!(told, [["a.go"], ["b.go"], ["big.bin"]]);
    for (fired, saved) in fired.iter().zip([5_000_080, 9_000_080, 10_000_020]) {
        assert!(fired.at <= us(saved) + ms(1), "{fired:?}");
    }
}

#[test]
fn a_draft_that_falls_silent_is_a_file_like_any_other() {
    let fired = Script::default().event(0, "a.go.1.tmp", Written, TEMPORARY).batches();
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].paths(), ["a.go.1.tmp"]);
    assert!((ms(2_000)..=ms(2_001)).contains(&fired[0].at), "{fired:?}");
}

/// The original is away while the new one is written at length: half a save.
#[test]
fn a_draft_holds_the_other_half_of_its_save() {
    let fired = Script::default()
        .event(0, "a.go", RenamedAway, PLAIN)
        .event(50, "a.go.tmp", Written, TEMPORARY)
        .event(400_000, "a.go.tmp", Closed, TEMPORARY)
        .event(400_100, "a.go.tmp", RenamedAway, TEMPORARY)
        .event(400_100, "a.go", Appeared, PLAIN)
        .batches();
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].kinds(), [("a.go", Appeared)]);
}

/// Forty atomic saves 120 ms apart, each a moment between its two halves: also what the maximum wait forces out names
/// no half.
#[test]
fn what_is_forced_out_names_no_temporary() {
    for shift in 0..60 {
        let mut script = Script::default();
        for n in 0..120 {
            script = script.atomic(n * 60_000 + shift * 1_000, 20_000, &format!("f{n}.go"));
        }
        for fired in script.batches() {
            let temporary = fired.paths().into_iter().find(|path| path.ends_with(".tmp"));
            assert_eq!(temporary, None, "{fired:?}");
        }
    }
}

#[test]
fn what_is_taken_on_request_takes_drafts_along() {
    let (start, mut settle) = (zero(), Settle::new(Settings::default()));
    let change = |path: &str, kind: ChangeKind, facts: Facts| Change {
        path: std::path::Path::new(path).into(),
        kind,
        facts,
    };
    settle.note(change("a.go.1.tmp", Written, TEMPORARY), start);
    settle.note(change("b.go", Written, PLAIN), start + us(5));
    let taken = settle.take_all(start + us(10)).expect("a batch");
    assert_eq!(taken.changes.len(), 2);
    assert_eq!((settle.waiting(), settle.deadline()), (0, None));
    // What comes of it is a change of its own.
    settle.note(change("a.go.1.tmp", Removed, TEMPORARY), start + ms(5));
    assert_eq!(settle.waiting(), 1);
}

#[test]
fn a_draft_that_is_put_back_is_no_draft_any_more() {
    let (start, mut settle) = (zero(), Settle::new(Settings::default()));
    let change =
        |kind, facts| Change { path: std::path::Path::new("a.go.1.tmp").into(), kind, facts };
    settle.note(change(Closed, TEMPORARY), start);
    let batch = settle.take(start + ms(25)).expect("it stayed");
    settle.note(change(Written, TEMPORARY), start + ms(26));
    settle.put_back(batch);
    assert_eq!(settle.waiting(), 1);
    settle.note(change(Closed, PLAIN), start + ms(27));
    let mut played = Played { batches: vec![], delays: vec![], settle, start };
    played.wait_until(start + ms(60_000), &mut |_, _, _| true);
    assert_eq!(played.batches.len(), 1);
    assert_eq!(played.settle.waiting(), 0);
}
