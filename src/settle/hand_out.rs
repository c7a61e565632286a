//! Batches leave, and come back.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::numbers::{HOLD_HALF, NOISY_REPEATS, NOISY_SINCE, WRITER_SILENCE};
use super::stage::merge;
use super::state::{Due, Git, Group, Held, Settle};
use super::table::{Pending, Stage};
use crate::model::{Batch, BatchChange};

impl Settle {
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
        (self.quiet, self.noisy) = (Group::default(), Group::default());
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
        self.row.hand_out(changes.iter().map(|(_, change)| change));
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
    pub(super) fn let_go(&mut self, now: Instant) {
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
            let mark = newer.map_or_else(|| self.row.mark(&path), |newer| newer.mark);
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
}
