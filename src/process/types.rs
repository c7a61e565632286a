//! What is needed to start one run, independent of the platform.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::model::{RunId, Stdin};

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
