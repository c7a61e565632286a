//! The state machine of settling. (Signatures first; the body follows.)

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Batch, Settings};
use crate::watch::change::Change;

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
#[derive(Debug)]
pub struct Settle {
    settings: Settings,
}

impl Settle {
    /// Nothing pending.
    pub fn new(settings: Settings) -> Settle {
        Settle { settings }
    }

    /// Live configuration: what is pending stays pending under the new settings.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes in one change.
    pub fn note(&mut self, _change: Change, _now: Instant) {}

    /// When [`Settle::due`] is to be asked next; `None` while nothing can become due by waiting.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Is a batch due?
    pub fn due(&mut self, _now: Instant) -> Option<Due> {
        None
    }

    /// Hands out the batch that is due, else `None`.
    pub fn take(&mut self, _now: Instant) -> Option<Batch> {
        None
    }

    /// Hands out everything pending, settled or not (the key `r`). Files that are still written stay
    /// known as such, so that what comes of them is a change of its own.
    pub fn take_all(&mut self, _now: Instant) -> Option<Batch> {
        None
    }

    /// A run caused by changes has started: `watcher.duration` counts from here. Not to be called for
    /// runs by request, nor for the first.
    pub fn run_started(&mut self, _now: Instant) {}

    /// Nothing is due before `until` (git holds its lock; ask again then).
    pub fn postpone(&mut self, _until: Instant) {}

    /// The quiet window starts anew at `now` and is at least `minimum_window` for what is pending
    /// (git let go of its lock).
    pub fn reopen(&mut self, _now: Instant, _minimum_window: Duration) {}

    /// The quiet window is at least `minimum_window` for what is pending, without starting anew (a
    /// rebase is under way). A batch that was due may no longer be.
    pub fn widen(&mut self, _minimum_window: Duration) {}

    /// Takes back a batch that no run could take. It is due again at once unless something newer
    /// holds it: pair it with [`Settle::postpone`].
    pub fn put_back(&mut self, _batch: Batch) {}

    /// How many paths wait.
    pub fn waiting(&self) -> usize {
        0
    }
}
