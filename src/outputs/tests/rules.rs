//! Each rule by itself, and random scripts.

use std::path::Path;
use std::time::{Duration, Instant};

use super::world::{World, ms, path};
use crate::model::{Batch, BatchChange, ChangeKind, Made, RunId};
use crate::outputs::{Finding, Outputs, Start};

fn made(name: &str) -> Made {
    Made::Path(path(name))
}

/// The room by itself, with the shell's part played by the test.
struct Script {
    outputs: Outputs,
    now: Instant,
    runs: u64,
}

impl Script {
    fn new() -> Script {
        let mut script = Script { outputs: Outputs::new(7), now: Instant::now(), runs: 0 };
        script.start(Start::First);
        script
    }

    fn start(&mut self, start: Start) {
        self.runs += 1;
        self.outputs.started(RunId(self.runs), start, self.now);
    }

    fn end(&mut self) {
        self.outputs.gone(RunId(self.runs), self.now);
    }

    fn change(&mut self, name: &str) -> bool {
        let lives = self.outputs.over().is_none();
        self.outputs.note((&path(name), ChangeKind::Closed), self.now, lives, self.now)
    }

    /// By how much the start for a change of now is put off.
    fn wait(&mut self, name: &str) -> Duration {
        let changes = vec![BatchChange { path: path(name), kind: ChangeKind::Closed }];
        let (first, last) = (self.now, self.now);
        let batch = Batch { changes, first, last, forced: false, noisy: None };
        self.outputs.plan(&batch, self.now).saturating_duration_since(self.now)
    }

    /// Something changes so long after the start, and the run that it causes starts. How long that waited.
    fn run(&mut self, after: u64, name: &str) -> Duration {
        self.now += ms(after);
        assert!(self.change(name));
        let wait = self.wait(name);
        self.now += wait;
        if !wait.is_zero() {
            assert_eq!(self.wait(name), Duration::ZERO, "it is due by then");
        }
        self.start(Start::Changes);
        wait
    }
}

#[test]
fn from_the_fourth_run_of_a_row_on_starts_are_a_second_apart() {
    let mut script = Script::new();
    for (number, name) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        let wait = script.run(400, name);
        match number + 2 {
            2 | 3 => assert_eq!(wait, Duration::ZERO, "run {}", number + 2),
            run => assert!((ms(600)..=ms(1_100)).contains(&wait), "run {run}: {wait:?}"),
        }
    }
    // Nothing is slowed that comes no faster than that.
    assert_eq!(script.run(2_000, "g"), Duration::ZERO);
}

#[test]
fn a_change_while_no_run_lives_ends_the_row_and_takes_everything_along() {
    let mut script = Script::new();
    for name in ["a", "b", "c"] {
        script.run(100, name);
    }
    script.now += ms(100);
    assert!(script.change("d"));
    assert!(script.wait("d") > ms(500));
    script.end();
    script.now += ms(300);
    assert!(script.change("person"));
    assert_eq!(script.wait("person"), Duration::ZERO);
    script.start(Start::Changes);
    assert_eq!(script.run(100, "e"), Duration::ZERO, "a new row");
}

#[test]
fn a_request_ends_the_row() {
    let mut script = Script::new();
    for name in ["a", "b", "c", "d"] {
        script.run(100, name);
    }
    script.now += ms(100);
    assert!(script.change("e"));
    assert!(script.wait("e") > ms(500));
    script.outputs.request();
    script.start(Start::Changes);
    assert_eq!(script.run(100, "f"), Duration::ZERO, "a new row");
}

#[test]
fn what_came_to_nothing_leaves_no_trace_in_the_plan() {
    let mut script = Script::new();
    script.end();
    script.now += ms(500);
    assert!(script.change("a"));
    script.wait("a");
    script.outputs.cancel();
    script.start(Start::Other);
    for (name, waits) in [("b", false), ("c", false), ("d", true)] {
        assert_eq!(!script.run(50, name).is_zero(), waits, "{name}");
    }
}

/// A command that writes `gen` 105 ms after its start from `src`, and has been found out.
fn learnt(seed: u64, ends: bool) -> World {
    let mut world = World::new(seed, move |run| {
        let text = run.file("src");
        if run.number < 100 {
            run.writes(105, 3, "gen", text);
        }
        if ends {
            run.ends(130);
        }
    });
    for number in 0..6 {
        world.save(ms(4_000 + 4_000 * number), "src");
    }
    world.go(ms(28_000));
    assert_eq!(world.learnt().len(), 1, "{:?}", world.findings);
    world
}

fn released(world: &World) -> usize {
    world.count(|finding| *finding == Finding::Released(made("gen")))
}

#[test]
fn what_began_a_run_from_rest_is_a_source_and_not_tried() {
    // Somebody saves at the very moment after the end of each run.
    let mut world = World::new(3, |run| run.ends(100));
    for number in 0..30 {
        world.save(ms(5_000 + 4_000 * number), "src");
    }
    world.go(ms(125_000));
    assert_eq!(world.count(|finding| matches!(finding, Finding::Trial { .. })), 0);
    assert!(world.learnt().is_empty());
}

#[test]
fn an_output_that_a_person_edits_from_rest_stays_one_if_the_run_makes_it_again() {
    let mut world = learnt(3, true);
    let runs = world.runs.len();
    world.save(ms(29_000), "gen");
    world.save(ms(32_000), "src");
    world.go(ms(35_000));
    assert_eq!((world.runs.len(), released(&world)), (runs + 2, 0));
}

#[test]
fn an_output_that_begins_a_run_which_does_not_make_it_is_a_source() {
    let mut world = World::new(4, |run| {
        let text = run.number;
        if run.number < 7 {
            run.writes(50, 2, "gen", text);
        }
        run.ends(80);
    });
    world.go(ms(20_000));
    assert_eq!(world.learnt().len(), 1);
    let mut at = 20_000;
    while world.runs.len() < 7 {
        world.save(ms(at), "src");
        at += 3_000;
        world.go(ms(at));
    }
    world.save(ms(at), "gen");
    world.save(ms(at + 3_000), "src");
    world.go(ms(at + 6_000));
    assert_eq!(released(&world), 1);
}

#[test]
fn an_edit_of_an_output_at_another_moment_counts() {
    let mut world = learnt(4, false);
    let runs = world.runs.len();
    world.save(ms(30_000), "gen");
    world.go(ms(31_000));
    assert_eq!(world.runs.len(), runs + 1);
}

#[test]
fn what_a_person_releases_counts_and_is_not_tried_for_a_while() {
    let mut world = learnt(5, false);
    world.save(ms(28_500), "src");
    world.go(ms(30_000));
    let missed = world.outputs.release(|_| true);
    assert_eq!(missed, [path("gen")], "it came along, and no run was told of it yet");
    for number in 0..10 {
        world.save(ms(31_000 + 4_000 * number), "src");
    }
    world.go(ms(71_000));
    assert_eq!((released(&world), world.learnt().len()), (1, 1));
}

#[test]
fn what_does_not_recur_in_eight_runs_is_forgotten() {
    let mut world = World::new(6, |run| {
        let text = run.number;
        if run.number < 7 {
            run.writes(50, 2, "gen", text);
        }
    });
    world.go(ms(20_000));
    assert_eq!(world.learnt().len(), 1);
    let runs = world.runs.len() as u64;
    assert!(runs < 7, "{runs}");
    for number in 0..14 {
        world.save(ms(20_000 + 3_000 * number), "src");
    }
    world.go(ms(70_000));
    assert_eq!(released(&world), 1);
}

#[test]
fn another_command_is_another_matter() {
    let mut world = learnt(8, false);
    world.outputs.forget();
    assert!(world.outputs.known_outputs().is_empty());
}

#[test]
fn a_rule_that_ignores_an_output_needs_no_word_of_it() {
    let mut world = learnt(9, false);
    world.outputs.drop_output(&made("gen"));
    assert!(world.outputs.known_outputs().is_empty());
}

#[test]
fn what_comes_at_its_moment_goes_along_with_the_next_run() {
    let mut world = learnt(10, false);
    let taken = world.outputs.taken();
    world.save(ms(28_500), "src");
    world.go(ms(30_000));
    assert_eq!(world.outputs.taken(), taken + 1);
    let told = world.outputs.started(RunId(99), Start::Other, Instant::now());
    assert_eq!(told, [path("gen")]);
}

#[test]
fn one_start_in_about_ten_is_put_off_when_everything_is_certain() {
    let mut world = learnt(11, false);
    let late = |world: &World| {
        let times =
            world.saves.iter().filter_map(|(at, run)| Some(run.as_ref()?.saturating_sub(*at)));
        times.filter(|late| *late >= ms(60)).count()
    };
    let before = late(&world);
    for number in 0..60 {
        world.save(ms(28_000 + 4_000 * number), "src");
    }
    world.go(ms(28_000 + 240_000));
    let doubts = late(&world) - before;
    assert!((4..=12).contains(&doubts), "{doubts} of 60");
    assert_eq!(released(&world), 0);
}

#[test]
fn a_hint_is_given_after_three_reloads_of_another_cause() {
    let mut world = World::new(12, |run| {
        if run.file("gen") != run.file("src") {
            let text = run.file("src");
            // It varies too much to be learnt.
            run.writes(300, 80, "gen", text);
        }
    });
    for number in 0..8 {
        world.save(ms(4_000 + 4_000 * number), "src");
    }
    world.go(ms(40_000));
    let hints = world.count(|it| matches!(it, Finding::Hint { made: of, runs } if *of == made("gen") && runs.len() == 3));
    assert_eq!(hints, 1, "{:?}", world.findings);
}

#[test]
fn two_names_are_no_family_yet() {
    let mut world = World::new(13, |run| {
        let text = run.number;
        if run.number < 3 {
            run.writes(8, 2, &format!("report-{}.json", 1_700_000_000_000 + run.number), text);
        }
    });
    world.go(ms(20_000));
    assert!(world.learnt().is_empty());
}

#[test]
fn the_proposed_pattern_means_nothing_else_that_exists() {
    use std::ffi::OsStr;
    let family = super::super::family_of(
        Path::new("/tree/report-1700000000123.json"),
        Path::new("/tree/report-1700000001456.json"),
    )
    .expect("a family");
    for (others, part) in [
        (&["report-1700000000123.json", "a.go"][..], Some("*")),
        (&["report-template.json"], Some("[0-9]*")),
        (&["report-template.json", "report-1.json"], None),
        (&["report-.json"], Some("[0-9]*")),
        (&["report-template.json", "report-a00000.json"], Some("[0-9a-f]*")),
        (&["report-all.json", "report-a00000.json"], None),
    ] {
        assert_eq!(
            super::super::part_for(&family, others.iter().map(OsStr::new)),
            part,
            "{others:?}"
        );
    }
}

/// Random scripts: what is tied to the save is learnt in at most one of a thousand, and then not for long.
#[test]
fn what_is_tied_to_the_save_is_learnt_in_at_most_one_of_a_thousand_scripts() {
    let mut wrong = 0;
    for seed in 0..1_000 {
        let mut random = crate::outputs::random::Random(seed * 977 + 5);
        let own = 20 + random.between(0..900);
        let ends = (random.part() < 0.5).then(|| own + 10 + random.between(0..1_500));
        let changes = random.part() < 0.5;
        let mut world = World::new(seed, move |run| {
            let text = if changes { run.number } else { run.file("src") };
            run.writes(own, 4, "gen", text);
            ends.into_iter().for_each(|end| run.ends(end));
        });
        // As long after the save as the run's own change comes after the start, or at another time.
        let tool = if random.part() < 0.5 { own } else { 30 + random.between(0..1_500) };
        let jitter = random.between(0..15);
        world.reaction = Box::new(move |_, random| {
            let at = tool as f64 + jitter as f64 * (2.0 * random.part() - 1.0);
            vec![(Duration::from_secs_f64(at.max(1.0) / 1000.0), "css".to_owned())]
        });
        let mut at = 8_000;
        for _ in 0..30 {
            world.save(ms(at), "src");
            at += 2_500 + random.between(0..6_000);
        }
        world.go(ms(at));
        wrong += usize::from(world.learnt().iter().any(|(_, name)| name == "css"));
    }
    eprintln!("learnt in {wrong} of 1,000");
    assert!(wrong <= 1, "{wrong}");
}

/// The run stops writing a file that a tool outside goes on to write, so long after the save as the run did after its
/// start.
#[test]
fn what_moves_into_a_learnt_moment_is_found_out_within_twenty_runs() {
    let mut longest = 0;
    for seed in 0..200 {
        let mut world = World::new(seed, |run| {
            if run.number <= 10 {
                let text = run.number;
                run.writes(105, 3, "gen", text);
            }
        });
        for number in 0..10 {
            world.save(ms(5_000 + 4_000 * number), "src");
        }
        world.go(ms(45_000));
        assert_eq!(world.learnt().len(), 1, "seed {seed}");
        let before = world.runs.len();
        world.reaction = Box::new(|_, random| {
            vec![(Duration::from_secs_f64(0.103 + 0.004 * random.part()), "gen".to_owned())]
        });
        for number in 0..25 {
            world.save(ms(45_000 + 4_000 * number), "src");
        }
        let mut at = 45_000;
        while released(&world) == 0 {
            at += 1_000;
            world.go(ms(at));
            assert!(at < 45_000 + 100_000, "seed {seed}: {} runs", world.runs.len() - before);
        }
        longest = longest.max(world.runs.len() - before);
    }
    eprintln!("found out after at most {longest} runs");
    assert!(longest <= 20, "{longest}");
}
