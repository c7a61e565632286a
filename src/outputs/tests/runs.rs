//! Commands that write: how many runs too many, and what is said.

use super::world::{Run, World, ms};
use crate::outputs::Finding;

const SEEDS: u64 = 100;

/// Twelve saves, four seconds apart, from twenty seconds after the start on. The runs before the first of them, and
/// after each.
fn twelve_saves(world: &mut World) -> (usize, Vec<usize>) {
    let saves: Vec<u64> = (0..12).map(|n| 20_000 + 4_000 * n).collect();
    for at in &saves {
        world.save(ms(*at), "src");
    }
    world.go(ms(68_000));
    let after = |at: &u64| world.runs_between(ms(*at), ms(*at + 4_000));
    (world.runs_between(ms(0), ms(20_000)), saves.iter().map(after).collect())
}

type Command = fn(&mut Run<'_>);

/// (name, the command, `on_busy: queue`, at most so many runs too many in all)
const COMMANDS: &[(&str, Command, bool, usize)] = &[
    (
        "templ, server",
        |run| {
            if run.file("gen") != run.file("src") {
                let text = run.file("src");
                run.writes(105, 4, "gen", text);
            }
        },
        false,
        5,
    ),
    (
        "sass, server",
        |run| {
            let text = run.file("src");
            run.writes(105, 4, "gen", text);
        },
        false,
        5,
    ),
    (
        "snapshot, ends",
        |run| {
            let text = run.file("src");
            run.writes(105, 4, "gen", text);
            run.ends(130);
        },
        false,
        5,
    ),
    (
        "date > out",
        |run| {
            let text = run.number;
            run.writes(6, 2, "out", text);
            run.ends(12);
        },
        false,
        5,
    ),
    (
        "clean build, server",
        |run| {
            run.removes(2, "dist");
            run.writes(300, 8, "dist", 7);
        },
        false,
        6,
    ),
    (
        "clean build, ends",
        |run| {
            run.removes(2, "dist");
            run.writes(300, 8, "dist", 7);
            run.ends(310);
        },
        false,
        6,
    ),
    (
        "clean build, queue",
        |run| {
            run.removes(2, "dist");
            run.writes(300, 8, "dist", 7);
            run.ends(310);
        },
        true,
        6,
    ),
    (
        "protoc",
        |run| {
            for part in 1..=3 {
                run.removes(2, &format!("m{part}"));
                run.writes(100 * part, 6, &format!("m{part}"), part);
            }
            run.ends(320);
        },
        false,
        8,
    ),
    (
        "five files with a date",
        |run| {
            for part in 1..=5 {
                let text = run.number;
                run.writes(200 * part, 6, &format!("g{part}"), text);
            }
        },
        false,
        8,
    ),
    (
        "thirty at once",
        |run| {
            for part in 1..=30 {
                let text = run.number;
                run.writes(30, 5, &format!("g{part}"), text);
            }
            run.ends(40);
        },
        false,
        5,
    ),
    (
        "a new name each time",
        |run| {
            let text = run.number;
            run.writes(
                8,
                2,
                &format!("report-{}.json", 1_700_000_000_000 + run.number * 977),
                text,
            );
            run.ends(15);
        },
        false,
        6,
    ),
    (
        "a new name, the old one removed",
        |run| {
            let old: Vec<String> =
                run.files.keys().filter(|name| name.starts_with("app.")).cloned().collect();
            for name in old {
                run.removes(10, &name);
            }
            let text = run.number;
            run.writes(
                60,
                4,
                &format!("app.{:08x}.js", 0xa000_0000_u64 + run.number * 48_271),
                text,
            );
        },
        false,
        7,
    ),
    (
        "a server that writes after 1.5 s",
        |run| {
            let text = run.number;
            run.writes(1_500, 8, "state", text);
        },
        false,
        6,
    ),
    (
        "a daemon outside the run",
        |run| {
            let text = run.number;
            run.writes(500, 8, "built", text);
        },
        false,
        6,
    ),
];

#[test]
fn what_a_run_makes_is_learnt_and_one_save_is_one_run() {
    for (name, command, queues, most) in COMMANDS {
        let mut worst = 0;
        for seed in 0..SEEDS {
            let mut world = World::new(seed, command);
            world.queues = *queues;
            let (before, after) = twelve_saves(&mut world);
            let too_many =
                before - 1 + after.iter().map(|runs| runs.saturating_sub(1)).sum::<usize>();
            assert!(after.iter().all(|runs| *runs >= 1), "{name}, seed {seed}: {after:?}");
            let last = &after[6..];
            assert!(
                last.iter().all(|runs| *runs == 1),
                "{name}, seed {seed}: {before} {after:?} {:?}",
                world.findings
            );
            assert!(!world.learnt().is_empty(), "{name}, seed {seed}");
            worst = worst.max(too_many);
        }
        eprintln!("{name}: at most {worst} runs too many");
        assert!(worst <= *most, "{name}: {worst}");
    }
}

#[test]
fn a_command_whose_moments_vary_is_slowed() {
    let commands: [(&str, Command); 3] = [
        ("jitter of 60 ms", |run| {
            let text = run.number;
            run.writes(300, 60, "out", text);
            run.ends(500);
        }),
        ("varies by half", |run| {
            let text = run.number;
            run.writes(300, 95, "out", text);
            run.ends(460);
        }),
        ("a server that varies", |run| {
            let text = run.number;
            run.writes(400, 130, "out", text);
        }),
    ];
    for (name, command) in commands {
        let mut late = 0;
        for seed in 0..SEEDS {
            let mut world = World::new(seed, command);
            world.go(ms(120_000));
            // Where a chance has it learnt, the better.
            let quiet =
                (0..=110).find(|n| world.runs_between(ms(n * 1000), ms(n * 1000 + 10_000)) <= 4);
            let quiet = quiet.expect("a quiet time");
            let before = world.runs_between(ms(0), ms(quiet * 1000));
            late += usize::from(before > 9);
            let end = world.runs_between(ms(90_000), ms(120_000));
            assert!(
                end <= 4,
                "{name}, seed {seed}: {end} in the last half minute: {:?}",
                world.runs
            );
            let told = world.count(|it| matches!(it, Finding::Cooling { .. } | Finding::Learnt(_)));
            assert!(told >= 1, "{name}, seed {seed}: {:?}", world.findings);
        }
        eprintln!("{name}: over 9 runs before it is slow in {late} of {SEEDS}");
        assert!(late * 20 <= SEEDS as usize, "{name}: {late}");
    }
}
