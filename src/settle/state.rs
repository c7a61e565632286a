//! The state machine of settling.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::numbers::{
    BURST_GAP, DRAFT_SILENCE, GIT_PATIENCE, HOLD_BACKUP, HOLD_DRAFT, HOLD_HALF, MAX_WAIT,
    NOISY_REPEATS, NOISY_SINCE, WINDOW_DISTANCES, WINDOW_FACTOR, WINDOW_FILES, WINDOW_LEAST,
    WINDOW_MOST, WINDOW_SWEEP, WRITER_SILENCE,
};
use super::stage::{ends_noise, merge, next_stage};
use super::sweep::{Counted, Mark, Sweep};
use super::table::{Pending, Stage, Table};
use crate::model::{Batch, BatchChange, Change, ChangeKind};

/// The settings that settling depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `watcher.debounce`: a fixed quiet window in place of the one that grows with the burst.
    /// `None` is `auto`. Open writers and half saves hold a batch either way.
    pub debounce: Option<Duration>,
    /// `watcher.duration`: the least time between two reloads, start to start. Zero: none.
    pub duration: Duration,
}

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
    burst: Option<(Instant, Instant)>,
    /// Pending paths that are neither noisy nor drafts.
    quiet: Counted,
    /// Pending paths that are noisy: they hold nobody and fire at their maximum wait only.
    noisy: Counted,
    /// Pending paths that are new temporaries and being written: they stay behind when a batch is handed out.
    drafts: Counted,
    /// The reloads before.
    sweep: Sweep,
    /// Orders paths by their first change: the number of the next one.
    next: i64,
    /// The number of the foremost path that was put back.
    front: i64,
    /// The start of the last reload.
    reloaded: Option<Instant>,
    /// `Due::Delayed` has been told for what is pending.
    delay_said: bool,
    git: Git,
    /// A batch that is not due by itself before a moment.
    held: Option<Held>,
}

/// A batch whose start is put off.
#[derive(Clone, Debug)]
struct Held {
    batch: Batch,
    since: Instant,
    until: Instant,
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
            quiet: Counted::default(),
            noisy: Counted::default(),
            drafts: Counted::default(),
            sweep: Sweep::default(),
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
        self.sweep.look_at(now);
        let at = self.table.place(&change.path, now);
        let slot = self.table.get(at);
        let stage = if slot.stage == Stage::Noisy && !ends_noise(slot, change.kind) {
            Stage::Noisy
        } else {
            next_stage(slot, now, &change)
        };
        let before = slot.pending.map(|pending| (slot.stage, pending.mark));
        let mark = before.map_or_else(|| self.sweep.mark(&change.path), |(_, mark)| mark);
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
            self.sweep.goes_on(now, before.is_none());
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
    fn group(&mut self, stage: Stage) -> &mut Counted {
        match stage {
            Stage::Noisy => &mut self.noisy,
            Stage::Draft => &mut self.drafts,
            _ => &mut self.quiet,
        }
    }

    /// Noisy paths and drafts that have been silent for long enough are ordinary ones.
    fn calm(&mut self, now: Instant) {
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
        self.sweep.began();
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

    fn advance(&mut self, now: Instant) -> Instant {
        let now = self.clock.map_or(now, |clock| clock.max(now));
        self.clock = Some(now);
        now
    }

    /// Hands out the batch that is due, else `None`.
    pub fn take(&mut self, now: Instant) -> Option<Batch> {
        if self.due(now) != Some(Due::Ready) {
            return None;
        }
        let now = self.advance(now);
        self.let_go(now);
        let forced = self.is_forced(now);
        let noisy = if forced { self.convict(now) } else { None };
        let leave = self.left_behind(now);
        self.hand_out(now, forced, noisy, &leave)
    }

    /// New temporaries that may be gone in a moment, oldest first: they wait for a batch of their own. Those that are
    /// complete go along when there is nothing else to hand out.
    fn left_behind(&self, now: Instant) -> Vec<u32> {
        let mut leave = self.table.later_than(Stage::Beside, now.checked_sub(HOLD_HALF));
        if leave.len() >= self.quiet.count + self.noisy.count {
            leave.clear();
        }
        leave.extend(self.table.later_than(Stage::Draft, None));
        leave.reverse();
        leave
    }

    /// Hands out everything pending, settled or not (the key `r`). Files that are still written stay
    /// known as such, so that what comes of them is a change of its own.
    pub fn take_all(&mut self, now: Instant) -> Option<Batch> {
        let now = self.advance(now);
        self.let_go(now);
        self.calm(now);
        self.adopt_drafts();
        self.hand_out(now, false, None, &[])
    }

    /// Drafts are files that are being written, like any others.
    fn adopt_drafts(&mut self) {
        let drafts = self.table.later_than(Stage::Draft, None);
        if drafts.is_empty() {
            return;
        }
        for &at in &drafts {
            if let Some(Pending { first, mark, .. }) = self.table.get(at).pending {
                self.drafts.remove(mark);
                self.quiet.add(first, mark);
            }
        }
        self.gather(drafts, Stage::Writing);
    }

    /// Puts these paths into a list, which stays ordered by last events.
    fn gather(&mut self, mut found: Vec<u32>, stage: Stage) {
        found.extend(self.table.later_than(stage, None));
        found.sort_by_key(|&at| self.table.get(at).at);
        for &at in &found {
            self.table.shift(at, stage, self.table.get(at).at);
        }
    }

    fn hand_out(
        &mut self,
        now: Instant,
        mut forced: bool,
        noisy: Option<Arc<Path>>,
        leave: &[u32],
    ) -> Option<Batch> {
        if self.quiet.count + self.noisy.count == 0 {
            return None;
        }
        let live = now.checked_sub(WRITER_SILENCE);
        let mut keep = self.table.later_than(Stage::Writing, live);
        keep.extend(self.table.later_than(Stage::Noisy, live));
        keep.reverse();
        let (mut first, mut last) = (now, None);
        let mut changes: Vec<(i64, BatchChange)> = Vec::with_capacity(self.waiting());
        (self.quiet, self.noisy) = (Counted::default(), Counted::default());
        for &at in leave {
            let slot = self.table.get(at);
            if let (Stage::Beside, Some(Pending { mark, .. })) = (slot.stage, slot.pending) {
                self.quiet.add(now, mark);
            }
        }
        for slot in self.table.turn(&keep, leave) {
            if let Some(pending) = slot.pending {
                first = first.min(pending.first);
                last = last.max(Some(slot.at));
                forced |= slot.stage == Stage::Noisy;
                changes.push((pending.seq, BatchChange { path: slot.path, kind: pending.kind }));
            }
        }
        // Nearly always sorted already: slots are made in the order of first changes.
        changes.sort_by_key(|(seq, _)| *seq);
        self.delay_said = false;
        self.git = Git::default();
        self.sweep.hand_out(changes.iter().map(|(_, change)| change));
        let changes = changes.into_iter().map(|(_, change)| change).collect();
        Some(Batch { changes, first, last: last.unwrap_or(now), forced, noisy })
    }

    /// Whether what is due now is due only because the maximum wait is over.
    fn is_forced(&self, now: Instant) -> bool {
        self.quiet.count > 0 && self.complete_at().is_some_and(|at| at > now)
    }

    /// Finds the files that forced the maximum wait and makes them noisy; names the first of them.
    fn convict(&mut self, now: Instant) -> Option<Arc<Path>> {
        let mut found = self.table.later_than(Stage::Writing, now.checked_sub(WRITER_SILENCE));
        for stage in [Stage::Complete, Stage::Beside, Stage::Half, Stage::Emptied] {
            let hold = stage.hold().unwrap_or_default().max(self.window());
            let mut late = self.table.later_than(stage, now.checked_sub(hold));
            late.retain(|&at| self.table.get(at).repeats >= NOISY_REPEATS);
            found.append(&mut late);
        }
        found.retain(|&at| now.duration_since(self.table.get(at).since) >= NOISY_SINCE);
        for &at in &found {
            let slot = self.table.get_mut(at);
            slot.repeating = slot.repeats >= NOISY_REPEATS;
        }
        let first = found.iter().copied().min_by_key(|&at| self.table.get(at).since)?;
        self.gather(found, Stage::Noisy);
        Some(Arc::clone(&self.table.get(first).path))
    }

    /// Takes back a batch whose start is put off: by itself it is due at `until`, and it goes with any other before.
    pub fn hold(&mut self, batch: Batch, until: Instant, now: Instant) {
        let now = self.advance(now);
        self.let_go(now);
        self.held = Some(Held { batch, since: now, until });
    }

    /// What is held is pending like anything else. Its maximum wait goes on where it stood: a wait of ours is no
    /// reason to run while something is being written.
    fn let_go(&mut self, now: Instant) {
        if let Some(Held { batch, since, .. }) = self.held.take() {
            let first = batch.first + now.saturating_duration_since(since);
            self.put_back(Batch { first, ..batch });
        }
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
            let mark = newer.map_or_else(|| self.sweep.mark(&path), |newer| newer.mark);
            let (fresh, temporary) = (false, false);
            slot.pending = Some(Pending { kind, first, seq, fresh, temporary, mark });
            match (stage, newer) {
                // Handed out once, it is no draft any more.
                (Stage::Draft, Some(newer)) => {
                    self.drafts.remove(newer.mark);
                    self.quiet.add(first, mark);
                    self.table.shift(at, Stage::Writing, now);
                }
                (_, Some(_)) => {}
                // Its maximum wait goes on: no run has got it.
                (_, None) => self.group(stage).add(first, mark),
            }
            if stage == Stage::Out {
                self.table.shift(at, Stage::Complete, last);
            }
        }
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
        let alone = after(self.noisy.first?, self.max_wait(MAX_WAIT));
        Some(later(alone, self.git.reopened.map(|at| after(at, self.window()))))
    }

    /// When every pending save that is not noisy is complete and the quiet window over, as far as is
    /// known now.
    fn complete_at(&self) -> Option<Instant> {
        let first = self.quiet.first?;
        let last = self.burst.map_or(first, |(_, last)| last);
        let mut at = after(later(last, self.git.reopened), self.window());
        if let Some(draft) = self.table.newest(Stage::Draft) {
            at = at.max((draft.at + WRITER_SILENCE).min(draft.since + HOLD_DRAFT));
        }
        for stage in [Stage::Writing, Stage::Beside, Stage::Half, Stage::Emptied] {
            let held = self.table.newest(stage).and_then(|slot| Some(slot.at + stage.hold()?));
            at = later(at, held);
        }
        Some(later(at, self.backup_until()))
    }

    /// Until when a new temporary beside other changes is waited for: what is saved is complete, and a backup of it
    /// may be about to go.
    fn backup_until(&self) -> Option<Instant> {
        let came = self.table.newest(Stage::Beside)?.since;
        let (_, last) = self.burst.filter(|(_, last)| *last >= came)?;
        Some(last + HOLD_BACKUP)
    }

    fn window(&self) -> Duration {
        let own = self.settings.debounce.unwrap_or_else(|| {
            let age = self.burst.map_or(Duration::ZERO, |(first, last)| last.duration_since(first));
            let window = age.saturating_mul(WINDOW_FACTOR).clamp(WINDOW_LEAST, self.window_most());
            window.max(self.sweep.window(&self.quiet))
        });
        own.max(self.git.window)
    }

    /// The longest window, as far as the files that wait came one after the other.
    fn window_most(&self) -> Duration {
        let files = self.quiet.count;
        let waiting = self.quiet.first.zip(self.burst).filter(|_| files >= WINDOW_FILES);
        let Some((first, (_, last))) = waiting else { return WINDOW_MOST };
        let gaps = u32::try_from(files - 1).unwrap_or(u32::MAX);
        let distance = last.saturating_duration_since(first) / gaps;
        (distance * WINDOW_DISTANCES).clamp(WINDOW_MOST, WINDOW_SWEEP)
    }

    /// The end of the maximum wait. Each time git lets go it begins anew (git makes progress), within
    /// git's patience, which is also the limit of a sequence of git's under way.
    fn limit(&self, first: Instant) -> Instant {
        let patience = first + GIT_PATIENCE;
        let in_sequence = !self.git.window.is_zero();
        let begin = if in_sequence { patience } else { later(first, self.git.reopened) };
        after(begin.min(patience), self.max_wait(self.sweep.max_wait(&self.quiet)))
    }

    /// A fixed window longer than the maximum wait is what the person asked for.
    fn max_wait(&self, usual: Duration) -> Duration {
        usual.max(self.settings.debounce.unwrap_or_default().saturating_mul(2))
    }
}

/// The later of the two.
pub(super) fn later(at: Instant, other: Option<Instant>) -> Instant {
    other.map_or(at, |other| other.max(at))
}

/// `at + wait`, also for a wait that a person set to a thousand years.
pub(super) fn after(at: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 86_400);
    at.checked_add(wait).unwrap_or(at + FAR)
}
