//! What was typed and what it means: the YAML file and the command line become one resolved [`Config`].
//!
//! `keys` lists every key once, with its flag; `options` makes the flags of it. The file's text is parsed twice:
//! `outline` gives each value its place and refuses what no configuration needs (depth, alias bombs, duplicate keys),
//! `file` has serde read the values, each as its key wants it. `pick` takes one value for each key, `resolve` makes a
//! [`Config`] of them.

mod check;
mod command;
mod diagnostic;
mod discover;
mod duration;
mod envs;
mod file;
mod init;
pub(crate) mod keys;
mod kind;
mod options;
mod outline;
mod paths;
mod patterns;
mod pick;
mod resolve;
mod schema;
mod signal;
mod source;
#[cfg(test)]
mod tests;
mod values;

use std::ffi::OsString;
use std::path::Path;

pub use check::{Checked, check};
pub use command::CommandLine;
pub use diagnostic::{Diagnostic, Position};
pub use duration::format as format_duration;
pub use init::{init, template};
pub(crate) use keys::of_flag as key_of_flag;
pub use options::{CheckArgs, InitArgs, Options, RunArgs};
pub(crate) use paths::absolute;
pub use resolve::{Config, Output};
pub use schema::schema;
pub use signal::name as signal_name;

/// Reads a variable of our own environment.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

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
