//! From the configuration and a cause to what the process room needs to start a run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::model::{Notice, RunId};
use crate::process::Launch;

use super::private::{self, Private};

/// A run ready to be started.
pub(super) struct Prepared {
    /// For the process room.
    pub launch: Launch,
    /// What has to be said beside it: the list of changed files could not be written.
    pub problem: Option<Notice>,
}

/// The environment this program was started with, overridden by the file and the flags: what every run gets, before
/// it is told what changed.
pub(super) fn environment(config: &Config) -> Vec<(OsString, OsString)> {
    let mut merged: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    merged.extend(config.env.iter().cloned());
    merged.into_iter().collect()
}

/// Everything that is needed to start `run`, which is told of `paths`. It starts even when it can't be told what changed.
pub(super) fn prepare(
    config: &Config,
    files: &mut Private,
    run: RunId,
    paths: &[Arc<Path>],
) -> Prepared {
    let mut env = vec![("GO_WATCHER_CHANGED".into(), private::list(paths))];
    let problem = match files.write(paths) {
        Ok(file) => {
            env.push(("GO_WATCHER_CHANGED_FILE".into(), file.into()));
            None
        }
        Err((path, error)) => Some(Notice::NoChangedFile { path, error: error.to_string() }),
    };
    let argv = config.command.as_ref().map(|command| command.argv.clone()).unwrap_or_default();
    let directory = config.directory.clone();
    Prepared { launch: Launch { run, argv, env, directory, stdin: config.stdin }, problem }
}
