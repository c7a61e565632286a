//! What is said about runs.

use std::time::Duration;

use super::{Context, process, processes};
use crate::model::{Cause, Ended, Notice, RunId, Signal, SpawnError};
use crate::report::ending::{self, signal_name};
use crate::report::escape::{escape, escape_text};
use crate::report::human;

/// The words of a notice about runs; `None` for any other.
pub(super) fn words(notice: &Notice, context: &Context<'_>) -> Option<String> {
    Some(match notice {
        Notice::Run { run, cause, command, configuration, keys } => match cause {
            Cause::Start => start(*run, command, configuration.as_deref(), *keys),
            cause => reload(*run, cause, context),
        },
        Notice::Restarted { run, took } => {
            format!("run {} started {} after the save was complete", run.0, human::duration(*took))
        }
        Notice::SlowStop { run, signal, process, left, timeout } => {
            slow(*run, *signal, process, *left, *timeout, context)
        }
        Notice::Killed { run, timeout } => format!(
            "run {} had not stopped after {}: killed (stop.timeout)",
            run.0,
            human::seconds(*timeout)
        ),
        Notice::Ended { run, ended, after, shell, waiting } => {
            let end = ending::ended(*ended, *shell);
            let died = ending::signal_of(*ended, *shell).is_some();
            let word = if died { "after" } else { "in" };
            let after = human::duration(*after);
            let wait = if *waiting && !succeeded(*ended) { waits(context) } else { String::new() };
            format!("run {}: {end} {word} {after}{wait}", run.0)
        }
        Notice::CannotStart { run, error, waiting } => cannot(*run, error, *waiting, context),
        Notice::NoChangedFile { path, error } => format!(
            "{}: {}: the list of changed files cannot be written; this run starts without \
             GO_WATCHER_CHANGED_FILE",
            context.path(path),
            escape_text(error)
        ),
        Notice::LeftOvers { run, processes: left } => {
            let them = if left.len() == 1 { "it stops" } else { "they stop" };
            format!("run {} left {} running; {them} before the next run", run.0, processes(left))
        }
        Notice::LeftOversStopped { run, processes: left } => format!(
            "run {} had left {} running: stopped. To let such a process live, add its name to stop.keep",
            run.0,
            processes(left)
        ),
        Notice::ShimLost { run: Some(run) } => format!(
            "the process that hosted run {} was killed: everything of the run is stopped",
            run.0
        ),
        Notice::ShimLost { run: None } => {
            "the process that hosts the runs was killed; the next run gets a new one".to_owned()
        }
        Notice::WaitsForTerminal { run, process: p } => {
            format!("run {}: {} waits for the terminal; start with --stdin", run.0, process(p))
        }
        Notice::CrashDelay { run, wait } => {
            let wait = human::duration(*wait);
            format!("run {} starts again in {wait} (on_crash: restart)", run.0)
        }
        Notice::CrashGaveUp { starts } => {
            let key = if context.keys { "; r runs again" } else { "" };
            format!(
                "failed {starts} times within 30s: waiting for a change (on_crash: restart{key})"
            )
        }
        _ => return None,
    })
}

/// Whether the run ended well.
pub(in crate::report) fn succeeded(ended: Ended) -> bool {
    ended == Ended::Exit(0)
}

fn start(run: RunId, command: &str, configuration: Option<&str>, keys: bool) -> String {
    const KEYS: &str = "r restart  p pause  q quit  ? more";
    let aside = match (configuration, keys) {
        (Some(file), true) => format!("   ({}; {KEYS})", escape_text(file)),
        (Some(file), false) => format!("   ({})", escape_text(file)),
        (None, true) => format!("   ({KEYS})"),
        (None, false) => String::new(),
    };
    format!("run {}: {}{aside}", run.0, escape_text(command))
}

fn reload(run: RunId, cause: &Cause, context: &Context<'_>) -> String {
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

fn slow(
    run: RunId,
    signal: Signal,
    process: &crate::model::LeftOver,
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

fn cannot(run: RunId, error: &SpawnError, waiting: bool, context: &Context<'_>) -> String {
    let wait = if waiting { "; waiting for a change" } else { "" };
    format!("run {}: {}{wait}", run.0, ending::cannot_start(error, context.directory))
}

fn waits(context: &Context<'_>) -> String {
    format!("; waiting for a change{}", context.offer("r runs again"))
}
