//! What has been, for `status` and for the last line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::pending::Pending;
use super::{State, Tally};
use crate::model::{Cause, Ended, RunId};

/// The number of the latest reload times that are kept for their median.
const RELOADS_KEPT: usize = 101;

/// What a supervisor counts.
#[derive(Clone, Debug)]
pub(super) struct Record {
    begun: Instant,
    runs: u64,
    failed: u64,
    reloads: u64,
    took: VecDeque<Duration>,
    last_failed: Option<(RunId, Ended, Instant)>,
    /// The last run that was ordered, and why.
    pub(super) last_run: Option<(RunId, Cause)>,
    /// The last run that ended by itself.
    pub(super) last_end: Option<(RunId, Ended, Duration)>,
    /// A run of the present command has ended by itself with success: it is none that stays up.
    completes: bool,
}

impl Record {
    /// What the last run was started to answer.
    pub(super) fn served(&self) -> Pending {
        self.last_run.as_ref().map_or_else(Pending::default, |(_, cause)| Pending::of(cause))
    }

    pub(super) fn new(now: Instant) -> Record {
        Record {
            begun: now,
            runs: 0,
            failed: 0,
            reloads: 0,
            took: VecDeque::new(),
            last_failed: None,
            last_run: None,
            last_end: None,
            completes: false,
        }
    }

    /// Another command: of what the last one does nothing follows for it.
    pub(super) fn command_changed(&mut self) {
        self.completes = false;
    }

    /// What a run that is up is.
    pub(super) fn up(&self) -> State {
        if self.completes { State::Building } else { State::Running }
    }

    /// A leader came up; for a reload, after this time.
    pub(super) fn started(&mut self, took: Option<Duration>) {
        self.runs += 1;
        if let Some(took) = took {
            self.reloads += 1;
            if self.took.len() == RELOADS_KEPT {
                self.took.pop_front();
            }
            self.took.push_back(took);
        }
    }

    /// A leader ended by itself.
    pub(super) fn ended(&mut self, run: RunId, ended: Ended, after: Duration, now: Instant) {
        self.last_end = Some((run, ended, after));
        self.completes |= ended == Ended::Exit(0);
        if ended != Ended::Exit(0) {
            self.failed += 1;
            self.last_failed = Some((run, ended, now));
        }
    }

    /// A run could not be started, or its end is not known.
    pub(super) fn failed(&mut self) {
        self.failed += 1;
    }

    pub(super) fn reloads(&self) -> u64 {
        self.reloads
    }

    pub(super) fn median_reload(&self) -> Option<Duration> {
        let mut took: Vec<Duration> = self.took.iter().copied().collect();
        took.sort_unstable();
        took.get(took.len().checked_sub(1)? / 2).copied()
    }

    pub(super) fn tally(&self, now: Instant) -> Tally {
        Tally {
            elapsed: now.saturating_duration_since(self.begun),
            runs: self.runs,
            failed: self.failed,
            last_failed: self.last_failed,
        }
    }
}
