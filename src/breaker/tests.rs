//! Scripts in virtual time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Breaker, Follow, Guilt, Judgement, Times};
use crate::process::{LeftOver, Opener};
use crate::supervisor::RunId;

/// A breaker, its clock and its runs.
struct Script {
    breaker: Breaker,
    start: Instant,
    now: Instant,
    runs: u64,
}

fn path(name: &str) -> Arc<Path> {
    Arc::from(Path::new("/p").join(name))
}

fn sh() -> LeftOver {
    LeftOver { pid: 42, name: "sh".into() }
}

impl Script {
    fn new() -> Self {
        let now = tokio::time::Instant::now().into_std();
        let mut script = Self { breaker: Breaker::default(), start: now, now, runs: 0 };
        script.run(&[]);
        script
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// A run starts; the names that the process room is to look after.
    fn run(&mut self, causes: &[&str]) -> Vec<String> {
        self.runs += 1;
        self.start = self.now;
        let causes: Vec<_> = causes.iter().map(|name| path(name)).collect();
        let follows = self.breaker.run_started(RunId(self.runs), &causes, self.now);
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let suspects = follows.iter().filter(|follow| follow.suspected);
        let mut names: Vec<_> = suspects.map(|follow| name(&follow.path)).collect();
        names.sort();
        names
    }

    fn judge(&mut self, name: &str, same: bool) -> Judgement {
        let now = self.now;
        let times = Times { first: now, last: now, forced: false, now };
        self.breaker.judge(&path(name), times, same)
    }

    /// It is written so long after the start, by whomever, and causes a run unless it is held back.
    fn written(&mut self, name: &str, after: u64, opener: Option<Opener>) -> Judgement {
        self.now = self.start + Duration::from_millis(after);
        if let Some(opener) = opener {
            self.breaker.testify(&path(name), opener);
        }
        let judgement = self.judge(name, false);
        // What is in doubt counts too, a little later.
        if matches!(judgement, Judgement::Innocent | Judgement::Doubtful { .. }) {
            self.breaker.hand_over(self.now);
            self.run(&[name]);
        }
        judgement
    }

    fn by_run(&mut self, name: &str, after: u64) -> Judgement {
        self.written(name, after, Some(Opener::Run(sh())))
    }

    /// Convicts a file in the third run.
    fn convicted(name: &str) -> Self {
        let mut script = Self::new();
        assert_eq!(script.by_run(name, 5), Judgement::Innocent);
        assert_eq!(script.by_run(name, 5), Judgement::Innocent);
        assert!(matches!(script.by_run(name, 5), Judgement::Guilty(_)));
        script
    }

    fn end(&mut self, success: bool) {
        self.breaker.ended(RunId(self.runs), success, self.now);
        self.breaker.gone(RunId(self.runs), self.now);
    }

    fn released(&mut self) -> usize {
        self.breaker.tick(self.now).len()
    }
}

#[test]
fn two_runs_in_a_row_and_a_process_of_the_second_convict() {
    let mut script = Script::new();
    assert!(!script.breaker.suspects_any());
    assert_eq!(script.by_run("gen", 5), Judgement::Innocent);
    assert!(!script.breaker.suspects_any(), "once is no row");
    assert_eq!(script.by_run("gen", 700), Judgement::Innocent);
    assert!(script.breaker.is_suspected(&path("gen")));
    let caused = vec![RunId(2), RunId(3)];
    let guilt = Guilt { run: RunId(3), process: Some(sh()), caused };
    assert_eq!(script.by_run("gen", 900), Judgement::Guilty(guilt));
    assert!(script.breaker.convicted(&path("gen")));
    assert!(script.breaker.drops(&path("gen")) && !script.breaker.drops(&path("a")));
    assert!(script.breaker.drops(&path("gen.tmp")) && !script.breaker.drops(&path("b/gen.tmp")));
}

#[test]
fn seen_in_two_runs_in_a_row_it_needs_no_clock() {
    let mut script = Script::new();
    assert_eq!(script.by_run("gen", 5), Judgement::Innocent);
    assert_eq!(script.written("gen", 5, None), Judgement::Innocent);
    // A starved machine: the moments have nothing to do with each other.
    assert_eq!(script.by_run("gen", 900), Judgement::Innocent);
    assert!(matches!(script.by_run("gen", 5), Judgement::Guilty(_)));
    // A person between the two was seen, or at least no process of the run was.
    for person in [Some(Opener::Outside), Some(Opener::Unclear), None] {
        let mut script = Script::new();
        script.by_run("a.rs", 5);
        script.written("a.rs", 5, None);
        assert_eq!(script.by_run("a.rs", 900), Judgement::Innocent);
        assert_eq!(script.written("a.rs", 5, person), Judgement::Innocent);
        assert_eq!(script.by_run("a.rs", 2_000), Judgement::Innocent);
    }
}

#[test]
fn seen_in_the_run_before_it_needs_only_the_same_moment() {
    for (after, guilty) in [(5, false), (640, false), (690, true), (750, true), (800, false)] {
        let mut script = Script::new();
        assert_eq!(script.written("gen", 5, None), Judgement::Innocent);
        assert_eq!(script.by_run("gen", 700), Judgement::Innocent);
        let judgement = script.written("gen", after, None);
        assert_eq!(matches!(judgement, Judgement::Guilty(_)), guilty, "{after} ms: {judgement:?}");
    }
    let mut script = Script::new();
    script.written("a.rs", 5, None);
    script.by_run("a.rs", 700);
    assert_eq!(script.written("a.rs", 700, Some(Opener::Outside)), Judgement::Innocent);
}

#[test]
fn what_is_written_soon_after_a_start_is_looked_for_from_the_next_run_on() {
    for (after, soon) in [(1_900, true), (2_100, false)] {
        let mut script = Script::new();
        script.pass(after);
        script.breaker.hand_over(script.now);
        let follows = script.breaker.run_started(RunId(9), &[path("gen")], script.now);
        let expected = Some(Duration::from_millis(after));
        let follow = Follow { path: path("gen"), expected, suspected: false };
        assert_eq!(follows, if soon { vec![follow] } else { vec![] });
    }
}

#[test]
fn without_evidence_nobody_is_convicted() {
    let mut script = Script::new();
    for number in 0..100 {
        let judgement = script.written("a", 5, None);
        let doubtful = matches!(judgement, Judgement::Doubtful { .. });
        assert_eq!((doubtful, judgement == Judgement::Innocent), (number >= 2, number < 2));
    }
}

/// Two runs that a file has caused at this moment of the run before, and a third that goes on.
fn third_run(after: u64) -> Script {
    let mut script = Script::new();
    assert_eq!(script.written("gen", after, None), Judgement::Innocent);
    assert_eq!(script.written("gen", after, None), Judgement::Innocent);
    script.now = script.start + Duration::from_millis(after);
    script
}

impl Script {
    /// For how long, from the start of the run on, `gen` is in doubt that changed from `first` to `last`.
    fn doubt(&mut self, first: u64, last: u64) -> Option<u64> {
        let at = |milliseconds| self.start + Duration::from_millis(milliseconds);
        let (first, last) = (at(first), at(last));
        let times = Times { first, last, forced: false, now: self.now };
        match self.breaker.judge(&path("gen"), times, false) {
            Judgement::Doubtful { until } => {
                Some(u64::try_from(until.duration_since(self.start).as_millis()).unwrap())
            }
            judgement => {
                assert_eq!(judgement, Judgement::Innocent);
                None
            }
        }
    }
}

#[test]
fn the_same_moment_of_three_runs_is_doubtful_while_the_run_lives() {
    for after in [0, 20, 900, 5_000] {
        assert_eq!(third_run(after).doubt(after, after), Some(after + 100));
    }
    for wrong in [849, 951] {
        assert_eq!(third_run(900).doubt(wrong, wrong), None, "{wrong} ms");
    }
    // Who waits for the end of the run and saves then keeps time, too.
    let mut script = third_run(900);
    script.breaker.ended(RunId(script.runs), true, script.now - Duration::from_millis(1));
    assert_eq!(script.doubt(900, 900), None);
    // Neither is it known when each of the paths changed if the batch went on after the run …
    let mut script = third_run(900);
    script.breaker.ended(RunId(script.runs), true, script.now);
    assert_eq!(script.doubt(900, 901), None);
    // … or goes on still.
    let script = &mut third_run(900);
    let times = Times { first: script.now, last: script.now, forced: true, now: script.now };
    assert_eq!(script.breaker.judge(&path("gen"), times, false), Judgement::Innocent);
    // Whoever was seen is no matter of doubt.
    let mut script = third_run(900);
    script.breaker.testify(&path("gen"), Opener::Outside);
    assert_eq!(script.doubt(900, 900), None);
}

#[test]
fn doubt_has_patience_with_a_run_that_ends() {
    let mut script = third_run(20);
    assert_eq!(script.doubt(20, 20), Some(120));
    script.pass(60);
    assert_eq!(script.doubt(20, 80), Some(120), "as long as it runs, it may be the run");
    let run = RunId(script.runs);
    script.breaker.ended(run, true, script.now);
    script.breaker.gone(run, script.now);
    script.pass(40);
    assert_eq!(script.doubt(20, 80), Some(10_000));
    assert_eq!(script.doubt(20, 81), None, "nothing of the run lives: somebody else");
    script.pass(9_879);
    assert_eq!(script.doubt(20, 80), Some(10_000));
    script.pass(1);
    assert_eq!(script.doubt(20, 80), None);
}

#[test]
fn doubt_is_over_soon_when_the_run_goes_on() {
    let mut script = third_run(20);
    assert_eq!(script.doubt(20, 20), Some(120));
    script.pass(100);
    assert_eq!(script.doubt(20, 20), None);
}

#[test]
fn a_file_inherits_what_is_known_of_its_temporary() {
    let mut script = Script::new();
    script.breaker.hand_over(script.now);
    script.run(&["gen.txt.tmp"]);
    script.breaker.hand_over(script.now);
    assert_eq!(script.run(&["gen.txt.tmp", "gen.txt"]), ["gen.txt", "gen.txt.tmp"]);
    assert_eq!(script.judge("gen.txt", false), Judgement::Innocent);
    script.breaker.testify(&path("gen.txt"), Opener::Run(sh()));
    script.breaker.bequeath(&path("gen.txt.tmp"), &path("gen.txt"));
    let Judgement::Guilty(guilt) = script.judge("gen.txt", false) else { panic!("innocent") };
    assert_eq!((guilt.caused, guilt.process), (vec![RunId(2), RunId(3)], Some(sh())));
    assert_eq!(script.judge("gen.txt.tmp", false), Judgement::Innocent);
}

#[test]
fn what_a_run_makes_for_a_convicted_file_is_no_change_by_itself() {
    let mut script = Script::convicted("gen.txt");
    // Neither the name alone nor the rename of what was there before is enough.
    script.breaker.renamed(path("a.go"), path("gen.txt"));
    for name in ["gen.txt.tmp", "x", "a.go"] {
        assert!(!script.breaker.was_made_for_convicted(&path(name)), "{name}");
    }
    for name in ["gen.txt.tmp", "x", "y"] {
        script.breaker.made(&path(name));
    }
    script.breaker.renamed(path("x"), path("gen.txt"));
    for (name, temporary) in [("gen.txt.tmp", true), ("x", true), ("y", false), ("a.go", false)] {
        assert_eq!(script.breaker.was_made_for_convicted(&path(name)), temporary, "{name}");
    }
    script.run(&[]);
    assert!(!script.breaker.was_made_for_convicted(&path("x")));
}

#[test]
fn a_row_goes_on_under_the_name_that_it_was_renamed_to() {
    let mut script = Script::new();
    script.breaker.hand_over(script.now);
    script.run(&["x"]);
    script.breaker.renamed(path("x"), path("gen.txt"));
    script.breaker.hand_over(script.now);
    assert_eq!(script.run(&["x", "gen.txt"]), ["gen.txt", "x"]);
    assert!(script.breaker.is_suspected(&path("gen.txt")));
    assert!(!script.breaker.is_suspected(&path("x")));
    // A backup is another file: the row goes on under the old name.
    script.breaker.renamed(path("gen.txt"), path("gen.old"));
    script.breaker.renamed(path("new"), path("gen.txt"));
    script.breaker.hand_over(script.now);
    script.run(&["gen.txt", "gen.old"]);
    assert!(script.breaker.is_suspected(&path("gen.txt")));
    assert!(!script.breaker.is_suspected(&path("gen.old")));
    script.breaker.renamed(path("gen.txt"), path("other"));
    script.run(&["gen.txt"]);
    assert!(!script.breaker.is_suspected(&path("gen.txt")));
}

#[test]
fn a_writer_from_outside_acquits() {
    let mut script = Script::new();
    for number in 0..100 {
        let opener = (number % 2 == 1).then_some(Opener::Outside);
        assert_eq!(script.written("a", 5, opener), Judgement::Innocent, "save {number}");
    }
    // The row begins anew.
    script.written("a", 5, Some(Opener::Outside));
    assert!(!script.breaker.is_suspected(&path("a")));
    assert_eq!(script.by_run("a", 5), Judgement::Innocent);
    assert!(matches!(script.by_run("a", 5), Judgement::Guilty(_)));
}

#[test]
fn where_nothing_can_be_seen_the_same_moment_of_three_runs_convicts() {
    for (offsets, guilty) in [
        ([200, 200, 200], true),
        ([200, 249, 201], true),
        ([200, 230, 260], false),
        ([200, 200, 251], false),
        ([200, 900, 200], false),
    ] {
        let mut script = Script::new();
        let [first, second, third] = offsets;
        assert_eq!(script.written("gen", first, None), Judgement::Innocent);
        assert_eq!(script.written("gen", second, Some(Opener::Unseen)), Judgement::Innocent);
        let judgement = script.written("gen", third, Some(Opener::Unseen));
        assert_eq!(matches!(judgement, Judgement::Guilty(_)), guilty, "{offsets:?}");
    }
}

#[test]
fn a_write_after_the_run_is_not_its_own() {
    for (later, guilty) in [(0, true), (250, true), (251, false)] {
        let mut script = Script::new();
        script.by_run("gen", later + 10);
        script.by_run("gen", later + 10);
        script.pass(10);
        script.end(true);
        script.pass(later);
        script.breaker.testify(&path("gen"), Opener::Run(sh()));
        let judgement = script.judge("gen", false);
        assert_eq!(matches!(judgement, Judgement::Guilty(_)), guilty, "{later} ms");
    }
}

#[test]
fn a_formatter_that_puts_right_what_a_person_saved_is_no_loop() {
    // A server runs: the person saves after some seconds, and what it runs rewrites the file at once.
    for later in [500, 5000, 60_000] {
        let mut script = Script::new();
        for _ in 0..10 {
            assert_eq!(script.written("a", later, None), Judgement::Innocent);
            assert_eq!(script.written("a", later, None), Judgement::Innocent);
            assert_eq!(script.by_run("a", 10), Judgement::Innocent, "{later}");
            script.breaker.testify(&path("a"), Opener::Run(sh()));
            assert_eq!(script.judge("a", true), Judgement::Same);
        }
    }
    // A quick command: it was gone when the person saved.
    let mut script = Script::new();
    for _ in 0..10 {
        script.pass(10);
        script.end(true);
        assert_eq!(script.written("a", 3000, None), Judgement::Innocent);
        assert!(!script.breaker.suspects_any());
    }
}

#[test]
fn the_same_bytes_are_nothing_and_end_the_row() {
    let mut script = Script::new();
    script.by_run("a", 5);
    script.by_run("a", 5);
    script.breaker.testify(&path("a"), Opener::Run(sh()));
    assert_eq!(script.judge("a", true), Judgement::Same);
    // A person saves, the formatter makes something else of it: again and again.
    for round in 0..10 {
        assert_eq!(script.written("a", 500, None), Judgement::Innocent, "{round}");
        assert_eq!(script.by_run("a", 5), Judgement::Innocent, "{round}");
        script.breaker.testify(&path("a"), Opener::Run(sh()));
        assert_eq!(script.judge("a", true), Judgement::Same, "{round}");
    }
}

#[test]
fn what_runs_rewrite_with_the_same_bytes_is_remembered_for_a_while() {
    let mut script = Script::new();
    script.run(&["a"]);
    script.run(&["a"]);
    assert_eq!(script.judge("a", true), Judgement::Same);
    for run in 0..15 {
        assert_eq!(script.run(&["b"]), if run == 0 { vec!["a"] } else { vec!["a", "b"] });
    }
    assert_eq!(script.run(&["b"]), ["b"]);
}

#[test]
fn a_run_that_was_caught_is_caught_with_its_other_files() {
    let mut script = Script::convicted("gen1");
    script.breaker.testify(&path("gen2"), Opener::Run(sh()));
    assert!(matches!(script.judge("gen2", false), Judgement::Guilty(_)));
    assert_eq!(script.judge("gen3", false), Judgement::Innocent, "nobody was seen");
    // All that caused the third run together is looked after in it.
    let mut script = Script::new();
    assert!(script.run(&["gen1"]).is_empty());
    assert_eq!(script.run(&["gen1", "gen2"]), ["gen1", "gen2"]);
}

#[test]
fn a_run_of_another_cause_releases_what_it_does_not_write() {
    // (it writes, it ends well, how long it takes, how long until the release)
    for (writes, success, takes, released) in [
        (false, Some(true), 5, Some(1000)),
        (false, Some(true), 3000, Some(1000)),
        (true, Some(true), 5, None),
        (false, Some(false), 5, None),
        (false, None, 5, Some(1005)),
    ] {
        let mut script = Script::convicted("gen");
        script.pass(5000);
        assert_eq!(script.breaker.deadline(), None, "its own run releases nothing");
        script.run(&["a"]);
        if writes {
            assert!(script.breaker.drops(&path("gen")));
        }
        script.pass(takes);
        if let Some(success) = success {
            script.end(success);
        }
        let due = released.map(|later| script.now + Duration::from_millis(later));
        assert_eq!(script.breaker.deadline(), due, "{writes} {success:?} {takes}");
        script.pass(999);
        assert_eq!(script.released(), 0);
        script.pass(100_000);
        assert_eq!(script.released(), usize::from(released.is_some()));
        assert_eq!(script.breaker.convicted(&path("gen")), released.is_none());
    }
}

#[test]
fn a_run_that_is_cut_short_releases_nothing() {
    let mut script = Script::convicted("gen");
    script.run(&["a"]);
    script.pass(1);
    script.breaker.gone(RunId(script.runs), script.now);
    script.pass(10_000);
    assert_eq!((script.breaker.deadline(), script.released()), (None, 0));
}

#[test]
fn who_is_released_tells_whether_it_changed() {
    let mut script = Script::convicted("gen");
    assert!(script.breaker.release(&path("gen")), "it was written when it was convicted");
    assert!(!script.breaker.convicted(&path("gen")));
    assert!(!script.breaker.release(&path("gen")));
    let mut script = Script::convicted("gen");
    script.run(&["a"]);
    assert!(!script.breaker.release(&path("gen")), "the run that is going has seen it");
}

#[test]
fn what_is_released_counts_although_the_run_was_seen_writing_it() {
    let mut script = Script::convicted("gen");
    assert!(script.breaker.is_followed(&path("gen.log")), "of a run that loops all is looked at");
    script.breaker.release(&path("gen"));
    assert_eq!(script.by_run("gen", 8), Judgement::Innocent);
}

#[test]
fn who_wrote_after_the_end_of_the_run_begins_no_row() {
    for (later, suspected) in [(20, true), (21, false)] {
        let mut script = Script::new();
        script.run(&["a.rs"]);
        script.end(true);
        script.pass(later);
        script.breaker.written_at(&path("a.rs"), script.now);
        // Another file of the batch was written by the run itself.
        script.breaker.hand_over(script.start);
        script.run(&["a.rs"]);
        assert_eq!(script.breaker.is_suspected(&path("a.rs")), suspected, "{later} ms");
    }
}

#[test]
fn storms_are_not_remembered() {
    let names: Vec<String> = (0..2000).map(|number| format!("{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut script = Script::new();
    for _ in 0..5 {
        assert!(script.run(&names).is_empty());
    }
    assert!(!script.breaker.suspects_any());
}
