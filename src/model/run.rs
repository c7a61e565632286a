//! A run of the command: its number, why it was started, how it ended.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The number of a run, from 1, as people see it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct RunId(pub u64);

/// A signal by its number, as `kill(2)` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(pub i32);

/// Why a run is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The first run.
    Start,
    /// Changed paths, in the order of their first change.
    Changes(Vec<Arc<Path>>),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an exit status (0–255).
    Exit(i32),
    /// Killed by a signal.
    Signal(i32),
}

/// A process of a run: its id and the program it runs, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// Process id.
    pub pid: u32,
    /// Its name (`/proc/PID/comm`), unescaped.
    pub name: OsString,
}

/// Where starting a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnStage {
    /// Entering the working directory.
    WorkingDirectory,
    /// Making the pipe, the process or the temporary file.
    Fork,
    /// Executing the program (`errno` ENOENT, EACCES, ENOEXEC, E2BIG, …).
    Exec,
    /// The shim itself could not be started.
    Shim,
}

/// Why a run could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnError {
    /// What failed.
    pub stage: SpawnStage,
    /// The path concerned (the program or the working directory), unescaped.
    pub path: PathBuf,
    /// The system's error number.
    pub errno: i32,
    /// What can be said beyond the error number (`the interpreter /bin/nope does not exist`).
    pub detail: Option<String>,
}
