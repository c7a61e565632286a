//! Random changes at random times: whatever comes, each change is handed out, once it is time and in
//! time, and nothing half is handed out before its time.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::{NEW, PLAIN, TEMPORARY, ms, us, zero};
use crate::model::{
    Change,
    ChangeKind::{self, Appeared, Closed, Removed, RenamedAway, Touched, Written},
    Facts,
};
use crate::settle::numbers::{
    DRAFT_SILENCE, HOLD_HALF, MAX_WAIT, SWEEP_MAX_WAIT, WINDOW_LEAST, WRITER_SILENCE,
};
use crate::settle::table::Stage;
use crate::settle::{Due, Settings, Settle};

/// A file as the promises see it.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The first change that no batch has handed out.
    first: Duration,
    last: Duration,
    /// New since the last batch: comes to nothing when it goes.
    fresh: bool,
    temporary: bool,
    /// A new temporary that is being written: stays behind.
    draft: bool,
    /// Since when it has been no draft.
    whole: Option<Duration>,
}

impl Known {
    fn is_draft(&self, now: Duration) -> bool {
        self.draft && now < self.last + DRAFT_SILENCE
    }

    /// Since when a batch has to come.
    fn due_since(&self) -> Duration {
        self.whole.unwrap_or(self.last + DRAFT_SILENCE)
    }
}

#[derive(Default)]
struct Model {
    pending: HashMap<String, Known>,
    /// Open writers by their last write.
    open: HashMap<String, Duration>,
    /// Since when anything has been pending, also what came to nothing.
    begun: Option<Duration>,
}

impl Model {
    /// `handed`: an earlier batch had the path, and it may be written still.
    fn note(
        &mut self,
        path: &str,
        kind: ChangeKind,
        facts: Facts,
        (handed, noisy): (bool, bool),
        now: Duration,
    ) {
        let gone = matches!(kind, Removed | RenamedAway);
        match kind {
            Written => {
                self.open.insert(path.to_owned(), now);
            }
            Touched => {
                // Does not close, but is a sign of life.
                let open = self.open.get_mut(path).filter(|last| now - **last < WRITER_SILENCE);
                open.into_iter().for_each(|last| *last = now);
            }
            _ => {
                self.open.remove(path);
            }
        }
        let fresh = facts.new && !gone && !handed;
        let (draft, whole) = (false, None);
        let known = Known { first: now, last: now, fresh, temporary: false, draft, whole };
        let known = self.pending.entry(path.to_owned()).or_insert(known);
        known.temporary |= facts.temporary;
        known.draft = match kind {
            _ if noisy => false,
            Written => known.fresh && known.temporary,
            Touched => known.draft && now < known.last + WRITER_SILENCE,
            _ => false,
        };
        known.last = now;
        known.whole = if known.draft { None } else { known.whole.or(Some(now)) };
        if gone && known.fresh {
            self.pending.remove(path);
        }
        self.begun = (!self.pending.is_empty()).then(|| self.begun.unwrap_or(now));
    }

    /// A batch: what it must be, given what was pending.
    fn handed(&mut self, now: Duration, paths: &[String], noisy: &[String], forced: bool) {
        let stays = |known: &Known| {
            let new = known.fresh && known.temporary && now - known.last < HOLD_HALF;
            known.is_draft(now) || forced && new
        };
        for path in paths {
            assert!(self.pending.contains_key(path), "{path} was handed out for nothing");
        }
        for (path, known) in &self.pending {
            let left = !paths.contains(path);
            assert!(!left || stays(known), "{path} {known:?} was left behind at {now:?}");
            assert!(left || !known.is_draft(now), "{path} {known:?} is half at {now:?}");
        }
        let writing = self
            .open
            .iter()
            .filter(|(path, _)| !self.pending.get(*path).is_some_and(|known| known.is_draft(now)))
            .find(|(path, last)| now - **last < WRITER_SILENCE && !noisy.contains(path));
        assert!(forced || writing.is_none(), "{writing:?} is still written at {now:?}");
        self.pending.retain(|path, _| !paths.contains(path));
        self.begun = (!self.pending.is_empty()).then_some(now);
        self.open.retain(|_, last| now - *last < WRITER_SILENCE);
    }
}

type Told = (u64, usize, ChangeKind, Facts);

fn told() -> impl Strategy<Value = Told> {
    let gap = prop_oneof![
        4 => 0..400u64,
        3 => 400..10_000u64,
        2 => 10_000..80_000u64,
        1 => 80_000..700_000u64,
    ];
    let kinds = [Written, Written, Closed, Closed, Appeared, Touched, Removed, RenamedAway];
    let emptied = Facts { emptied: true, ..PLAIN };
    let facts = prop::sample::select(vec![PLAIN, PLAIN, PLAIN, NEW, TEMPORARY, emptied]);
    (gap, 0..5usize, prop::sample::select(kinds.to_vec()), facts)
}

/// The lists say the same as a look at every path.
fn lists_agree(settle: &Settle) {
    let stages =
        [Stage::Writing, Stage::Draft, Stage::Beside, Stage::Half, Stage::Emptied, Stage::Noisy];
    for stage in stages {
        let (scanned, listed) = settle.table.newest_both_ways(stage);
        assert_eq!(scanned, listed, "{stage:?}");
    }
    assert_eq!(settle.table.pending(), settle.waiting());
}

fn play(told: &[Told], settings: Settings) {
    let start = zero();
    let mut settle = Settle::new(settings);
    let mut model = Model::default();
    let mut now = Duration::ZERO;
    let end = (u64::MAX >> 20, 0, Closed, PLAIN);
    for &(gap, file, kind, facts) in told.iter().chain([&end]) {
        let next = if gap == end.0 { now + Duration::from_secs(100) } else { now + us(gap) };
        while let Some(at) = settle.deadline().filter(|&at| at <= start + next) {
            let before = settle.deadline();
            now = now.max(at.duration_since(start));
            ask(&mut settle, &mut model, now, start);
            assert!(settle.deadline() != before, "busy at {now:?}");
        }
        now = next;
        if gap == end.0 {
            break;
        }
        let path = format!("f{file}");
        let handed = settle.table.was_handed(Path::new(&path));
        let noisy = settle.table.noisy().contains(&path);
        model.note(&path, kind, facts, (handed, noisy), now);
        settle.note(Change { path: Path::new(&path).into(), kind, facts }, start + now);
        lists_agree(&settle);
    }
    assert!(model.pending.is_empty(), "never handed out: {:?}", model.pending);
    assert_eq!(settle.waiting(), 0);
}

fn ask(settle: &mut Settle, model: &mut Model, now: Duration, start: std::time::Instant) {
    if settle.due(start + now) != Some(Due::Ready) {
        return;
    }
    let noisy = settle.table.noisy();
    let batch = settle.take(start + now).expect("ready");
    settle.run_started(start + now);
    let paths: Vec<_> = batch.changes.iter().map(|c| c.path.display().to_string()).collect();
    let handed = || model.pending.iter().filter(|(path, _)| paths.contains(path));
    let first = handed().map(|(_, known)| known.first).min().expect("something was pending");
    assert_eq!(batch.first, start + first);
    let last = handed().map(|(_, known)| known.last).max().expect("something");
    assert_eq!(batch.last, start + last);
    let due = handed().map(|(_, known)| known.due_since()).min().expect("something");
    let waited = now.saturating_sub(due);
    // A noisy file may wait for its own maximum and then for another file's.
    let most = MAX_WAIT + SWEEP_MAX_WAIT + ms(100) + settle.settings.duration;
    assert!(waited <= most, "waited {waited:?}");
    let forced = model.begun.is_some_and(|begun| now - begun >= MAX_WAIT);
    let quiet = handed().filter(|(path, _)| !noisy.contains(path));
    let last = quiet.map(|(_, known)| known.last).max();
    let window = settle.settings.debounce.unwrap_or(WINDOW_LEAST);
    assert!(forced || last.is_none_or(|last| now - last >= window), "{last:?} is too near {now:?}");
    model.handed(now, &paths, &noisy, forced);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_handed_out_in_time_and_not_before(
        told in prop::collection::vec(told(), 1..80),
        debounce in prop::option::weighted(0.2, 0..200u64),
        duration in prop::sample::select(vec![0, 0, 0, 300, 2_000u64]),
    ) {
        let settings = Settings { debounce: debounce.map(ms), duration: ms(duration) };
        play(&told, settings);
    }
}
