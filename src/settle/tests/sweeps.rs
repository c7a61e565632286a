//! Tools that go through the tree, file by file, and persons who save fast.

use super::{Fired, Script, ms, us};
use crate::settle::numbers::{SWEEP_MAX_WAIT, SWEEP_WINDOW, WINDOW_LEAST};

/// Numbers that look like chance and are the same each time (SplitMix64).
fn chance(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Forty files one after the other, saved in place; the gap before each is asked for, in µs. The batches, and the
/// end of the last save.
fn forty(from: u64, mut gap: impl FnMut(u64) -> u64) -> (Script, u64) {
    let mut at = from;
    let mut script = Script::default();
    for n in 0..40 {
        at += gap(n);
        script = script.save(at, &format!("f{n}.ts"));
    }
    (script, at + 80)
}

fn at_most_six(what: &str, script: Script, end: u64) {
    let fired = script.batches();
    assert!(fired.len() <= 6, "{what}: {} batches at {:?}", fired.len(), times(&fired));
    let last = fired.last().expect("a batch").at;
    assert!(last > us(end) && last <= us(end) + SWEEP_WINDOW, "{what}: {last:?}, the end {end} µs");
    let named: usize = fired.iter().map(|fired| fired.batch.changes.len()).sum();
    assert_eq!(named, 40, "{what}: each file once");
    assert_eq!(fired[0].at, us(80) + WINDOW_LEAST, "{what}: the first file is a lone save");
}

fn times(fired: &[Fired]) -> Vec<u128> {
    fired.iter().map(|fired| fired.at.as_millis()).collect()
}

/// 40 files in 2.6 s: some take 30 ms, some 150 ms.
#[test]
fn prettier_over_forty_files_is_six_batches_at_most() {
    for seed in 0..200 {
        let mut random = chance(seed);
        let gap = |n| if n == 0 { 0 } else { 30_000 + random(7) * random(2_860) * 7 };
        let (script, end) = forty(0, gap);
        at_most_six(&format!("seed {seed}"), script, end);
    }
    for seed in 0..200 {
        let mut random = chance(seed);
        let (script, end) = forty(0, |n| if n == 0 { 0 } else { 30_000 + random(120_000) });
        at_most_six(&format!("evenly, seed {seed}"), script, end);
    }
}

/// 40 files, 120 ms each.
#[test]
fn eslint_over_forty_files_is_six_batches_at_most() {
    let (script, end) = forty(0, |n| if n == 0 { 0 } else { 120_000 });
    at_most_six("to the microsecond", script, end);
    for seed in 0..200 {
        let mut random = chance(seed);
        let (script, end) = forty(0, |n| if n == 0 { 0 } else { 90_000 + random(60_000) });
        at_most_six(&format!("seed {seed}"), script, end);
    }
}

/// What a sweep has taught holds no longer than a second.
#[test]
fn after_a_sweep_and_a_second_a_save_is_a_lone_save() {
    let (script, end) = forty(0, |n| if n == 0 { 0 } else { 120_000 });
    let fired = script.save(end + 1_000_000, "mine.go").batches();
    let last = fired.last().expect("a batch");
    assert_eq!((last.paths(), last.at), (vec!["mine.go"], us(end + 1_000_080) + WINDOW_LEAST));
}

#[test]
fn in_a_sweep_a_save_waits_for_its_end_but_not_for_ever() {
    let mut script = Script::default();
    for n in 0..100 {
        script = script.save(n * 120_000, &format!("f{n}.ts"));
    }
    let fired = script.batches();
    for pair in fired.windows(2) {
        assert!(pair[1].at - pair[0].at <= SWEEP_MAX_WAIT + ms(121), "{:?}", times(&fired));
    }
}

#[test]
fn the_same_file_again_and_again_is_never_slowed() {
    for gap in [260_000, 400_000, 700_000, 999_000] {
        let save = |script: Script, n: u64| script.save(n * gap, "a.go");
        let fired = (0..20).fold(Script::default(), save).batches();
        assert_eq!(fired.len(), 20, "{gap}");
        for (n, fired) in fired.iter().enumerate() {
            assert_eq!(fired.at, us(n as u64 * gap + 80) + WINDOW_LEAST, "{gap}");
        }
    }
}

#[test]
fn the_same_files_together_again_and_again_are_never_slowed() {
    let mut script = Script::default();
    for n in 0..20 {
        for file in ["a.go", "b.go", "c.go"] {
            script = script.save(n * 400_000, file);
        }
    }
    let fired = script.batches();
    assert_eq!(times(&fired), (0..20).map(|n| n * 400).collect::<Vec<u128>>());
}

/// A person who saves two files by turns every 400 ms; also faster.
#[test]
fn two_files_by_turns_are_a_person_who_is_not_slowed() {
    for gap in [260_000, 400_000] {
        let save = |script: Script, n: u64| script.save(n * gap, &format!("f{}", n % 2));
        let fired = (0..20).fold(Script::default(), save).batches();
        assert_eq!(fired.len(), 20, "{gap}");
        for (n, fired) in fired.iter().enumerate() {
            assert_eq!(fired.at, us(n as u64 * gap + 80) + WINDOW_LEAST, "{gap}");
        }
    }
}

#[test]
fn three_files_by_turns_are_slowed_once_at_most() {
    // The third of three is the third other file of a sweep: slowed once.
    let save = |script: Script, n: u64| script.save(n * 260_000, &format!("f{}", n % 3));
    let fired = (0..20).fold(Script::default(), save).batches();
    assert_eq!(fired.len(), 20);
    let late: Vec<_> = (0u64..).zip(&fired).map(|(n, f)| f.at - us(n * 260_000 + 80)).collect();
    assert_eq!(late.iter().filter(|&&late| late > WINDOW_LEAST).count(), 1, "{late:?}");
    assert!(late.iter().all(|&late| late <= ms(100)), "{late:?}");
}

/// So far apart, no window would bring them together: in place and by a rename.
#[test]
fn other_files_far_apart_are_lone_saves() {
    for gap in [310_000, 400_000, 999_000, 1_001_000] {
        for atomic in [false, true] {
            let save = |script: Script, n: u64| {
                let path = format!("f{n}.go");
                if atomic { script.atomic(n * gap, 0, &path) } else { script.save(n * gap, &path) }
            };
            let fired = (0..10).fold(Script::default(), save).batches();
            assert_eq!(fired.len(), 10, "{gap}");
            for (n, fired) in fired.iter().enumerate() {
                assert_eq!(fired.at, us(n as u64 * gap + 80) + WINDOW_LEAST, "{gap}");
            }
        }
    }
}

/// A formatter, and a linter after it over the same files: it is still one sweep.
#[test]
fn a_second_tool_over_the_same_files_goes_on_with_the_sweep() {
    let (script, end) = forty(0, |n| if n == 0 { 0 } else { 65_000 });
    let (again, end) = forty(end, |_| 120_000);
    let both = again
        .events
        .into_iter()
        .fold(script, |script, (at, path, kind, facts)| script.event(at, &path, kind, facts));
    let fired = both.batches();
    assert!(fired.len() <= 7, "{:?}", times(&fired));
    assert!(fired.last().expect("a batch").at > us(end));
}
