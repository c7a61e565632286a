//! Writing without end: a run every maximum wait, and nobody else waits.

use super::{Fired, PLAIN, Played, Script, TEMPORARY, ms, us, zero};
use crate::model::{
    Change,
    ChangeKind::{Appeared, Closed, RenamedAway, Written},
    Facts,
};
use crate::settle::{Settings, Settle};

const SECOND: u64 = 1_000_000;

/// Written every 5 ms for so many seconds, then closed.
fn endless(seconds: u64) -> Script {
    let write = |script: Script, n: u64| script.event(n * 5_000, "log.go", Written, PLAIN);
    let script = (0..seconds * 200).fold(Script::default(), write);
    script.event(seconds * SECOND, "log.go", Closed, PLAIN)
}

/// Opened, appended to and closed every 5 ms.
fn appended(seconds: u64) -> Script {
    let save = |script: Script, n: u64| script.save(n * 5_000, "log.go");
    (0..seconds * 200).fold(Script::default(), save)
}

/// Replaced by a rename every 5 ms.
fn replaced(seconds: u64) -> Script {
    let save = |script: Script, n: u64| script.atomic(n * 5_000, 0, "log.go");
    (0..seconds * 200).fold(Script::default(), save)
}

#[test]
fn a_run_every_two_seconds_and_the_file_named_once() {
    for (way, script) in
        [("held open", endless(30)), ("appended", appended(30)), ("replaced", replaced(30))]
    {
        let fired = script.batches();
        assert!((14..=16).contains(&fired.len()), "{way}: {} batches", fired.len());
        let named: Vec<_> = fired.iter().filter_map(|fired| fired.batch.noisy.as_deref()).collect();
        assert_eq!(named, [std::path::Path::new("log.go")], "{way}: named once");
        // The first of many complete saves is a lone save, for all that is known then.
        let lone = usize::from(fired[0].at < ms(1_000));
        for pair in fired[lone..fired.len() - 1].windows(2) {
            let gap = pair[1].at - pair[0].at;
            assert!((ms(1_800)..=ms(2_200)).contains(&gap), "{way}: {gap:?}");
        }
        let end = fired.last().expect("a batch").at;
        assert!(end >= ms(29_995) && end <= ms(30_550), "{way}: the end at {end:?}");
    }
}

#[test]
fn the_maximum_wait_of_what_is_put_back_goes_on() {
    let (start, mut settle) = (zero(), Settle::new(Settings::default()));
    for n in 0..400 {
        let path = std::path::Path::new("log.go").into();
        let change = Change { path, kind: Written, facts: PLAIN };
        settle.note(change, start + ms(n * 5));
    }
    let now = start + ms(2_000);
    let batch = settle.take(now).expect("the maximum wait is over");
    assert!(batch.forced && batch.noisy.is_some());
    settle.put_back(batch);
    settle.postpone(now + ms(2));
    assert_eq!(settle.deadline(), Some(now + ms(2)));
    let again = settle.take(now + ms(2)).expect("the same batch");
    assert_eq!((again.first, again.forced), (start, true));
}

#[test]
fn a_noisy_file_holds_nobody() {
    for (way, script) in
        [("held open", endless(10)), ("appended", appended(10)), ("replaced", replaced(10))]
    {
        // Saved when the file has been known as noisy for a while.
        let fired = script.save(5 * SECOND + 1_000, "a.go").atomic(7 * SECOND, 0, "b.go").batches();
        let of = |path: &str| -> &Fired {
            fired.iter().find(|fired| fired.paths().contains(&path)).expect("its batch")
        };
        assert!(of("a.go").at <= ms(5_002), "{way}: a.go at {:?}", of("a.go").at);
        assert!(of("b.go").at <= ms(7_001), "{way}: b.go at {:?}", of("b.go").at);
        assert!(of("a.go").paths().contains(&"log.go"), "{way}: what is pending goes with it");
        assert!(fired.len() <= 8, "{way}: {} batches", fired.len());
    }
}

#[test]
fn a_writer_that_closes_is_an_ordinary_file_again() {
    let mut script = endless(3);
    script = script.save(4 * SECOND, "log.go");
    let fired = script.batches();
    let at: Vec<_> = fired.iter().map(|fired| fired.at.as_millis()).collect();
    // The maximum wait; the close; the save.
    assert_eq!(at.len(), 3, "{at:?}");
    assert!(at[0] == 2_000 && (3_000..=3_051).contains(&at[1]) && at[2] == 4_000, "{at:?}");
}

#[test]
fn ever_new_files_fire_at_the_maximum_wait_and_none_is_blamed() {
    let save = |script: Script, n: u64| script.save(n * 5_000, &format!("f{n}.go"));
    let fired = (0..1_000).fold(Script::default(), save).batches();
    assert!((3..=5).contains(&fired.len()), "{}", fired.len());
    assert!(fired.iter().all(|fired| fired.batch.noisy.is_none()));
}

#[test]
fn a_save_in_progress_at_the_maximum_wait_is_not_blamed() {
    let script = endless(4).event(1_999_000, "a.go", Written, PLAIN);
    let fired = script.event(2_010_000, "a.go", Closed, PLAIN).batches();
    assert!(fired[0].batch.noisy.as_deref().is_some_and(|path| path.ends_with("log.go")));
    // Half a save was forced out: its end is a batch of its own, and soon.
    assert!(fired[1].paths().contains(&"a.go"), "{fired:?}");
    assert!(fired[1].at <= ms(2_061), "{:?}", fired[1].at);
}

#[test]
fn many_noisy_files_are_as_one() {
    let mut script = Script::default();
    for n in 0..1_000 {
        for file in ["a.log", "b.log", "c.log"] {
            script = script.event(n * 5_000, file, Written, PLAIN);
        }
    }
    let fired = script.batches();
    assert!((3..=5).contains(&fired.len()), "{fired:?}");
}

#[test]
fn what_comes_of_a_file_that_was_written_when_everything_was_taken_is_a_change_of_its_own() {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let change = |kind| Change { path: std::path::Path::new("a.go").into(), kind, facts: PLAIN };
    settle.note(change(Written), start);
    assert_eq!(settle.take_all(start).map(|batch| batch.changes.len()), Some(1));
    assert_eq!((settle.waiting(), settle.deadline()), (0, None));
    settle.note(change(Closed), start + ms(20));
    let played = Played { batches: vec![], delays: vec![], settle, start };
    assert_eq!(finish(played).len(), 1);
}

#[test]
fn an_open_writer_holds_others_also_after_everything_was_taken() {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let change =
        |path: &str, kind| Change { path: std::path::Path::new(path).into(), kind, facts: PLAIN };
    settle.note(change("a.go", Written), start);
    settle.take_all(start).expect("a batch");
    settle.note(change("b.go", Appeared), start + ms(1));
    assert_eq!(settle.deadline(), Some(start + ms(500)));
    settle.note(change("a.go", Closed), start + ms(2));
    assert!(settle.deadline() < Some(start + ms(10)));
}

#[test]
fn a_temporary_handed_to_a_run_is_missed_when_it_goes() {
    let start = zero();
    let mut settle = Settle::new(Settings::default());
    let change = |kind, facts: Facts| Change {
        path: std::path::Path::new("a.go.1.tmp").into(),
        kind,
        facts,
    };
    settle.note(change(Written, TEMPORARY), start);
    settle.take_all(start).expect("a batch");
    settle.note(change(Closed, TEMPORARY), start + us(10));
    settle.note(change(RenamedAway, TEMPORARY), start + us(20));
    assert_eq!(settle.waiting(), 1);
    assert!(settle.deadline() <= Some(start + ms(1)), "and holds nothing");
}

fn finish(mut played: Played) -> Vec<Fired> {
    let end = played.start + std::time::Duration::from_secs(60);
    played.wait_until(end, &mut |_, _, _| true);
    played.batches
}

#[test]
fn a_noisy_file_that_falls_silent_is_handed_out_then() {
    for way in [Written, Closed] {
        let write = |script: Script, n: u64| {
            script.event(n * 5_000, "log.go", Written, PLAIN).event(
                n * 5_000 + 9,
                "log.go",
                way,
                PLAIN,
            )
        };
        let fired = (0..500).fold(Script::default(), write).batches();
        let at = fired.last().expect("a batch").at;
        assert_eq!(at, us(499 * 5_000 + 9 + 500_000), "{way:?}");
    }
}
