//! The state of the command: one enum, so that what can't be does not compile.

use std::time::Instant;

use super::Exit;
use super::pending::Pending;
use crate::model::RunId;

/// Where the command stands.
#[derive(Clone, Debug)]
pub(super) enum Child {
    /// No process lives.
    Empty(Rest),
    /// A run has been ordered; its leader is not up yet.
    Starting {
        /// The run.
        run: RunId,
        /// What it answers, until it is known to have started.
        serves: Pending,
    },
    /// The leader is up.
    Running {
        /// The run.
        run: RunId,
        /// Process id of the leader.
        pid: u32,
        /// When it came up.
        at: Instant,
    },
    /// The leader has ended; descendants may live until the next stop.
    Ended {
        /// The run.
        run: RunId,
        /// What comes next.
        rest: Rest,
    },
    /// Everything of the run is being stopped.
    Stopping(Stopping),
    /// `Exit` has been ordered: nothing has an effect any more.
    Over,
}

/// What is waited for while no leader lives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    /// The program is not set up yet.
    Unbegun,
    /// A change or a request.
    Change {
        /// The last run failed by itself or could not be started.
        failed: bool,
    },
    /// The same, or this moment (`on_crash: restart`).
    Backoff {
        /// When the command is started again.
        until: Instant,
    },
}

/// A stop under way.
#[derive(Clone, Debug)]
pub(super) struct Stopping {
    pub(super) run: RunId,
    /// The leader, when its start has been heard of.
    pub(super) pid: Option<u32>,
    pub(super) next: Next,
    pub(super) force: Force,
}

/// What comes when nothing of the stopped run is left.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Start,
    Rest(Rest),
    Exit(Exit),
}

/// How hard a stop has become.
#[derive(Clone, Copy, Debug)]
pub(super) enum Force {
    /// The stop signal was sent at this time.
    Asked { at: Instant, slow: Slow },
    /// SIGKILL until nothing is left.
    Killed,
}

/// How far the notice about a slow stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slow {
    Unsaid,
    /// The process room was asked who still lives.
    Asked,
    Said,
}

impl Child {
    /// The run whose processes may live.
    pub(super) fn run(&self) -> Option<RunId> {
        match self {
            Child::Starting { run, .. }
            | Child::Running { run, .. }
            | Child::Ended { run, .. }
            | Child::Stopping(Stopping { run, .. }) => Some(*run),
            Child::Empty(_) | Child::Over => None,
        }
    }

    /// Whether a process event of this run has a meaning.
    pub(super) fn is(&self, run: RunId) -> bool {
        self.run() == Some(run)
    }
}

#[cfg(test)]
impl Rest {
    /// Without its point in time.
    pub(super) fn shape(self) -> &'static str {
        match self {
            Rest::Unbegun => "unbegun",
            Rest::Change { failed: true } => "failed",
            Rest::Change { failed: false } => "change",
            Rest::Backoff { .. } => "backoff",
        }
    }
}
