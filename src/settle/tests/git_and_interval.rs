//! `watcher.duration`, git's lock, and batches that come back.

use std::time::Duration;

use super::{PLAIN, Played, Script, TEMPORARY, ms, us, zero};
use crate::model::{
    Batch, Change,
    ChangeKind::{Appeared, Closed, Removed, Touched, Written},
};
use crate::settle::numbers::{GIT_ASK_AGAIN, GIT_SEQUENCE_WINDOW};
use crate::settle::{Due, Settings, Settle};

fn every(duration: Duration) -> Settings {
    Settings { duration, ..Settings::default() }
}

#[test]
fn the_first_change_reloads_at_once_and_what_follows_at_the_end_of_the_interval() {
    let script = Script::default().save(0, "a.go").save(400_000, "b.go").save(900_000, "c.go");
    let played = script.run(every(ms(2_000)));
    let at: Vec<_> = played.batches.iter().map(|fired| fired.at).collect();
    assert_eq!(at, [us(380), us(2_000_380)]);
    assert_eq!(played.batches[1].paths(), ["b.go", "c.go"]);
    // Said once, when the first of them was complete.
    assert_eq!(played.delays, [(us(400_380), us(2_000_380))]);
}

#[test]
fn an_interval_that_is_over_delays_nothing() {
    let played = Script::default().save(0, "a.go").save(2_500_000, "b.go").run(every(ms(2_000)));
    assert_eq!(played.batches[1].at, us(2_500_380));
    assert!(played.delays.is_empty());
}

#[test]
fn the_end_of_the_interval_waits_for_a_save_in_progress() {
    let script = Script::default().save(0, "a.go").save(400_000, "b.go");
    let script =
        script.event(1_990_000, "b.go", Written, PLAIN).event(2_100_000, "b.go", Appeared, PLAIN);
    let played = script.run(every(ms(2_000)));
    assert_eq!(played.batches.len(), 2);
    assert!(played.batches[1].at >= ms(2_100), "{:?}", played.batches[1].at);
}

#[test]
fn an_absurd_interval_is_only_long() {
    let mut settle = Settle::new(every(Duration::MAX));
    let start = zero();
    settle.run_started(start);
    settle.note(
        Change { path: std::path::Path::new("a").into(), kind: Appeared, facts: PLAIN },
        start,
    );
    assert!(matches!(settle.due(start + ms(1)), Some(Due::Delayed { more: 0, .. })));
    assert!(settle.deadline().is_some());
}

/// Git holds its lock in the given spans (ms), and is in a sequence in the last one; what the shell
/// does about it.
fn with_git(script: Script, locked: &[(u64, u64)], sequence: Option<(u64, u64)>) -> Played {
    let inside = |at: Duration, &(from, to): &(u64, u64)| at >= ms(from) && at < ms(to);
    let mut held = false;
    Played::play(script, Settings::default(), move |settle, at, now| {
        if locked.iter().any(|span| inside(at, span)) {
            held = true;
            settle.postpone(now + GIT_ASK_AGAIN);
            return false;
        }
        let in_sequence = sequence.is_some_and(|span| inside(at, &span));
        let window = if in_sequence { GIT_SEQUENCE_WINDOW } else { Duration::ZERO };
        if held {
            held = false;
            settle.reopen(now, window);
        } else {
            settle.widen(window);
        }
        settle.due(now) == Some(Due::Ready)
    })
}

#[test]
fn a_lock_holds_the_batch_until_it_goes_and_the_window_begins_anew() {
    let script = Script::default().save(0, "a.go").save(30_000, "b.go");
    let played = with_git(script, &[(0, 100)], None);
    assert_eq!(played.batches.len(), 1);
    let at = played.batches[0].at;
    assert!((ms(100)..=ms(160)).contains(&at), "{at:?}");
}

#[test]
fn a_rebase_is_one_batch() {
    // 20 commits, each with a lock of 8 ms, pauses of 6 ms, saves while it holds.
    let mut script = Script::default();
    let mut locks = vec![];
    for commit in 0..200 {
        script = script.save(commit * 14_000 + 2_000, &format!("f{}.go", commit % 30));
        locks.push((commit * 14, commit * 14 + 8));
    }
    let played = with_git(script, &locks, Some((0, 200 * 14)));
    assert!(played.batches.len() <= 2, "{}", played.batches.len());
    let at = played.batches.last().expect("a batch").at;
    assert!(at >= ms(2_788) && at <= ms(3_100), "{at:?}");
}

#[test]
fn widening_holds_a_batch_that_was_due() {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let path: std::sync::Arc<std::path::Path> = std::path::Path::new("a").into();
    settle.note(Change { path, kind: Appeared, facts: PLAIN }, start);
    assert_eq!(settle.due(start + ms(1)), Some(Due::Ready));
    settle.widen(GIT_SEQUENCE_WINDOW);
    assert_eq!(settle.due(start + ms(1)), None);
    assert_eq!(settle.deadline(), Some(start + ms(250)));
    assert_eq!(settle.due(start + ms(250)), Some(Due::Ready));
}

#[test]
fn what_is_put_back_comes_first_and_is_due_again() {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let note = |settle: &mut Settle, path: &str, kind, at| {
        let path = std::path::Path::new(path).into();
        settle.note(Change { path, kind, facts: PLAIN }, at);
    };
    note(&mut settle, "a", Touched, start);
    note(&mut settle, "b", Appeared, start);
    let batch = settle.take(start + ms(1)).expect("a batch");
    note(&mut settle, "c", Appeared, start + ms(2));
    note(&mut settle, "a", Closed, start + ms(2));
    settle.put_back(batch);
    assert_eq!(settle.waiting(), 3);
    let again = settle.take(start + ms(100)).expect("a batch");
    let names: Vec<_> = again.changes.iter().map(|c| (c.path.to_str(), c.kind)).collect();
    assert_eq!(
        names,
        [(Some("a"), Touched), (Some("b"), Appeared), (Some("c"), Appeared)],
        "in the order of their first change; the touch survives"
    );
    assert_eq!((again.first, again.last), (start, start + ms(2)));
    assert_eq!(settle.deadline(), None);
}

/// One path has changed, was taken and is held until one second.
fn held(start: std::time::Instant) -> Settle {
    let mut settle = Settle::new(Settings::default());
    appear(&mut settle, "held", start);
    let batch = settle.take(start + ms(1)).expect("a batch");
    settle.hold(batch, start + ms(1000), start);
    assert_eq!((settle.waiting(), settle.deadline()), (1, Some(start + ms(1000))));
    assert_eq!(settle.due(start + ms(400)), None);
    settle
}

fn appear(settle: &mut Settle, path: &str, at: std::time::Instant) {
    let path = std::path::Path::new(path).into();
    settle.note(Change { path, kind: Appeared, facts: PLAIN }, at);
}

fn names(batch: Option<Batch>) -> Vec<String> {
    let changes = batch.map(|batch| batch.changes).unwrap_or_default();
    changes.iter().map(|change| change.path.display().to_string()).collect()
}

#[test]
fn what_is_held_is_due_at_its_time_or_with_anything_else() {
    let start = zero();
    let mut settle = held(start);
    assert_eq!(settle.due(start + ms(999)), None);
    assert_eq!(settle.due(start + ms(1000)), Some(Due::Ready));
    let batch = settle.take(start + ms(1000));
    assert_eq!(
        batch.as_ref().map(|batch| (batch.first, batch.last)),
        Some((start + ms(999), start))
    );
    assert_eq!((names(batch), settle.deadline()), (vec!["held".to_owned()], None));

    let mut settle = held(start);
    appear(&mut settle, "other", start + ms(500));
    assert_eq!(settle.waiting(), 2);
    assert_eq!(names(settle.take(start + ms(600))), ["held", "other"]);
    assert_eq!((settle.waiting(), settle.deadline()), (0, None));

    // A request takes everything; git's lock comes before everything.
    assert_eq!(names(held(start).take_all(start + ms(2))), ["held"]);
    let mut settle = held(start);
    settle.postpone(start + ms(1500));
    assert_eq!((settle.due(start + ms(1499)), settle.waiting()), (None, 1));
    assert_eq!(settle.deadline(), Some(start + ms(1500)));
    assert_eq!(names(settle.take(start + ms(1500))), ["held"]);
}

#[test]
fn postponing_comes_before_everything() {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let path = std::path::Path::new("a").into();
    settle.note(Change { path, kind: Appeared, facts: PLAIN }, start);
    for n in 1..2_000 {
        settle.postpone(start + ms(n * 5));
        assert_eq!(settle.due(start + ms(n * 5 - 1)), None);
        assert_eq!(settle.deadline(), Some(start + ms(n * 5)));
    }
}

#[test]
fn a_reopened_window_begins_when_it_is_opened() {
    let start = zero();
    for (minimum, opens) in [(Duration::ZERO, us(300)), (ms(7), ms(7))] {
        let mut settle = Settle::new(Settings::default());
        let path = std::path::Path::new("a").into();
        settle.note(Change { path, kind: Appeared, facts: PLAIN }, start);
        settle.postpone(start + ms(5_000));
        settle.reopen(start + ms(4_998), minimum);
        assert_eq!(settle.deadline(), Some(start + ms(4_998) + opens));
    }
}

#[test]
fn a_sequence_of_git_is_waited_for_longer_than_the_maximum_wait_and_not_for_ever() {
    // A rebase of 15 s that never pauses for 250 ms and is never seen with its lock.
    let save = |script: Script, n: u64| script.save(n * 100_000, "a.go");
    let played = with_git((0..150).fold(Script::default(), save), &[], Some((0, 15_000)));
    let at: Vec<_> = played.batches.iter().map(|fired| fired.at.as_millis()).collect();
    assert!(at.len() <= 3 && (11_900..=12_100).contains(&at[0]), "{at:?}");
}

#[test]
fn what_git_held_came_to_nothing_and_is_forgotten() {
    let start = zero();
    let mut settle = Settle::new(every(ms(2_000)));
    let note = |settle: &mut Settle, path: &str, kind, facts, at| {
        let path = std::path::Path::new(path).into();
        settle.note(Change { path, kind, facts }, at);
    };
    settle.run_started(start);
    note(&mut settle, "a~", Appeared, TEMPORARY, start);
    settle.widen(ms(250));
    settle.postpone(start + ms(100));
    assert!(matches!(settle.due(start + ms(300)), Some(Due::Delayed { .. })));
    note(&mut settle, "a~", Removed, TEMPORARY, start + ms(301));
    assert_eq!(settle.deadline(), None);
    note(&mut settle, "a", Appeared, PLAIN, start + ms(600));
    assert_eq!(settle.deadline(), Some(start + ms(600) + us(300)));
    assert!(matches!(settle.due(start + ms(700)), Some(Due::Delayed { .. })), "said anew");
}
