//! The state machine of settling.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Settings;
use super::numbers::{BURST_GAP, DRAFT_SILENCE, WRITER_SILENCE};
use super::row::{Mark, Row};
use super::stage::{ends_noise, merge, next_stage};
use super::table::{Pending, Stage, Table};
use super::timing::later;
use crate::model::{Batch, Change, ChangeKind};

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
    pub(super) settings: Settings,
    pub(super) table: Table,
    /// The latest time ever told: time never runs backwards in here.
    clock: Option<Instant>,
    /// First and last event of the burst, noisy files and new temporaries excepted. It lives on when a
    /// batch is taken.
    pub(super) burst: Option<(Instant, Instant)>,
    /// Pending paths that are neither noisy nor drafts.
    pub(super) quiet: Group,
    /// Pending paths that are noisy: they hold nobody and fire at their maximum wait only.
    pub(super) noisy: Group,
    /// Pending paths that are new temporaries and being written: they stay behind when a batch is handed out.
    pub(super) drafts: Group,
    /// The reloads before.
    pub(super) row: Row,
    /// Orders paths by their first change: the number of the next one.
    pub(super) next: i64,
    /// The number of the foremost path that was put back.
    pub(super) front: i64,
    /// The start of the last reload.
    pub(super) reloaded: Option<Instant>,
    /// `Due::Delayed` has been told for what is pending.
    pub(super) delay_said: bool,
    pub(super) git: Git,
    /// A batch that is not due by itself before a moment.
    pub(super) held: Option<Held>,
}

/// A batch whose start is put off.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) batch: Batch,
    pub(super) since: Instant,
    pub(super) until: Instant,
}

/// Some pending paths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) count: usize,
    /// The first change of theirs that no run has got.
    pub(super) first: Option<Instant>,
    /// Those that the last reload of the row was not for.
    pub(super) other: usize,
    /// Those that no reload of the row was for.
    pub(super) unknown: usize,
}

impl Group {
    pub(super) fn add(&mut self, at: Instant, mark: Mark) {
        self.count += 1;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.other += usize::from(mark.other);
        self.unknown += usize::from(mark.unknown);
    }

    pub(super) fn remove(&mut self, mark: Mark) {
        self.count = self.count.saturating_sub(1);
        self.other = self.other.saturating_sub(usize::from(mark.other));
        self.unknown = self.unknown.saturating_sub(usize::from(mark.unknown));
        if self.count == 0 {
            self.first = None;
        }
    }
}

/// What the shell told about git, for what is pending.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Git {
    pub(super) postponed: Option<Instant>,
    pub(super) reopened: Option<Instant>,
    pub(super) window: Duration,
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
            drafts: Group::default(),
            row: Row::default(),
            next: 0,
            front: 0,
            reloaded: None,
            delay_said: false,
            git: Git::default(),
            held: None,
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
        self.row.look_at(now);
        let at = self.table.place(&change.path, now);
        let slot = self.table.get(at);
        let stage = if slot.stage == Stage::Noisy && !ends_noise(slot, change.kind) {
            Stage::Noisy
        } else {
            next_stage(slot, now, &change)
        };
        let before = slot.pending.map(|pending| (slot.stage, pending.mark));
        let mark = before.map_or_else(|| self.row.mark(&change.path), |(_, mark)| mark);
        self.regroup(before, (stage != Stage::Out).then_some((stage, now)), mark);
        if self.waiting() == 0 {
            // What was pending came to nothing; so does what was said about it.
            self.git = Git::default();
            self.delay_said = false;
        }
        // A new temporary holds by its standing. Its age is not the burst's: a file that is written at
        // length beside its place and then renamed is there at once. (A fixed window has no age.)
        let beside = match stage {
            _ if self.settings.debounce.is_some() => false,
            // What it became is told next: what waits for that goes on waiting until then.
            Stage::Out => change.kind != ChangeKind::RenamedAway || self.quiet.count == 0,
            stage => matches!(stage, Stage::Draft | Stage::Beside),
        };
        if stage != Stage::Noisy && !beside {
            self.row.goes_on(now, before.is_none());
            let first = match self.burst {
                Some((first, last)) if now.duration_since(last) < BURST_GAP => first,
                _ => now,
            };
            self.burst = Some((first, now));
        }
        self.record(at, stage, &change, mark, now);
    }

    /// A pending path goes from the group of one stage to that of another.
    fn regroup(
        &mut self,
        before: Option<(Stage, Mark)>,
        after: Option<(Stage, Instant)>,
        mark: Mark,
    ) {
        let groups = |stage| match stage {
            Stage::Noisy => 1,
            Stage::Draft => 2,
            _ => 0,
        };
        let is_same =
            before.map(|(stage, _)| groups(stage)) == after.map(|(stage, _)| groups(stage));
        if is_same {
            return;
        }
        if let Some((stage, mark)) = before {
            self.group(stage).remove(mark);
        }
        if let Some((stage, since)) = after {
            self.group(stage).add(since, mark);
        }
    }

    /// Writes the new standing of a path into the table.
    fn record(&mut self, at: u32, stage: Stage, change: &Change, mark: Mark, now: Instant) {
        let seq = self.next;
        self.next += 1;
        let slot = self.table.get_mut(at);
        slot.pending = match slot.pending {
            _ if stage == Stage::Out => None,
            Some(had) => Some(Pending {
                kind: merge(had.kind, change.kind),
                temporary: had.temporary || change.facts.temporary,
                ..had
            }),
            None => Some(Pending {
                kind: change.kind,
                first: now,
                seq,
                fresh: change.facts.new && !slot.handed && !change.kind.is_gone(),
                temporary: change.facts.temporary,
                mark,
            }),
        };
        if slot.stage == Stage::Out {
            // New here, or something of this name came and went before.
            slot.since = now;
            slot.repeats = 0;
        }
        if change.kind != ChangeKind::Written {
            slot.repeats = slot.repeats.saturating_add(1);
        }
        self.table.shift(at, stage, now);
    }

    /// The pending paths among which one of this stage is counted.
    pub(super) fn group(&mut self, stage: Stage) -> &mut Group {
        match stage {
            Stage::Noisy => &mut self.noisy,
            Stage::Draft => &mut self.drafts,
            _ => &mut self.quiet,
        }
    }

    /// Noisy paths and drafts that have been silent for long enough are ordinary ones.
    pub(super) fn calm(&mut self, now: Instant) {
        while let Some(at) = self.table.oldest(Stage::Draft) {
            let (last, pending) = (self.table.get(at).at, self.table.get(at).pending);
            if last + DRAFT_SILENCE > now {
                break;
            }
            if let Some(Pending { mark, .. }) = pending {
                self.drafts.remove(mark);
                self.quiet.add(last + DRAFT_SILENCE, mark);
            }
            self.table.shift(at, Stage::Complete, last);
        }
        while let Some(at) = self.table.oldest(Stage::Noisy) {
            let slot = self.table.get_mut(at);
            let silent = slot.at + WRITER_SILENCE;
            if silent > now {
                return;
            }
            slot.repeating = false;
            slot.repeats = 0;
            let (last, pending) = (slot.at, slot.pending);
            if let Some(Pending { mark, .. }) = pending {
                self.noisy.remove(mark);
                self.quiet.add(silent, mark);
            }
            self.table.shift(at, Stage::Complete, last);
        }
    }

    /// When [`Settle::due`] is to be asked next; `None` while nothing can become due by waiting.
    pub fn deadline(&self) -> Option<Instant> {
        let held = self.held.as_ref().map(|held| later(held.until, self.git.postponed));
        let draft = self.table.oldest(Stage::Draft).map(|at| self.table.get(at).at + DRAFT_SILENCE);
        self.own_deadline().into_iter().chain(held).chain(draft).min()
    }

    fn own_deadline(&self) -> Option<Instant> {
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
        if self.held.as_ref().is_some_and(|held| held.until <= now) {
            self.let_go(now);
        }
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

    /// A run caused by changes has started: `watcher.duration` counts from here. Not to be called for
    /// runs by request, nor for the first.
    pub fn run_started(&mut self, now: Instant) {
        self.reloaded = Some(self.advance(now));
        self.row.began();
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

    /// How many paths wait.
    pub fn waiting(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.batch.changes.len());
        self.quiet.count + self.noisy.count + self.drafts.count + held
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.table.steps.get()
    }

    pub(super) fn advance(&mut self, now: Instant) -> Instant {
        let now = self.clock.map_or(now, |clock| clock.max(now));
        self.clock = Some(now);
        now
    }
}
