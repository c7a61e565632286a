//! The vocabulary of decisions: what can happen to a supervisor and what it can order.

use std::time::Duration;

use crate::model::{Batch, Cause, Ended, LeftOver, Notice, RunId, Signal, SpawnError, SpawnStage};

/// Everything from outside that a supervisor decides about. Each process event carries its [`RunId`];
/// one that is not the current run has no effect beyond a notice.
#[derive(Clone, Debug)]
pub enum Event {
    /// The program is set up: start the first run (unless it is postponed).
    Begin,
    /// A settled and verified batch of changes.
    Batch(Batch),
    /// The run's leader has been started.
    Started {
        /// The run.
        run: RunId,
        /// Process id of the leader.
        pid: u32,
    },
    /// The run could not be started.
    SpawnFailed {
        /// The run.
        run: RunId,
        /// Why, with the path concerned.
        error: SpawnError,
    },
    /// The run's leader has ended. Descendants may still live.
    Exited {
        /// The run.
        run: RunId,
        /// How it ended.
        ended: Ended,
        /// What it left running (build daemons of `stop.keep` excepted).
        left: Vec<LeftOver>,
    },
    /// No process of the run is left.
    Gone {
        /// The run.
        run: RunId,
        /// Left-overs that had to be stopped after the leader had ended; also, each name once, daemons
        /// that a living leader had started.
        stopped: Vec<LeftOver>,
    },
    /// The answer to [`Action::Survey`]: what of the run still lives.
    StillThere {
        /// The run.
        run: RunId,
        /// Its living processes, the leader first if it is among them.
        processes: Vec<LeftOver>,
    },
    /// A process of the run waits for the terminal (stopped by SIGTTIN or SIGTTOU).
    WaitsForTerminal {
        /// The run.
        run: RunId,
        /// Which process.
        process: LeftOver,
    },
    /// The shim that hosted the run died; its tree has been stopped by us.
    ShimLost {
        /// The run that it hosted, if any.
        run: Option<RunId>,
    },
    /// A signal asked this program to end.
    Terminate(Signal),
    /// Somebody asked for something: a key, or another process through the control socket.
    Request(Request),
}

/// What a person or a script can ask a running instance for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Run again now; while a run is stopping: kill it now.
    Restart,
    /// Stop the command, go on watching.
    Stop,
    /// Keep changes but start nothing.
    Pause,
    /// Go on; run once if something changed meanwhile.
    Resume,
    /// `Pause` or `Resume`, whichever changes something.
    TogglePause,
    /// Stop the command and end with status 0.
    Quit,
}

/// What a supervisor orders. The runtime performs it, in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Start the command as this run.
    Spawn {
        /// The new run's number.
        run: RunId,
        /// Why.
        cause: Cause,
    },
    /// Send the stop signal to the whole tree of the run, then SIGCONT, and report `Gone`.
    Stop {
        /// The run to stop.
        run: RunId,
    },
    /// SIGKILL everything of the run until it is gone.
    Kill {
        /// The run to kill.
        run: RunId,
    },
    /// Name the living processes of the run in an [`Event::StillThere`] (a stop is slow). May stay
    /// unanswered.
    Survey {
        /// The run.
        run: RunId,
    },
    /// Send a signal to the run and let it live (`on_busy: signal`).
    Signal {
        /// The run.
        run: RunId,
        /// What to send.
        signal: Signal,
    },
    /// Tell the person.
    Say(Notice),
    /// Everything is stopped: leave the loop.
    Exit(Exit),
}

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By request (`q`): status 0.
    Quit,
    /// By a signal, which is raised again as the last act.
    Signal(Signal),
    /// With the command's own status (`--once`, `on_crash: exit`).
    Command(Ended),
    /// The command of `--once` could not be started: where that failed, and the system's error number.
    CannotStart(SpawnStage, i32),
}

pub use crate::model::{OnBusy, OnCrash};

/// The settings that decisions depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`OnBusy`].
    pub on_busy: OnBusy,
    /// See [`OnCrash`].
    pub on_crash: OnCrash,
    /// Sent first when the command has to stop (default SIGTERM).
    pub stop_signal: Signal,
    /// How long the command may take to stop before SIGKILL (default 5 s).
    pub stop_timeout: Duration,
    /// No first run.
    pub postpone: bool,
    /// Run once and exit with the command's status.
    pub once: bool,
}
