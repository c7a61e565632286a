//! The state machine of settling.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::numbers::{
    BURST_GAP, GIT_PATIENCE, HOLD_EMPTIED, HOLD_HALF, MAX_WAIT, NOISY_REPEATS, NOISY_SINCE,
    WINDOW_FACTOR, WINDOW_LEAST, WINDOW_MOST, WRITER_SILENCE,
};
use super::table::{Pending, Slot, Stage, Table};
use super::{Batch, BatchChange, Settings};
use crate::watch::change::{Change, ChangeKind};

/// What [`Settle::due`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// The save is complete: [`Settle::take`] hands the batch out.
    Ready,
    /// Complete, but `watcher.duration` is not over. Told once for each batch.
    Delayed {
        /// When the batch will be ready.
        until: Instant,
        /// The first changed path.
        path: Arc<Path>,
        /// How many more there are.
        more: usize,
    },
}

/// Turns changes into batches.
///
/// A batch is everything pending. It is due when no writer has a file open, no half save is waited
/// for, and the quiet window is over; at the latest at the maximum wait.
#[derive(Debug)]
pub struct Settle {
    settings: Settings,
    table: Table,
    /// The latest time ever told: time never runs backwards in here.
    clock: Option<Instant>,
    /// First and last event of the burst, noisy files and new temporaries excepted. It lives on when a
    /// batch is taken.
    burst: Option<(Instant, Instant)>,
    /// Pending paths that are not noisy.
    quiet: Group,
    /// Pending paths that are noisy: they hold nobody and fire at their maximum wait only.
    noisy: Group,
    /// Orders paths by their first change: the number of the next one.
    next: i64,
    /// The number of the foremost path that was put back.
    front: i64,
    /// The start of the last reload.
    reloaded: Option<Instant>,
    /// `Due::Delayed` has been told for what is pending.
    delay_said: bool,
    git: Git,
}

/// Some pending paths.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    count: usize,
    /// The first change of theirs that no run has got.
    first: Option<Instant>,
}

impl Group {
    fn add(&mut self, at: Instant) {
        self.count += 1;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
    }

    fn remove(&mut self) {
        self.count = self.count.saturating_sub(1);
        if self.count == 0 {
            self.first = None;
        }
    }
}

/// What the shell told about git, for what is pending.
#[derive(Clone, Copy, Debug, Default)]
struct Git {
    postponed: Option<Instant>,
    reopened: Option<Instant>,
    window: Duration,
}

impl Settle {
    /// Nothing pending.
    pub fn new(settings: Settings) -> Settle {
        Settle {
            settings,
            table: Table::default(),
            clock: None,
            burst: None,
            quiet: Group::default(),
            noisy: Group::default(),
            next: 0,
            front: 0,
            reloaded: None,
            delay_said: false,
            git: Git::default(),
        }
    }

    /// Live configuration: what is pending stays pending, under the new settings.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
        self.delay_said = false;
    }

    /// Takes in one change.
    pub fn note(&mut self, change: Change, now: Instant) {
        let now = self.advance(now);
        self.calm(now);
        let at = self.table.place(&change.path, now);
        let slot = self.table.get(at);
        let (pending, noisy) = (slot.pending, slot.stage == Stage::Noisy);
        let stage = if noisy && !ends_noise(slot, change.kind) {
            Stage::Noisy
        } else {
            next_stage(slot.stage, pending, &change)
        };
        let before = pending.map(|_| noisy);
        let after = (stage != Stage::Out).then_some(stage == Stage::Noisy);
        if before != after {
            before.into_iter().for_each(|noisy| self.group(noisy).remove());
            after.into_iter().for_each(|noisy| self.group(noisy).add(now));
        }
        // A new temporary holds by its standing. Its age is not the burst's: a file that is written at
        // length beside its place and then renamed is there at once.
        let beside = change.facts.temporary && (change.facts.new || stage == Stage::Out);
        if stage != Stage::Noisy && !beside {
            let first = match self.burst {
                Some((first, last)) if now.duration_since(last) < BURST_GAP => first,
                _ => now,
            };
            self.burst = Some((first, now));
        }
        self.record(at, stage, &change, now);
    }

    /// Writes the new standing of a path into the table.
    fn record(&mut self, at: u32, stage: Stage, change: &Change, now: Instant) {
        let seq = self.next;
        self.next += 1;
        let slot = self.table.get_mut(at);
        slot.pending = match slot.pending {
            _ if stage == Stage::Out => None,
            Some(had) => Some(Pending { kind: merge(had.kind, change.kind), ..had }),
            None => Some(Pending {
                kind: change.kind,
                first: now,
                seq,
                fresh: change.facts.new && !slot.handed && !is_gone(change.kind),
            }),
        };
        if slot.stage == Stage::Out {
            // New here, or a temporary of this name came and went before.
            slot.since = now;
            slot.repeats = 0;
        }
        if change.kind != ChangeKind::Written {
            slot.repeats = slot.repeats.saturating_add(1);
        }
        self.table.shift(at, stage, now);
    }

    fn group(&mut self, noisy: bool) -> &mut Group {
        if noisy { &mut self.noisy } else { &mut self.quiet }
    }

    /// Noisy paths that have been silent for long enough are ordinary ones again.
    fn calm(&mut self, now: Instant) {
        while let Some(at) = self.table.oldest(Stage::Noisy) {
            let slot = self.table.get_mut(at);
            let silent = slot.at + WRITER_SILENCE;
            if silent > now {
                return;
            }
            slot.repeating = false;
            slot.repeats = 0;
            let (last, pending) = (slot.at, slot.pending.is_some());
            if pending {
                self.noisy.remove();
                self.quiet.add(silent);
            }
            self.table.shift(at, Stage::Complete, last);
        }
    }

    /// When [`Settle::due`] is to be asked next; `None` while nothing can become due by waiting.
    pub fn deadline(&self) -> Option<Instant> {
        let settled = later(self.settled()?, self.git.postponed);
        let ready = later(settled, self.interval_over());
        let next = if self.delay_said { ready } else { settled };
        // A noisy path that falls silent is an ordinary one, whose batch is due at once.
        match self.table.oldest(Stage::Noisy) {
            Some(at) if self.noisy.count > 0 => {
                let silent = self.table.get(at).at + WRITER_SILENCE;
                Some(next.min(later(silent, self.git.postponed)))
            }
            _ => Some(next),
        }
    }

    /// Is a batch due?
    pub fn due(&mut self, now: Instant) -> Option<Due> {
        let now = self.advance(now);
        self.calm(now);
        if now < later(self.settled()?, self.git.postponed) {
            return None;
        }
        match self.interval_over() {
            Some(until) if now < until => self.delayed(until),
            _ => Some(Due::Ready),
        }
    }

    fn delayed(&mut self, until: Instant) -> Option<Due> {
        if self.delay_said {
            return None;
        }
        self.delay_said = true;
        let path = self.table.first_pending()?;
        Some(Due::Delayed { until, path, more: self.waiting().saturating_sub(1) })
    }

    /// Hands out the batch that is due, else `None`.
    pub fn take(&mut self, now: Instant) -> Option<Batch> {
        if self.due(now) != Some(Due::Ready) {
            return None;
        }
        let now = self.advance(now);
        let noisy = if self.is_forced(now) { self.convict(now) } else { None };
        self.hand_out(now, noisy)
    }

    /// Hands out everything pending, settled or not (the key `r`). Files that are still written stay
    /// known as such, so that what comes of them is a change of its own.
    pub fn take_all(&mut self, now: Instant) -> Option<Batch> {
        let now = self.advance(now);
        self.calm(now);
        self.hand_out(now, None)
    }

    fn hand_out(&mut self, now: Instant, noisy: Option<Arc<Path>>) -> Option<Batch> {
        if self.waiting() == 0 {
            return None;
        }
        let live = now.checked_sub(WRITER_SILENCE);
        let mut keep = self.table.later_than(Stage::Writing, live);
        keep.extend(self.table.later_than(Stage::Noisy, live));
        keep.reverse();
        let (mut first, mut last) = (now, None);
        let mut changes: Vec<(i64, BatchChange)> = Vec::with_capacity(self.waiting());
        for slot in self.table.turn(&keep) {
            if let Some(pending) = slot.pending {
                first = first.min(pending.first);
                last = last.max(Some(slot.at));
                changes.push((pending.seq, BatchChange { path: slot.path, kind: pending.kind }));
            }
        }
        // Nearly always sorted already: slots are made in the order of first changes.
        changes.sort_by_key(|(seq, _)| *seq);
        self.quiet = Group::default();
        self.noisy = Group::default();
        self.delay_said = false;
        self.git = Git::default();
        let changes = changes.into_iter().map(|(_, change)| change).collect();
        Some(Batch { changes, first, last: last.unwrap_or(now), noisy })
    }

    /// Whether what is due now is due only because the maximum wait is over.
    fn is_forced(&self, now: Instant) -> bool {
        self.quiet.count > 0 && self.complete_at().is_some_and(|at| at > now)
    }

    /// Finds the files that forced the maximum wait and makes them noisy; names the first of them.
    fn convict(&mut self, now: Instant) -> Option<Arc<Path>> {
        let mut found = self.table.later_than(Stage::Writing, now.checked_sub(WRITER_SILENCE));
        let holds = [
            (Stage::Complete, self.window()),
            (Stage::Half, self.window().max(HOLD_HALF)),
            (Stage::Emptied, HOLD_EMPTIED),
        ];
        for (stage, hold) in holds {
            let mut late = self.table.later_than(stage, now.checked_sub(hold));
            late.retain(|&at| self.table.get(at).repeats >= NOISY_REPEATS);
            found.append(&mut late);
        }
        found.retain(|&at| now.duration_since(self.table.get(at).since) >= NOISY_SINCE);
        found.sort_by_key(|&at| self.table.get(at).at);
        for &at in &found {
            let slot = self.table.get_mut(at);
            slot.repeating = slot.repeats >= NOISY_REPEATS;
            let last = slot.at;
            self.table.shift(at, Stage::Noisy, last);
        }
        let first = found.into_iter().min_by_key(|&at| self.table.get(at).since)?;
        Some(Arc::clone(&self.table.get(first).path))
    }

    /// A run caused by changes has started: `watcher.duration` counts from here. Not to be called for
    /// runs by request, nor for the first.
    pub fn run_started(&mut self, now: Instant) {
        self.reloaded = Some(self.advance(now));
    }

    /// Nothing is due before `until` (git holds its lock; ask again then).
    pub fn postpone(&mut self, until: Instant) {
        self.git.postponed = Some(until);
    }

    /// The quiet window starts anew at `now` and is at least `minimum_window` for what is pending
    /// (git let go of its lock).
    pub fn reopen(&mut self, now: Instant, minimum_window: Duration) {
        let now = self.advance(now);
        self.git.postponed = None;
        self.git.reopened = Some(now);
        self.widen(minimum_window);
    }

    /// The quiet window is at least `minimum_window` for what is pending, without starting anew (a
    /// rebase is under way). A batch that was due may no longer be: ask [`Settle::due`] again.
    pub fn widen(&mut self, minimum_window: Duration) {
        self.git.window = self.git.window.max(minimum_window);
    }

    /// Takes back a batch that no run could take. It is due again at once unless something newer
    /// holds it: pair it with [`Settle::postpone`].
    pub fn put_back(&mut self, batch: Batch) {
        let Batch { changes, first, last, .. } = batch;
        let now = self.advance(last);
        for BatchChange { path, kind } in changes.into_iter().rev() {
            self.front -= 1;
            let seq = self.front;
            let at = self.table.place(&path, last);
            let slot = self.table.get_mut(at);
            let (stage, newer) = (slot.stage, slot.pending);
            // What came since is newer, but a touch survives what follows it.
            let kind = newer.map_or(kind, |newer| merge(kind, newer.kind));
            slot.pending = Some(Pending { kind, first, seq, fresh: false });
            if newer.is_none() {
                self.group(stage == Stage::Noisy).add(now);
            }
            if stage == Stage::Out {
                self.table.shift(at, Stage::Complete, last);
            }
        }
    }

    /// How many paths wait.
    pub fn waiting(&self) -> usize {
        self.quiet.count + self.noisy.count
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.table.steps.get()
    }

    fn advance(&mut self, now: Instant) -> Instant {
        let now = self.clock.map_or(now, |clock| clock.max(now));
        self.clock = Some(now);
        now
    }

    fn interval_over(&self) -> Option<Instant> {
        let reloaded = self.reloaded?;
        (!self.settings.duration.is_zero()).then(|| after(reloaded, self.settings.duration))
    }

    /// When what is pending is due, `watcher.duration` and git's lock aside.
    fn settled(&self) -> Option<Instant> {
        if let Some(complete) = self.complete_at() {
            return Some(complete.min(self.limit(self.quiet.first?)));
        }
        let alone = after(self.noisy.first?, self.max_wait());
        Some(later(alone, self.git.reopened.map(|at| after(at, self.window()))))
    }

    /// When every pending save that is not noisy is complete and the quiet window over, as far as is
    /// known now.
    fn complete_at(&self) -> Option<Instant> {
        let first = self.quiet.first?;
        let last = self.burst.map_or(first, |(_, last)| last);
        let mut at = after(later(last, self.git.reopened), self.window());
        let holds = [
            (Stage::Writing, WRITER_SILENCE),
            (Stage::Half, HOLD_HALF),
            (Stage::Emptied, HOLD_EMPTIED),
        ];
        for (stage, hold) in holds {
            if let Some(slot) = self.table.newest(stage) {
                at = at.max(slot.at + hold);
            }
        }
        Some(at)
    }

    fn window(&self) -> Duration {
        let own = self.settings.debounce.unwrap_or_else(|| {
            let age = self.burst.map_or(Duration::ZERO, |(first, last)| last.duration_since(first));
            age.saturating_mul(WINDOW_FACTOR).clamp(WINDOW_LEAST, WINDOW_MOST)
        });
        own.max(self.git.window)
    }

    /// The end of the maximum wait. Each time git lets go it begins anew (git makes progress), within
    /// git's patience.
    fn limit(&self, first: Instant) -> Instant {
        let begin = later(first, self.git.reopened).min(first + GIT_PATIENCE);
        after(begin, self.max_wait())
    }

    /// A fixed window longer than the maximum wait is what the person asked for.
    fn max_wait(&self) -> Duration {
        MAX_WAIT.max(self.settings.debounce.unwrap_or_default().saturating_mul(2))
    }
}

/// Whether this event ends the noise of a noisy path: its writer has let go.
fn ends_noise(slot: &Slot, kind: ChangeKind) -> bool {
    !slot.repeating && !matches!(kind, ChangeKind::Written | ChangeKind::Touched)
}

/// Where a path stands after an event, noise aside.
fn next_stage(stage: Stage, pending: Option<Pending>, change: &Change) -> Stage {
    let facts = change.facts;
    match change.kind {
        ChangeKind::Written => Stage::Writing,
        ChangeKind::Closed | ChangeKind::Appeared if facts.emptied => Stage::Emptied,
        ChangeKind::Closed | ChangeKind::Appeared if facts.new && facts.temporary => Stage::Half,
        ChangeKind::Closed | ChangeKind::Appeared => Stage::Complete,
        // A touch says nothing about the content: neither that it is there nor that it is missing.
        ChangeKind::Touched => match stage {
            Stage::Out if facts.emptied => Stage::Emptied,
            Stage::Out | Stage::Noisy => Stage::Complete,
            stage => stage,
        },
        ChangeKind::Removed | ChangeKind::RenamedAway => match pending {
            // Came and went: no run has seen it, and nothing is missing without it.
            Some(pending) if pending.fresh && facts.temporary => Stage::Out,
            Some(pending) if pending.fresh => Stage::Complete,
            _ if facts.temporary => Stage::Complete,
            _ => Stage::Half,
        },
    }
}

fn is_gone(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Removed | ChangeKind::RenamedAway)
}

/// The kind that a batch tells: the last, except that a touch is kept over writing.
fn merge(had: ChangeKind, then: ChangeKind) -> ChangeKind {
    match (had, then) {
        (ChangeKind::Touched, ChangeKind::Written | ChangeKind::Closed) => ChangeKind::Touched,
        _ => then,
    }
}

fn later(at: Instant, other: Option<Instant>) -> Instant {
    other.map_or(at, |other| other.max(at))
}

/// `at + wait`, also for a wait that a person set to a thousand years.
fn after(at: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 86_400);
    at.checked_add(wait).unwrap_or(at + FAR)
}
