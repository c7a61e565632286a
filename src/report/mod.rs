//! The only printer.
//!
//! A [`Notice`](crate::model::Notice) goes in, a line of text or JSON comes out on standard error; the command's own output
//! is never touched. [`Reporter::say`] never blocks and never fails: what can't be written now is kept
//! (bounded) for a thread, and a line that can't be written at all is forgotten.

mod ending;
mod escape;
mod human;
mod json;
mod reporter;
#[cfg(test)]
mod samples;
mod screen;
mod style;
mod text;
mod writer;

use crate::model::{Color, Format};
use std::path::PathBuf;

pub use escape::{escape, escape_bytes, escape_text, shown};
pub use human::{count, counted, duration};
pub use json::JsonName;
pub(crate) use json::line as json_line;

pub use reporter::{Reporter, stderr, stdout, stdout_is_terminal, time_of_day};
pub(crate) use text::{made_by, type_shown, verdict};

/// The amount that is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors: `-q`.
    Quiet,
    /// The normal course of events, too.
    #[default]
    Normal,
    /// Every directory and every skipped path, too: `-v`.
    Verbose,
}

/// The settings that printing depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The flags `-q` and `-v`.
    pub verbosity: Verbosity,
    /// `--color`.
    pub color: Color,
    /// `--log-format`.
    pub format: Format,
    /// Whether the screen is cleared before each run's line, on a terminal only: `--clear`.
    pub clear: bool,
    /// Whether keys are listened to: without them no line offers one.
    pub keys: bool,
    /// The absolute working directory; paths below it are shown relative to it.
    pub directory: PathBuf,
}
