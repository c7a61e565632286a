//! The vocabulary of decisions: what can happen to a supervisor and what it can order.

use std::time::Duration;

use crate::model::{
    Batch, Cause, Ended, Notice, OnBusy, OnCrash, ProcessEvent, RunId, Signal, SlotId, SpawnStage,
};

/// Everything from outside that a supervisor decides about. Each process event carries its slot and its run;
/// what is not of the current run of the slot has no effect beyond a notice.
#[derive(Clone, Debug)]
pub enum Event {
    /// The program is set up: start the first run (unless it is postponed).
    Begin,
    /// A settled and verified batch of changes.
    Batch(Batch),
    /// Something happened to the processes of a slot.
    Process(SlotId, ProcessEvent),
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

/// What a supervisor decides. It is to be performed in order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Something to do in a slot.
    Order(SlotId, Order),
    /// Tell the person.
    Say(Notice),
    /// Everything is stopped: leave the loop.
    Exit(Exit),
}

/// What a slot has to do.
#[derive(Clone, Debug)]
pub enum Order {
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
    /// Name the living processes of the run in an [`ProcessEvent::StillThere`] (a stop is slow). May stay
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
