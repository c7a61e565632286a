//! What was typed and what it means: the YAML file and the command line become one resolved [`Config`].
//!
//! The file is read twice: `outline` gives every value its place and refuses what no configuration needs
//! (depth, alias bombs, duplicate keys), `file` is the typed and strict pass. `keys` lists every key once.

mod check;
mod command;
mod diagnostic;
mod discover;
mod duration;
mod envs;
mod file;
mod init;
mod keys;
mod outline;
mod paths;
mod patterns;
mod resolve;
mod schema;
mod shape;
mod signal;
mod source;
#[cfg(test)]
mod tests;
mod values;
pub(crate) mod words;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use check::{Checked, check};
pub use command::CommandLine;
pub use diagnostic::{Diagnostic, Place};
pub use duration::format as format_duration;
pub use init::{init, template};
#[cfg(test)]
pub(crate) use keys::of_flag as key_of_flag;
pub(crate) use paths::absolute;
pub use schema::schema;
pub use signal::name as signal_name;

use crate::cli::RunArgs;
use crate::filter::Filter;
use crate::report::{self, Notice, Verbosity};
use crate::{process, settle, supervisor, watch};
use values::Values;

/// Reads a variable of our own environment.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where a configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There is no file.
    Defaults,
    /// This file, as the person wrote it.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => out.write_str("built-in defaults"),
            Self::File(path) => out.write_str(&source::shown(path)),
        }
    }
}

/// How the program talks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Clear the screen before each run.
    pub clear: bool,
    /// `-q` and `-v`.
    pub verbosity: Verbosity,
    /// `--color`.
    pub color: report::Color,
    /// `log_format`.
    pub log_format: report::Format,
}

/// Everything that was decided before the first run: resolved and compiled.
#[derive(Debug)]
pub struct Config {
    /// Where it came from.
    pub origin: Origin,
    /// What to run. `None` when nobody said; see [`Config::required_command`].
    pub command: Option<CommandLine>,
    /// The absolute working directory of the command.
    pub directory: PathBuf,
    /// What is watched.
    pub roots: Vec<watch::Root>,
    /// Which paths count.
    pub filter: Arc<Filter>,
    /// When a save is complete.
    pub settle: settle::Settings,
    /// What to do about it.
    pub supervise: supervisor::Settings,
    /// Where events come from.
    pub watch: watch::Settings,
    /// Additions to the inherited environment, each name once; they override it.
    pub env: Vec<(OsString, OsString)>,
    /// Names of daemons that may outlive a run.
    pub stop_keep: Vec<String>,
    /// The command's standard input.
    pub stdin: process::Stdin,
    /// Whether to listen to keys.
    pub keys: bool,
    /// The name of this instance.
    pub name: Option<String>,
    /// How the program talks.
    pub output: Output,
    /// Warnings found while loading.
    pub notices: Vec<Notice>,
    values: Values,
}

/// Finds, reads and resolves the configuration for `run`.
///
/// # Errors
/// What is wrong with the command line or the file, with its place; exit status 2.
pub fn load(args: &RunArgs, working_directory: &Path, env: Env<'_>) -> Result<Config, Diagnostic> {
    let found = discover::find(args, working_directory)?;
    resolve::resolve(args, found, working_directory, env)
}

/// The duration given with a flag that has no key.
///
/// # Errors
/// What is wrong with it; exit status 2.
pub fn flag_duration(flag: &str, text: &str) -> Result<std::time::Duration, Diagnostic> {
    duration::parse(text).map_err(|error| Diagnostic::usage(format!("{flag}: {error}")))
}

impl Config {
    /// The command.
    ///
    /// # Errors
    /// None was given anywhere: the error shows the ways to give one.
    pub fn required_command(&self) -> Result<&CommandLine, Diagnostic> {
        self.command.as_ref().ok_or_else(|| command::missing(&self.origin))
    }

    /// What the printer needs to know.
    #[must_use]
    pub fn report_settings(&self) -> report::Settings {
        report::Settings {
            verbosity: self.output.verbosity,
            color: self.output.color,
            format: self.output.log_format,
            clear: self.output.clear,
            keys: self.keys,
            directory: self.directory.clone(),
        }
    }

    /// What a live change to `newer` changes, key by key, on one line; `None` when nothing does.
    #[must_use]
    pub fn changes(&self, newer: &Self) -> Option<String> {
        self.values.changes(&newer.values)
    }

    /// Whether a running command has to be restarted for `newer` to hold: another command, environment,
    /// working directory or standard input.
    #[must_use]
    pub fn needs_restart(&self, newer: &Self) -> bool {
        self.command != newer.command
            || self.env != newer.env
            || self.directory != newer.directory
            || self.stdin != newer.stdin
    }

    /// Whether the watched tree has to be looked at anew for `newer` to hold.
    #[must_use]
    pub fn needs_walk(&self, newer: &Self) -> bool {
        self.roots != newer.roots
            || self.filter.spec() != newer.filter.spec()
            || self.watch != newer.watch
    }
}
