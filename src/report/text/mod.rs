//! A notice as lines for people. Wording is a feature: the tests hold every line word by word.

mod outputs;
mod rules;
mod runs;
mod session;
mod trees;

use std::path::Path;
use std::time::Duration;

pub(crate) use outputs::made_by;
pub(crate) use rules::{type_shown, verdict};

use super::escape::{escape, scrub, shown};
use crate::model::{Cause, LeftOver, Notice};

/// The facts that words depend on besides the notice.
pub(super) struct Context<'a> {
    /// The working directory: paths below it are shown relative to it.
    pub(super) directory: &'a Path,
    /// Whether a line may offer a key.
    pub(super) keys: bool,
    /// The time of day, `HH:MM:SS`; asked for only by lines that show it.
    pub(super) time: &'a dyn Fn() -> String,
    /// The time of day after a while.
    pub(super) time_in: &'a dyn Fn(Duration) -> String,
    /// The time since which the configuration is in force, `HH:MM:SS`.
    pub(super) configured: &'a dyn Fn() -> String,
}

/// The words of a notice, uncoloured. The first line follows the level; every further line is indented.
pub(super) fn words(notice: &Notice, context: &Context<'_>) -> String {
    scrub(&unscrubbed(notice, context))
}

/// The table of words: every notice has its line here.
fn unscrubbed(notice: &Notice, context: &Context<'_>) -> String {
    match notice {
        Notice::Run { run, cause: Cause::Start, command, configuration, keys } => {
            runs::start(*run, command, configuration.as_deref(), *keys)
        }
        Notice::Run { run, cause, .. } => runs::reload(*run, cause, context),
        Notice::Restarted { run, took } => runs::restarted(*run, *took),
        Notice::SlowStop { run, signal, process, left, timeout } => {
            runs::slow(*run, *signal, process, *left, *timeout, context)
        }
        Notice::Killed { run, timeout } => runs::killed(*run, *timeout),
        Notice::Ended { run, end, after, waiting } => {
            runs::ended(*run, *end, *after, *waiting, context)
        }
        Notice::CannotStart { run, error, waiting } => runs::cannot(*run, error, *waiting, context),
        Notice::NoChangedFile { path, error } => runs::no_changed_file(path, error, context),
        Notice::LeftOvers { run, processes } => runs::left(*run, processes),
        Notice::LeftOversStopped { run, processes } => runs::left_stopped(*run, processes),
        Notice::ShimLost { run } => runs::host_lost(*run),
        Notice::InputEnded { run } => runs::input_ended(*run),
        Notice::WaitsForTerminal { run, process } => runs::waits_for_terminal(*run, process),
        Notice::CrashDelay { run, wait } => runs::crash_delay(*run, *wait),
        Notice::CrashGaveUp { starts } => runs::crash_gave_up(*starts, context),
        Notice::Watching(watching) => trees::watches(watching, context),
        Notice::Progress { directories, elapsed } => trees::progress(*directories, *elapsed),
        Notice::Delayed { path, more, wait, duration } => {
            trees::delayed(&context.paths(path, *more), *wait, *duration, context)
        }
        Notice::Busy { path, more, on_busy } => {
            session::busy(&context.paths(path, *more), *on_busy, context)
        }
        Notice::GitHold { lock, age, waiting, left, stale } => {
            trees::git(lock, *age, *waiting, *left, *stale, context)
        }
        Notice::SameBytes { path, more } => trees::same(&context.paths(path, *more), 0, context),
        Notice::Ignored { path, rule, .. } => rules::ignored(path, rule, context),
        Notice::Directory { path } => format!("watching {}", context.path(path)),
        Notice::Unreadable { path, error } => trees::unreadable(path, error, context),
        Notice::RootMissing { path } => trees::root_missing(path, context),
        Notice::RootBack { path } => format!("{} is there: watched again", context.path(path)),
        Notice::Limit { events, polled, interval, sysctl, allowed, largest } => {
            let more = trees::remedy(events + polled, sysctl, *allowed, largest.as_ref(), context);
            trees::limit((*events, *polled), *interval, sysctl, *allowed) + "\n" + &more
        }
        Notice::Polling { path, reason, files, interval, advice } => {
            trees::polling(path, reason, *files, *interval, advice.as_deref())
        }
        Notice::Lost { queue, compared, took, changed } => {
            trees::lost(*queue, *compared, *took, *changed)
        }
        Notice::Noisy { path, every } => trees::noisy(path, *every, context),
        Notice::Configuration { text, .. } => text.clone(),
        Notice::Outputs { outputs, file } => outputs::learnt(outputs, file.as_deref(), context),
        Notice::OutputReleased { made, ignored } => outputs::released(made, *ignored, context),
        Notice::Cooling { proposal, after, runs, wait, file } => {
            outputs::cooling(proposal, *after, *runs, *wait, file.as_deref(), context)
        }
        Notice::OutputHint { proposal, runs, file } => {
            outputs::hint(proposal, runs, file.as_deref(), context)
        }
        Notice::Trial { made, wait } => outputs::trial(made, *wait, context),
        Notice::ConfigurationRejected { text, run } => session::rejected(text, *run, context),
        Notice::ConfigurationApplied { file, changes, run, restarts } => {
            session::applied(file, changes, *run, *restarts)
        }
        Notice::Paused => session::paused(context),
        Notice::Resumed { waiting } => session::resumed(waiting, context),
        Notice::Requested { what } => session::requested(what),
        Notice::KeyHelp => session::KEY_HELP.to_owned(),
        Notice::Quit(summary) => session::quit(summary),
    }
}

/// The words for saves that changed nothing, of which `swallowed` more were not said.
pub(super) fn same(path: &Path, more: usize, swallowed: u64, context: &Context<'_>) -> String {
    scrub(&trees::same(&context.paths(path, more), swallowed, context))
}

/// Whether the line stands out: a run begins because of something.
pub(super) fn is_reload(notice: &Notice) -> bool {
    matches!(notice, Notice::Run { cause, .. } if *cause != Cause::Start)
}

impl Context<'_> {
    fn path(&self, path: &Path) -> String {
        shown(path, self.directory)
    }

    /// A path and the number of others: `internal/a.go (+3)`.
    fn paths(&self, path: &Path, more: usize) -> String {
        match more {
            0 => self.path(path),
            _ => format!("{} (+{more})", self.path(path)),
        }
    }

    /// The offer of a key, ` (r runs again)`, where keys are listened to.
    fn offer(&self, what: &str) -> String {
        if self.keys { format!(" ({what})") } else { String::new() }
    }
}

/// A process: `sudo (pid 4243)`.
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
