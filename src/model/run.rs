//! A run of the command: its number, why it was started, how it ended.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::json;

/// The number of a run, from 1, as people see it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
pub struct RunId(pub u64);

/// A signal by its number, as `kill(2)` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

/// Why a run is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The first run.
    Start,
    /// Changed paths, in the order of their first change.
    Changes(#[serde(serialize_with = "json::listed")] Vec<Arc<Path>>),
    /// Somebody asked.
    Request,
    /// `on_crash: restart` after a failed run.
    Crash,
}

impl Cause {
    /// The changed paths; none when something else than a change was the cause.
    #[must_use]
    pub fn paths(&self) -> &[Arc<Path>] {
        match self {
            Self::Changes(paths) => paths,
            Self::Start | Self::Request | Self::Crash => &[],
        }
    }

    /// The changed paths, and after them what came along without being a cause.
    #[must_use]
    pub fn with(&self, along: Vec<Arc<Path>>) -> Cow<'_, [Arc<Path>]> {
        let paths = self.paths();
        let mut more: Vec<Arc<Path>> = along;
        more.retain(|path| !paths.contains(path));
        if more.is_empty() { Cow::Borrowed(paths) } else { Cow::Owned([paths, &more].concat()) }
    }
}

/// How a process ended, decoded from its wait status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// With an exit status (0–255).
    Exit(i32),
    /// Killed by a signal.
    Signal(i32),
}

/// A process of a run: its id and the program it runs, for messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    /// Process id.
    pub pid: u32,
    /// Its name (`/proc/PID/comm`), unescaped.
    #[serde(serialize_with = "json::name")]
    pub name: OsString,
}

/// Where starting a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpawnStage {
    /// Entering the working directory.
    WorkingDirectory,
    /// Making the pipe, the process or the temporary file.
    Fork,
    /// Executing the program (`errno` ENOENT, EACCES, ENOEXEC, E2BIG, …).
    Exec,
    /// The shim itself could not be started.
    #[serde(rename = "host")]
    Shim,
}

/// Why a run could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpawnError {
    /// What failed.
    pub stage: SpawnStage,
    /// The path concerned (the program or the working directory), unescaped.
    #[serde(serialize_with = "json::name")]
    pub path: PathBuf,
    /// The system's error number.
    pub errno: i32,
    /// What can be said beyond the error number (`the interpreter /bin/nope does not exist`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One of the places of a task in which a run can live: at most one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotId(pub u8);

impl SlotId {
    /// The place of the command itself.
    pub const APP: SlotId = SlotId(0);
}

/// What happens to the processes of a slot.
#[derive(Clone, Debug)]
pub enum ProcessEvent {
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
    /// What of the run still lives; the answer to a question during a slow stop.
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
    /// The process that hosted the run died; what it hosted has been stopped.
    HostLost {
        /// The run that it hosted, if any.
        run: Option<RunId>,
    },
    /// A key of the terminal sent this signal to the run that has it, and so it is meant for this program too.
    Typed(Signal),
}
