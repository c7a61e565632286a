//! A sweep: reloads that follow one another, each for other files than the one before: a tool goes through the tree, and
//! the longer it does, the longer the next reload waits for its end. A person who saves the same files again and
//! again is never slowed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::numbers::{
    MAX_WAIT, SWEEP_DISTANCE, SWEEP_FILES, SWEEP_GAP, SWEEP_LONG, SWEEP_MAX_WAIT, SWEEP_RELOADS,
    SWEEP_WINDOW, WINDOW_MOST,
};
use crate::model::BatchChange;

/// What the reloads of the sweep had to do with a path when its change came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// The last reload was not for it.
    pub(super) other: bool,
    /// No reload of the sweep was for it.
    pub(super) unknown: bool,
}

/// The present sweep.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    /// Its reloads, those left out that were only for files of the one before.
    reloads: u32,
    /// What they were for, with the number of the last such reload.
    files: HashMap<Arc<Path>, u32>,
    /// What was handed out and no run has begun for yet.
    handed: Vec<Arc<Path>>,
    /// The first and the last change.
    lasted: Option<(Instant, Instant)>,
    /// How many times a file was saved.
    saves: u32,
}

impl Sweep {
    /// A change comes. When there was none for long, the sweep is over.
    pub(super) fn look_at(&mut self, now: Instant) {
        if self.lasted.is_some_and(|(_, last)| now.duration_since(last) >= SWEEP_GAP) {
            *self = Self::default();
        }
    }

    /// The last change was now; with it a save begins.
    pub(super) fn goes_on(&mut self, now: Instant, begins: bool) {
        self.lasted = Some((self.lasted.map_or(now, |(first, _)| first), now));
        self.saves = self.saves.saturating_add(u32::from(begins));
    }

    pub(super) fn mark(&self, path: &Arc<Path>) -> Mark {
        let known = self.files.get(path);
        Mark { other: known != Some(&self.reloads), unknown: known.is_none() }
    }

    /// A batch is handed out.
    pub(super) fn hand_out<'a>(&mut self, changes: impl Iterator<Item = &'a BatchChange>) {
        self.handed.clear();
        self.handed.extend(changes.take(SWEEP_FILES).map(|change| Arc::clone(&change.path)));
    }

    /// A run has begun for what was handed out last.
    pub(super) fn began(&mut self) {
        let handed = std::mem::take(&mut self.handed);
        if handed.iter().any(|path| self.files.get(path) != Some(&self.reloads)) {
            self.reloads += 1;
        }
        for path in handed {
            if self.files.len() < SWEEP_FILES || self.files.contains_key(&path) {
                self.files.insert(path, self.reloads);
            }
        }
    }

    /// How many reloads went before what is pending; 0 where that is nothing to wait for. Where a few files are
    /// saved by turns there are more reloads than files: that is a person.
    fn before(&self, pending: &Counted) -> u32 {
        let files = self.files.len() + pending.unknown;
        let sweep = pending.other > 0 && files > self.reloads as usize && self.is_quick();
        if sweep { self.reloads } else { 0 }
    }

    /// Whether the saves follow one another so fast that waiting brings some of them together.
    fn is_quick(&self) -> bool {
        let gaps = self.saves.saturating_sub(1);
        self.lasted.is_some_and(|(first, last)| last.duration_since(first) < SWEEP_DISTANCE * gaps)
    }

    /// The least window of what is pending.
    pub(super) fn window(&self, pending: &Counted) -> Duration {
        match self.before(pending) {
            reloads if reloads < SWEEP_RELOADS => Duration::ZERO,
            reloads => {
                let doubled = (reloads - SWEEP_RELOADS + 1).min(SWEEP_WINDOW.as_millis().ilog2());
                (WINDOW_MOST * (1 << doubled)).min(SWEEP_WINDOW)
            }
        }
    }

    /// The maximum wait of what is pending.
    pub(super) fn max_wait(&self, pending: &Counted) -> Duration {
        if self.before(pending) >= SWEEP_LONG { SWEEP_MAX_WAIT } else { MAX_WAIT }
    }
}

/// The numbers of some pending paths, and when the first of them changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) count: usize,
    /// The first change of these paths that no run has got.
    pub(super) first: Option<Instant>,
    /// The number of paths that the last reload of the sweep was not for.
    pub(super) other: usize,
    /// The number of paths that no reload of the sweep was for.
    pub(super) unknown: usize,
}

impl Counted {
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
