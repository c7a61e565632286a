//! A notice as lines for people. Wording is a feature: the tests hold every line word by word.

mod outputs;
mod rules;
mod runs;
mod session;
mod trees;

use std::path::Path;
use std::time::Duration;

pub(crate) use outputs::made_by;
pub(crate) use rules::verdict;
pub(crate) use trees::type_shown;

use super::escape::{escape, scrub, shown};
use crate::model::{LeftOver, Notice};

/// What the words depend on besides the notice.
pub(super) struct Context<'a> {
    /// Paths below it are shown relative to it.
    pub(super) directory: &'a Path,
    /// Whether a line may offer a key.
    pub(super) keys: bool,
    /// The time of day, `HH:MM:SS`; asked for only by lines that show it.
    pub(super) time: &'a dyn Fn() -> String,
    /// The time of day after so long.
    pub(super) time_in: &'a dyn Fn(Duration) -> String,
    /// Since when the configuration is in force, `HH:MM:SS`.
    pub(super) configured: &'a dyn Fn() -> String,
}

/// The words of a notice, uncoloured. The first line follows the level; every further line is indented.
pub(super) fn words(notice: &Notice, context: &Context<'_>) -> String {
    let words = runs::words(notice, context)
        .or_else(|| trees::words(notice, context))
        .or_else(|| session::words(notice, context))
        .or_else(|| outputs::words(notice, context))
        .unwrap_or_default();
    scrub(&words)
}

/// The words for saves that changed nothing, of which `swallowed` more were not said.
pub(super) fn same(path: &Path, more: usize, swallowed: u64, context: &Context<'_>) -> String {
    scrub(&trees::same(&context.paths(path, more), swallowed, context))
}

/// Whether the line stands out: a run begins because of something.
pub(super) fn is_reload(notice: &Notice) -> bool {
    use crate::model::Cause;
    matches!(notice, Notice::Run { cause, .. } if *cause != Cause::Start)
}

impl Context<'_> {
    fn path(&self, path: &Path) -> String {
        shown(path, self.directory)
    }

    /// `internal/a.go (+3)`.
    fn paths(&self, path: &Path, more: usize) -> String {
        match more {
            0 => self.path(path),
            _ => format!("{} (+{more})", self.path(path)),
        }
    }

    /// ` (r runs again)`, where keys are listened to.
    fn offer(&self, what: &str) -> String {
        if self.keys { format!(" ({what})") } else { String::new() }
    }
}

/// `sudo (pid 4243)`.
fn process(process: &LeftOver) -> String {
    format!("{} (pid {})", escape(&process.name), process.pid)
}

/// Several processes, the first five by name.
fn processes(all: &[LeftOver]) -> String {
    let mut named: Vec<String> = all.iter().take(5).map(process).collect();
    if all.len() > 5 {
        named.push(format!("{} more", all.len() - 5));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests;
