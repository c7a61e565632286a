//! What the process room tells about processes, independent of the platform.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::supervisor::RunId;

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

/// Where a run's standard input comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// A pipe that never ends, for programs that quit at its end.
    Open,
    /// The terminal: the run is the foreground process group.
    Terminal,
}

/// Everything that is needed to start one run. Argument, environment and directory are bytes: nothing
/// from outside is ever turned into shell text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The number of the run.
    pub run: RunId,
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// The complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// Absolute working directory, entered anew for each run.
    pub directory: PathBuf,
    /// Standard input.
    pub stdin: Stdin,
}
