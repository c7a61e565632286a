//! People and tools outside, who only look like a run.

use std::time::Duration;

use super::world::{World, ms};

const SEEDS: u64 = 200;

/// Runs a world; whether something was learnt, and the longest time that a save waited for its run.
fn learns(world: &mut World, seconds: u64) -> (bool, Duration) {
    world.go(ms(seconds * 1000));
    let late = world.saves.iter().filter_map(|(at, run)| Some(run.as_ref()?.saturating_sub(*at)));
    let late = late.max().unwrap_or_default();
    // The very last ones may still wait.
    let lost = world
        .saves
        .iter()
        .filter(|(at, run)| run.is_none() && *at + ms(5_000) < ms(seconds * 1000));
    let lost = lost.count();
    // What is taken for the run's is not lost, but comes along with the next one.
    assert!(lost == 0 || !world.learnt().is_empty(), "{lost}: {:?} {:?}", world.saves, world.runs);
    (!world.learnt().is_empty(), late)
}

#[test]
fn somebody_who_saves_regularly_is_not_learnt() {
    for (period, most) in [(500, 1), (700, 1), (1000, 1), (2000, 1), (5000, 1)] {
        for ends in [None, Some(200), Some(period - 50)] {
            let (mut wrong, mut longest) = (0, Duration::ZERO);
            for seed in 0..SEEDS {
                let mut world = World::new(seed, move |run| {
                    ends.into_iter().for_each(|end| run.ends(end));
                });
                (0..120_000 / period).for_each(|n| world.save(ms(5_000 + n * period), "src"));
                let (learnt, late) = learns(&mut world, 140);
                wrong += usize::from(learnt);
                longest = longest.max(late);
            }
            eprintln!(
                "every {period} ms, ends {ends:?}: learnt in {wrong} of {SEEDS}, late by {longest:?}"
            );
            assert!(wrong <= most, "every {period} ms, {ends:?}: {wrong}");
        }
    }
}

#[test]
fn a_person_is_not_learnt_and_hardly_late() {
    for (from, to) in [(300, 3_000), (3_000, 9_000), (1_000, 30_000)] {
        for ends in [None, Some(100), Some(400), Some(2_000)] {
            let (mut wrong, mut times) = (0, Vec::new());
            for seed in 0..SEEDS {
                let mut world =
                    World::new(seed, move |run| ends.into_iter().for_each(|end| run.ends(end)));
                let mut at = 3_000;
                while at < 117_000 {
                    world.save(ms(at), "src");
                    at += from + (world.random.part() * (to - from) as f64) as u64;
                }
                wrong += usize::from(learns(&mut world, 140).0);
                times.extend(
                    world
                        .saves
                        .iter()
                        .filter_map(|(at, run)| Some(run.as_ref()?.saturating_sub(*at))),
                );
            }
            times.sort();
            let share = |part: usize| times[(times.len() - 1) * part / 1000];
            let over = times.iter().filter(|it| **it > ms(1_300)).count();
            eprintln!("over 1.3 s: {over} of {}", times.len());
            eprintln!(
                "{from}..{to}, ends {ends:?}: learnt {wrong}, late: median {:?}, 99 % {:?}, all but one in a thousand {:?}, all {:?}",
                share(500),
                share(990),
                share(999),
                share(1000)
            );
            assert_eq!(wrong, 0, "{from}..{to} {ends:?}");
            assert!(share(500) <= ms(250) && share(990) <= ms(1_300), "{from}..{to} {ends:?}");
        }
    }
}

#[test]
fn a_tool_that_answers_each_save_is_not_learnt() {
    for (after, jitter) in
        [(50, 5), (120, 20), (150, 10), (150, 30), (300, 15), (800, 10), (2_000, 30)]
    {
        for ends in [None, Some(400)] {
            let mut wrong = 0;
            for seed in 0..1_000 / 4 {
                let mut world =
                    World::new(seed, move |run| ends.into_iter().for_each(|end| run.ends(end)));
                world.reaction = Box::new(move |_, random| {
                    let at = after as f64 + jitter as f64 * (2.0 * random.part() - 1.0);
                    vec![(Duration::from_secs_f64(at / 1000.0), "css".to_owned())]
                });
                let mut at = 3_000;
                while at < 200_000 {
                    world.save(ms(at), "src");
                    at += 1_500 + (world.random.part() * 7_500.0) as u64;
                }
                wrong += usize::from(learns(&mut world, 220).0);
            }
            eprintln!(
                "{after} ± {jitter} ms after each save, ends {ends:?}: learnt in {wrong} of 250"
            );
            assert_eq!(wrong, 0, "{after} ± {jitter}, {ends:?}");
        }
    }
}
