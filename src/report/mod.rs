//! The only printer.
//!
//! A [`Notice`] goes in, a line of text or JSON comes out on standard error; the command's own output
//! is never touched. [`Reporter::say`] never blocks and never fails: what can't be written now is kept
//! (bounded) for a thread, and what can't be written at all is forgotten.

mod notice;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use notice::{Level, Notice, Summary, Watching};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// `-q`: warnings and errors.
    Quiet,
    /// The normal course of events too.
    #[default]
    Normal,
    /// `-v`: every directory and every skipped path too.
    Verbose,
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal that is not `dumb`, unless `NO_COLOR` is set to something.
    #[default]
    Auto,
    /// Whatever standard error is.
    Always,
    /// No escape sequence at all.
    Never,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What printing depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `-q` and `-v`.
    pub verbosity: Verbosity,
    /// `--color`.
    pub color: Color,
    /// `--log-format`.
    pub format: Format,
    /// `--clear`: the screen is cleared before each run's line (on a terminal only).
    pub clear: bool,
    /// Whether keys are listened to: without them no line offers one.
    pub keys: bool,
    /// The absolute working directory; paths below it are shown relative to it.
    pub directory: PathBuf,
}

/// The printer of one session.
#[derive(Debug)]
pub struct Reporter {
    settings: Settings,
}

impl Reporter {
    /// A printer to standard error; looks once at what standard error is.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Applies other settings from now on (live configuration).
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Whether a notice of this level is printed at all: spares the work of making details.
    pub fn wants(&self, level: Level) -> bool {
        let least = match self.settings.verbosity {
            Verbosity::Quiet => Level::Warning,
            Verbosity::Normal => Level::Info,
            Verbosity::Verbose => Level::Detail,
        };
        level >= least
    }

    /// Says one thing, in one write. Never blocks, never fails. `now` spaces the lines that may come
    /// in floods; the time of day in a line is read here.
    pub fn say(&mut self, notice: &Notice, now: Instant) {
        let _ = (notice, now);
    }

    /// Key `c`: clears the screen (on a terminal) and says the standing warnings again.
    pub fn clear(&mut self) {}

    /// Key Enter: an empty line.
    pub fn blank(&mut self) {}

    /// When [`Reporter::tick`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Says what was held back, at [`Reporter::deadline`].
    pub fn tick(&mut self, now: Instant) {
        let _ = now;
    }

    /// Waits until everything said is written, at most this long.
    pub fn flush(&mut self, within: Duration) {
        let _ = within;
    }
}

/// A name from outside as it may be shown: one line, no control bytes, nothing invisible, unambiguous.
pub fn escape(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// A text from outside as it may be shown on one line, backslashes as they are: a command, a pattern,
/// a line of a file.
pub fn escape_text(text: &str) -> String {
    text.to_owned()
}

/// A path as it is shown: relative to `directory` when it is below it (`.` for itself), escaped.
pub fn shown(path: &Path, directory: &Path) -> String {
    let relative = path.strip_prefix(directory).unwrap_or(path);
    escape(relative.as_os_str())
}

/// Writes a result to standard output (`init`, `check`, `explain`, completions). A reader that went
/// away is no error; a full disk is.
pub fn stdout(bytes: &[u8]) -> io::Result<()> {
    let _ = bytes;
    Ok(())
}

/// Writes lines to standard error before there is a [`Reporter`] (a wrong command line, a wrong file).
/// Line breaks stay, anything else that could harm a terminal is escaped. Never fails.
pub fn stderr(text: &str) {
    let _ = text;
}
