//! The words about runs.

use std::path::Path;
use std::time::Duration;

use super::{Context, process, processes};
use crate::model::{Cause, Ended, LeftOver, RunEnd, RunId, Signal, SpawnError};
use crate::report::ending::{self, signal_name};
use crate::report::escape::{escape, escape_text};
use crate::report::human;

/// Whether the run ended well.
fn succeeded(ended: Ended) -> bool {
    ended == Ended::Exit(0)
}

pub(super) fn start(run: RunId, command: &str, configuration: Option<&str>, keys: bool) -> String {
    const KEYS: &str = "r restart  p pause  q quit  ? more";
    let aside = match (configuration, keys) {
        (Some(file), true) => format!("   ({}; {KEYS})", escape_text(file)),
        (Some(file), false) => format!("   ({})", escape_text(file)),
        (None, true) => format!("   ({KEYS})"),
        (None, false) => String::new(),
    };
    format!("run {}: {}{aside}", run.0, escape_text(command))
}

pub(super) fn reload(run: RunId, cause: &Cause, context: &Context<'_>) -> String {
    let why = match cause {
        Cause::Start => "start".to_owned(),
        Cause::Request => "on request".to_owned(),
        Cause::Crash => "after a failure".to_owned(),
        Cause::Changes(paths) => match paths.split_first() {
            Some((first, rest)) => format!("changed {}", context.paths(first, rest.len())),
            None => "changed".to_owned(),
        },
    };
    format!("{} {why}: run {}", (context.time)(), run.0)
}

pub(super) fn restarted(run: RunId, took: Duration) -> String {
    format!("run {} started {} after the save was complete", run.0, human::duration(took))
}

pub(super) fn slow(
    run: RunId,
    signal: Signal,
    process: &LeftOver,
    left: Duration,
    timeout: Duration,
    context: &Context<'_>,
) -> String {
    let kill = if context.keys { ", r kills now" } else { "" };
    format!(
        "run {} has not stopped {} after {}: pid {} {}; SIGKILL in {}{kill} (stop.timeout: {})",
        run.0,
        human::seconds(timeout.saturating_sub(left)),
        signal_name(signal.0),
        process.pid,
        escape(&process.name),
        human::seconds(left),
        human::seconds(timeout),
    )
}

pub(super) fn killed(run: RunId, timeout: Duration) -> String {
    let timeout = human::seconds(timeout);
    format!("run {} had not stopped after {timeout}: killed (stop.timeout)", run.0)
}

pub(super) fn ended(
    run: RunId,
    end: RunEnd,
    after: Duration,
    waiting: bool,
    context: &Context<'_>,
) -> String {
    let word = if ending::signal_of(end).is_some() { "after" } else { "in" };
    let after = human::duration(after);
    let wait = if waiting && !succeeded(end.ended) { waits(context) } else { String::new() };
    format!("run {}: {} {word} {after}{wait}", run.0, ending::ended(end))
}

pub(super) fn cannot(
    run: RunId,
    error: &SpawnError,
    waiting: bool,
    context: &Context<'_>,
) -> String {
    let wait = if waiting { "; waiting for a change" } else { "" };
    format!("run {}: {}{wait}", run.0, ending::cannot_start(error, context.directory))
}

fn waits(context: &Context<'_>) -> String {
    format!("; waiting for a change{}", context.offer("r runs again"))
}

pub(super) fn no_changed_file(path: &Path, error: &str, context: &Context<'_>) -> String {
    format!(
        "{}: {}: the list of changed files cannot be written; this run starts without \
         GO_WATCHER_CHANGED_FILE",
        context.path(path),
        escape_text(error)
    )
}

pub(super) fn left(run: RunId, left: &[LeftOver]) -> String {
    let them = if left.len() == 1 { "it stops" } else { "they stop" };
    format!("run {} left {} running; {them} before the next run", run.0, processes(left))
}

pub(super) fn left_stopped(run: RunId, left: &[LeftOver]) -> String {
    format!(
        "run {} had left {} running: stopped. To let such a process live, add its name to stop.keep",
        run.0,
        processes(left)
    )
}

pub(super) fn host_lost(run: Option<RunId>) -> String {
    match run {
        Some(run) => format!(
            "the process that hosted run {} was killed: everything of the run is stopped",
            run.0
        ),
        None => {
            "the process that hosts the runs was killed; the next run gets a new one".to_owned()
        }
    }
}

pub(super) fn waits_for_terminal(run: RunId, waits: &LeftOver) -> String {
    format!("run {}: {} waits for the terminal; start with --stdin", run.0, process(waits))
}

pub(super) fn input_ended(run: RunId) -> String {
    format!("run {}: its standard input is closed; if it ends for that: --stdin=open", run.0)
}

pub(super) fn crash_delay(run: RunId, wait: Duration) -> String {
    let wait = human::duration(wait);
    format!("run {} starts again in {wait} (on_crash: restart)", run.0)
}

pub(super) fn crash_gave_up(starts: usize, context: &Context<'_>) -> String {
    let key = if context.keys { "; r runs again" } else { "" };
    format!("failed {starts} times within 30s: waiting for a change (on_crash: restart{key})")
}
