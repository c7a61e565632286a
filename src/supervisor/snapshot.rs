//! What a supervisor tells about itself.

use std::time::{Duration, Instant};

use crate::model::{Cause, Ended, RunId};

/// What the notices of a supervisor need to know about the command and its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// The command as typed.
    pub command: String,
    /// Whether it goes through `sh -c`.
    pub shell: bool,
    /// Where the configuration came from (`config.yml`, `built-in defaults`).
    pub configuration: String,
    /// Whether keys are listened to.
    pub keys: bool,
    /// Whether its standard input is empty, and its words say that it stays (`--watch`, `serve`).
    pub may_miss_input: bool,
}

/// One word for what is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A run is being started.
    Starting,
    /// A run is up.
    Running,
    /// A run is up that will end: an earlier run of the same command has ended by itself with success, or there is
    /// to be but this one.
    Building,
    /// Nothing runs; a change (or, after a crash, a moment) is waited for.
    Waiting,
    /// A run is being stopped.
    Stopping,
    /// The last run failed, or could not be started, and nothing runs now.
    Failed,
    /// Paused, and nothing runs. (A run that goes on while paused is `Running` or `Building` with `paused`.)
    Paused,
}

/// A picture of a supervisor, for `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What is going on.
    pub state: State,
    /// Changes start nothing for now.
    pub paused: bool,
    /// The current run, or else the last.
    pub run: Option<RunId>,
    /// Process id of the leader of the current run, while it is known and alive.
    pub pid: Option<u32>,
    /// Why `run` was started.
    pub cause: Option<Cause>,
    /// Since when `state` holds.
    pub since: Instant,
    /// The last run that ended by itself, how, and how long it ran.
    pub last_end: Option<(RunId, Ended, Duration)>,
    /// Runs so far that were not the first.
    pub reloads: u64,
    /// Half of the (latest) reloads took no longer than this, from the decision to the new process.
    pub median_reload: Option<Duration>,
    /// Changed paths that wait for the next run.
    pub kept: usize,
    /// A change was dropped since the last run was ordered (`on_busy: ignore`): no run has seen it.
    pub dropped: bool,
}

/// What a supervisor has counted since its start, for the summary line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Since the start.
    pub elapsed: Duration,
    /// Runs started.
    pub runs: u64,
    /// Runs that failed by themselves or could not be started.
    pub failed: u64,
    /// The last failed run that did start, how it ended, and when.
    pub last_failed: Option<(RunId, Ended, Instant)>,
}
