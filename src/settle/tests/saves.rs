//! One save, one batch, as early as can be.

use super::{EMPTIED, Fired, NEW, PLAIN, Script, TEMPORARY, ms, us};
use crate::model::{
    ChangeKind::{self, Appeared, Closed, Removed, RenamedAway, Touched, Written},
    Facts,
};
use crate::settle::Settings;

type Row =
    (&'static str, Vec<(u64, &'static str, ChangeKind, Facts)>, u64, u64, &'static [&'static str]);

/// Name, events, when the batch fires at the earliest and at the latest (µs after the last event), paths.
fn ways_to_save() -> Vec<Row> {
    const TMP: &str = "a.go.1.tmp";
    const BARE: u64 = 1_000;
    let a: &'static [&'static str] = &["a.go"];
    vec![
        ("in place", vec![(0, "a.go", Written, PLAIN), (80, "a.go", Closed, PLAIN)], 300, 300, a),
        (
            "in place, truncated first (vim nowritebackup)",
            vec![
                (0, "a.go", Written, EMPTIED),
                (50, "a.go", Written, PLAIN),
                (90, "a.go", Closed, PLAIN),
            ],
            300,
            300,
            a,
        ),
        (
            "vim with a backup by renaming",
            vec![
                (0, "a.go", RenamedAway, PLAIN),
                (0, "a.go~", Appeared, TEMPORARY),
                (40, "a.go", Written, PLAIN),
                (200, "a.go", Closed, PLAIN),
                (260, "a.go~", Removed, TEMPORARY),
            ],
            300,
            BARE,
            a,
        ),
        (
            "vim with a backup by renaming, slowly",
            vec![
                (0, "a.go", RenamedAway, PLAIN),
                (8_000, "a.go", Written, PLAIN),
                (9_000, "a.go", Closed, PLAIN),
            ],
            300,
            18_000,
            a,
        ),
        (
            "atomic (sed -i, Go, Rust)",
            vec![
                (0, TMP, Written, TEMPORARY),
                (80, TMP, Closed, TEMPORARY),
                (110, TMP, RenamedAway, TEMPORARY),
                (110, "a.go", Appeared, PLAIN),
            ],
            300,
            BARE,
            a,
        ),
        (
            "atomic over a name that looks like nothing",
            vec![
                (0, "x", Written, NEW),
                (80, "x", Closed, NEW),
                (110, "x", RenamedAway, NEW),
                (110, "a.go", Appeared, PLAIN),
            ],
            300,
            BARE,
            a,
        ),
        (
            "atomic, with its time set before the rename (rsync)",
            vec![
                (0, TMP, Written, TEMPORARY),
                (80, TMP, Closed, TEMPORARY),
                (90, TMP, Touched, TEMPORARY),
                (110, TMP, RenamedAway, TEMPORARY),
                (110, "a.go", Appeared, PLAIN),
            ],
            300,
            BARE,
            a,
        ),
        (
            "atomic with a slow disk: the temporary was held, given up, then renamed",
            vec![
                (0, TMP, RenamedAway, Facts { new: false, ..TEMPORARY }),
                (0, "a.go", Appeared, PLAIN),
            ],
            300,
            300,
            &[TMP, "a.go"],
        ),
        (
            "a new file",
            vec![(0, "n.go", Written, NEW), (80, "n.go", Closed, NEW)],
            300,
            300,
            &["n.go"],
        ),
        ("moved in", vec![(0, "a.go", Appeared, PLAIN)], 300, 300, a),
        ("touched", vec![(0, "a.go", Touched, PLAIN)], 300, 300, a),
        ("removed", vec![(0, "a.go", Removed, PLAIN)], 25_000, 25_000, a),
        (
            "moved",
            vec![(0, "a.go", RenamedAway, PLAIN), (0, "b.go", Appeared, NEW)],
            25_000,
            25_000,
            &["a.go", "b.go"],
        ),
        ("a new temporary that stays", vec![(0, TMP, Appeared, TEMPORARY)], 25_000, 25_000, &[TMP]),
        (
            "emptied for good",
            vec![(0, "a.go", Written, EMPTIED), (80, "a.go", Closed, EMPTIED)],
            250_000,
            250_000,
            a,
        ),
        (
            "emptied, filled 100 ms later",
            vec![
                (0, "a.go", Written, EMPTIED),
                (80, "a.go", Closed, EMPTIED),
                (100_000, "a.go", Written, PLAIN),
                (100_080, "a.go", Closed, PLAIN),
            ],
            300,
            50_000,
            a,
        ),
        (
            "a link, replaced",
            vec![(0, "a.go", Removed, PLAIN), (30, "a.go", Appeared, PLAIN)],
            300,
            300,
            a,
        ),
        ("never closed", vec![(0, "a.go", Written, PLAIN)], 500_000, 500_000, a),
    ]
}

fn play(events: &[(u64, &str, ChangeKind, Facts)]) -> Vec<Fired> {
    let add = |script: Script, &(at, path, kind, facts): &(u64, &str, ChangeKind, Facts)| {
        script.event(at, path, kind, facts)
    };
    events.iter().fold(Script::default(), add).batches()
}

#[test]
fn each_way_to_save_is_one_batch_at_its_time() {
    for (name, events, least, most, paths) in ways_to_save() {
        let fired = play(&events);
        assert_eq!(fired.len(), 1, "{name}: {fired:?}");
        assert_eq!(fired[0].paths(), paths, "{name}");
        let last = events.last().map_or(0, |event| event.0);
        let after = fired[0].at - us(last);
        assert!((us(least)..=us(most)).contains(&after), "{name}: fired {after:?} after the end");
    }
}

#[test]
fn a_save_by_node_is_one_batch_at_any_pause() {
    for pause in (0..=3_000).step_by(100) {
        let fired = Script::default().atomic(0, pause, "a.go").batches();
        assert_eq!(fired.len(), 1, "pause {pause} µs: {fired:?}");
        assert_eq!(fired[0].kinds(), [("a.go", Appeared)]);
        let after = fired[0].at - us(80 + pause);
        assert_eq!(after, us(300), "pause {pause} µs");
    }
}

#[test]
fn a_file_written_at_length_beside_its_place_is_there_at_once() {
    let mut script = Script::default();
    for n in 0..100 {
        script = script.event(n * 5_000, "a.go.1.tmp", Written, TEMPORARY);
    }
    let fired = script.atomic(500_000, 2_000, "a.go").batches();
    assert_eq!(fired.len(), 1);
    assert_eq!((fired[0].at, fired[0].paths()), (us(502_080 + 300), vec!["a.go"]));
}

#[test]
fn a_temporary_that_comes_and_goes_is_nothing() {
    let script = Script::default()
        .event(0, "a.go~", Written, TEMPORARY)
        .event(80, "a.go~", Closed, TEMPORARY)
        .event(90, "a.go~", Removed, TEMPORARY);
    assert!(script.batches().is_empty());
}

#[test]
fn a_slow_writer_holds_everything_until_it_closes() {
    // 1.5 s of writing, and another file saved meanwhile.
    let mut script = Script::default().save(700_000, "b.go");
    for step in 0..150 {
        script = script.event(step * 10_000, "a.go", Written, PLAIN);
    }
    let fired = script.event(1_500_000, "a.go", Closed, PLAIN).batches();
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].paths(), ["a.go", "b.go"]);
    assert_eq!(fired[0].at, ms(1_550));
}

#[test]
fn a_hold_belongs_to_its_path() {
    // b.go is removed and stays away; a.go is saved meanwhile: b.go's hold is waited for, no longer.
    let fired = Script::default().event(0, "b.go", Removed, PLAIN).save(5_000, "a.go").batches();
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].at, ms(25));
}

#[test]
fn save_all_and_storms_are_few_batches() {
    let many = |count: u64, gap: u64| {
        let save = |script: Script, n: u64| script.save(n * gap, &format!("f{n}.go"));
        (0..count).fold(Script::default(), save).batches()
    };
    // Count, microseconds apart, at most so many batches.
    for (count, gap, most) in [(10, 3_000, 2), (100, 20_000, 3), (2_000, 100, 2), (300, 1_000, 2)] {
        let fired = many(count, gap);
        assert!(fired.len() <= most, "{count} files, {gap} µs apart: {} batches", fired.len());
        let end = us((count - 1) * gap + 80);
        let last = fired.last().expect("a batch").at;
        assert!(last >= end && last <= end + ms(51), "the last batch at {last:?} of {end:?}");
        let total: usize = fired.iter().map(|fired| fired.batch.changes.len()).sum();
        assert_eq!(total as u64, count, "each path once");
    }
}

#[test]
fn a_file_that_takes_a_formatter_longer_is_not_the_end() {
    let mut script = Script::default();
    let mut at = 0;
    for n in 0..100 {
        at += if n % 10 == 9 { 90_000 } else { 20_000 };
        script = script.save(at, &format!("f{n}.go"));
    }
    let fired = script.batches();
    // At once, at the maximum wait, at the end, and one where the first two after the second were alone.
    assert!(fired.len() <= 4, "{} batches", fired.len());
    let last = fired.last().expect("a batch").at;
    assert!(last <= us(at + 80) + ms(201), "the last batch at {last:?} of {at} µs");
}

#[test]
fn saves_far_apart_each_get_their_own_batch_after_the_bare_window() {
    let save = |script: Script, n: u64| script.save(n * 400_000, "a.go");
    let fired = (0..20).fold(Script::default(), save).batches();
    assert_eq!(fired.len(), 20);
    for (n, fired) in fired.iter().enumerate() {
        assert_eq!(fired.at, us(n as u64 * 400_000 + 80 + 300));
    }
}

#[test]
fn a_touch_survives_writing_but_not_a_removal() {
    let script = |kind| {
        let script = Script::default().event(0, "a.go", Touched, PLAIN).save(10, "a.go");
        script.event(100, "a.go", kind, PLAIN).batches()
    };
    assert_eq!(script(Closed)[0].kinds(), [("a.go", Touched)]);
    assert_eq!(script(Removed)[0].kinds(), [("a.go", Removed)]);
}

#[test]
fn a_fixed_debounce_replaces_the_window_and_nothing_else() {
    let settings = |n| Settings { debounce: Some(ms(n)), ..Settings::default() };
    // Milliseconds of debounce, script, milliseconds until the batch.
    let rows = [
        (0, Script::default().save(0, "a.go"), us(80)),
        (200, Script::default().save(0, "a.go"), us(200_080)),
        (3_000, Script::default().save(0, "a.go"), us(3_000_080)),
        (0, Script::default().event(0, "a.go", Written, PLAIN), ms(500)),
        (0, Script::default().event(0, "a.go", Removed, PLAIN), ms(25)),
        (100, Script::default().atomic(0, 0, "a.go"), us(100_080)),
    ];
    for (debounce, script, at) in rows {
        let fired = script.run(settings(debounce)).batches;
        assert_eq!(fired.len(), 1, "{debounce}");
        assert_eq!(fired[0].at, at, "{debounce}");
    }
}
