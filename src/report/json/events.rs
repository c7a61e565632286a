//! The event of each notice and its fields.

use std::path::Path;

use super::object::{Name, Object, Output, Paths, Process, Tree};
use crate::model::{Cause, Notice, SpawnStage};
use crate::report::ending::{signal_name, signal_of};

/// At most so many paths of one run are listed; `more` counts the rest.
const LISTED: usize = 1_000;

/// The name of the event.
pub(super) fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Run { .. } => "run",
        Notice::Watching(_) => "watching",
        Notice::Progress { .. } => "progress",
        Notice::Restarted { .. } => "restarted",
        Notice::SlowStop { .. } => "slow_stop",
        Notice::Killed { .. } => "killed",
        Notice::Delayed { .. } => "delayed",
        Notice::Busy { .. } => "busy",
        Notice::GitHold { .. } => "git_hold",
        Notice::SameBytes { .. } => "same_bytes",
        Notice::Ended { .. } => "ended",
        Notice::CannotStart { .. } => "cannot_start",
        Notice::NoChangedFile { .. } => "no_changed_file",
        Notice::LeftOvers { .. } => "left_overs",
        Notice::LeftOversStopped { .. } => "left_overs_stopped",
        Notice::ShimLost { .. } => "host_lost",
        Notice::WaitsForTerminal { .. } => "waits_for_terminal",
        Notice::CrashDelay { .. } => "crash_delay",
        Notice::CrashGaveUp { .. } => "crash_gave_up",
        Notice::Ignored { .. } => "ignored",
        Notice::Directory { .. } => "directory",
        Notice::Unreadable { .. } => "unreadable",
        Notice::RootMissing { .. } => "root_missing",
        Notice::RootBack { .. } => "root_back",
        Notice::Limit { .. } => "limit",
        Notice::Polling { .. } => "polling",
        Notice::Lost { .. } => "lost",
        Notice::Noisy { .. } => "noisy",
        Notice::Configuration { .. } => "configuration",
        Notice::Outputs { .. } => "outputs",
        Notice::OutputReleased { .. } => "output_released",
        Notice::Cooling { .. } => "cooling",
        Notice::OutputHint { .. } => "output_hint",
        Notice::Trial { .. } => "trial",
        Notice::ConfigurationRejected { .. } => "configuration_rejected",
        Notice::ConfigurationApplied { .. } => "configuration_applied",
        Notice::Paused { paused: true, .. } => "paused",
        Notice::Paused { paused: false, .. } => "resumed",
        Notice::Requested { .. } => "requested",
        Notice::KeyHelp => "key_help",
        Notice::Quit(_) => "quit",
    }
}

/// The fields of notices about runs.
pub(super) fn runs(notice: &Notice, out: &mut Object) {
    match notice {
        Notice::Run { run, cause, command, configuration, .. } => {
            out.put("run", &run.0);
            cause_of(cause, out);
            out.put("command", command);
            out.put_some("configuration", configuration.as_ref());
        }
        Notice::Restarted { run, took } => {
            out.put("run", &run.0);
            out.millis("took_ms", *took);
        }
        Notice::SlowStop { run, signal, process, left, timeout } => {
            out.put("run", &run.0);
            out.put("sent", &signal_name(signal.0));
            out.put("process", &Process(process));
            out.millis("left_ms", *left);
            out.millis("timeout_ms", *timeout);
        }
        Notice::Killed { run, timeout } => {
            out.put("run", &run.0);
            out.millis("timeout_ms", *timeout);
        }
        Notice::Ended { run, ended, after, shell, waiting } => {
            out.put("run", &run.0);
            out.ended(*ended);
            out.put_some("signal_name", signal_of(*ended, *shell));
            out.millis("after_ms", *after);
            out.put("waiting", waiting);
        }
        Notice::CannotStart { run, error, waiting } => {
            out.put("run", &run.0);
            out.put("stage", stage(error.stage));
            out.path("path", &error.path);
            out.put("errno", &error.errno);
            out.put_some("detail", error.detail.as_ref());
            out.put("waiting", waiting);
        }
        Notice::NoChangedFile { path, error } => {
            out.path("path", path);
            out.put("error", error);
        }
        Notice::LeftOvers { run, processes } | Notice::LeftOversStopped { run, processes } => {
            out.put("run", &run.0);
            out.put("processes", &processes.iter().map(Process).collect::<Vec<_>>());
        }
        Notice::ShimLost { run } => out.put_some("run", run.map(|run| run.0)),
        Notice::WaitsForTerminal { run, process } => {
            out.put("run", &run.0);
            out.put("process", &Process(process));
        }
        Notice::CrashDelay { run, wait } => {
            out.put("run", &run.0);
            out.millis("wait_ms", *wait);
        }
        Notice::CrashGaveUp { starts } => out.put("starts", starts),
        _ => {}
    }
}

/// The fields of notices about trees, saves and rules.
pub(super) fn trees(notice: &Notice, out: &mut Object) {
    match notice {
        Notice::Watching(watching) => {
            out.put("roots", &Paths(&watching.roots));
            out.put("types", &watching.types);
            out.put("directories", &watching.directories);
            let trees: Vec<_> = watching.ignored.iter().map(|(p, r)| Tree(p, r)).collect();
            out.put("ignored", &trees);
            out.put("ignored_more", &watching.ignored_more);
        }
        Notice::Progress { directories, elapsed } => {
            out.put("directories", directories);
            out.millis("elapsed_ms", *elapsed);
        }
        Notice::Delayed { path, more, wait, duration } => {
            out.path("path", path);
            out.put("more", more);
            out.millis("wait_ms", *wait);
            out.millis("duration_ms", *duration);
        }
        Notice::Busy { path, more, on_busy } => {
            out.path("path", path);
            out.put("more", more);
            out.put("on_busy", on_busy);
        }
        Notice::GitHold { lock, age, waiting, left, stale } => {
            out.path("lock", lock);
            out.millis("age_ms", *age);
            out.put("waiting", waiting);
            out.millis("left_ms", *left);
            out.put("stale", stale);
        }
        Notice::SameBytes { path, more } => {
            out.path("path", path);
            out.put("more", more);
        }
        Notice::Ignored { path, rule, .. } => {
            out.path("path", path);
            out.rule(rule);
        }
        Notice::Directory { path } | Notice::RootMissing { path } | Notice::RootBack { path } => {
            out.path("path", path)
        }
        Notice::Unreadable { path, error } => {
            out.path("path", path);
            out.put("error", error);
        }
        Notice::Noisy { path, every } => {
            out.path("path", path);
            out.millis("every_ms", *every);
        }
        _ => limits(notice, out),
    }
}

/// The fields of notices about what the runs make.
pub(super) fn outputs(notice: &Notice, out: &mut Object) {
    match notice {
        Notice::Outputs { outputs, .. } => {
            out.put("outputs", &outputs.iter().map(Output::of).collect::<Vec<_>>());
        }
        Notice::OutputReleased { made, ignored } => {
            out.path("path", &made.pattern());
            out.put("ignored", ignored);
        }
        Notice::Cooling { proposal, after, runs: (first, last), wait, .. } => {
            out.path("path", &proposal.made.pattern());
            out.put_some("after_ms", after.map(|after| after.as_millis() as u64));
            out.put("runs", &[first.0, last.0]);
            out.millis("wait_ms", *wait);
        }
        Notice::OutputHint { proposal, runs, .. } => {
            out.path("path", &proposal.made.pattern());
            out.put("runs", &runs.iter().map(|run| run.0).collect::<Vec<_>>());
        }
        Notice::Trial { made, wait } => {
            out.path("path", &made.pattern());
            out.millis("wait_ms", *wait);
        }
        _ => {}
    }
}

/// The fields of notices about how a tree is watched.
fn limits(notice: &Notice, out: &mut Object) {
    match notice {
        Notice::Limit { events, polled, interval, sysctl, allowed, largest } => {
            out.put("directories_by_events", events);
            out.put("directories_polled", polled);
            out.millis("interval_ms", *interval);
            out.put("sysctl", sysctl);
            out.put_some("allowed", *allowed);
            out.put_some("largest", largest.as_ref().map(|(path, _)| name_of(path)));
            out.put_some("largest_directories", largest.as_ref().map(|(_, n)| *n));
        }
        Notice::Polling { path, reason, files, interval, advice } => {
            out.path("path", path);
            out.put("reason", reason);
            out.put("files", files);
            out.millis("interval_ms", *interval);
            out.put_some("advice", advice.as_ref());
        }
        Notice::Lost { queue, compared, took, changed } => {
            out.put_some("queue", *queue);
            out.put("compared", compared);
            out.millis("took_ms", *took);
            out.put("changed", changed);
        }
        _ => {}
    }
}

/// The fields of notices about the configuration, the keys and the end.
pub(super) fn session(notice: &Notice, out: &mut Object) {
    match notice {
        Notice::ConfigurationRejected { run, .. } => {
            out.put_some("run", run.map(|run| run.0));
        }
        Notice::ConfigurationApplied { file, changes, run, restarts } => {
            out.put("file", file);
            out.put("changes", changes);
            out.put_some("run", run.map(|run| run.0));
            out.put("restarts", restarts);
        }
        Notice::Paused { paused: false, waiting } => {
            let listed = waiting.len().min(LISTED);
            out.put("paths", &Paths(&waiting[..listed]));
            out.put("more", &(waiting.len() - listed));
        }
        Notice::Requested { what } => out.put("what", what),
        Notice::Quit(summary) => {
            out.millis("elapsed_ms", summary.elapsed);
            out.put("runs", &summary.runs);
            out.put("failed", &summary.failed);
            out.put("same_bytes", &summary.same_bytes);
            if let Some((run, ended, _)) = &summary.last_failed {
                out.put("last_failed", &run.0);
                out.ended(*ended);
            }
        }
        _ => {}
    }
}

fn cause_of(cause: &Cause, out: &mut Object) {
    let word = match cause {
        Cause::Start => "start",
        Cause::Changes(_) => "changes",
        Cause::Request => "request",
        Cause::Crash => "crash",
    };
    out.put("cause", word);
    if let Cause::Changes(paths) = cause {
        let listed = paths.len().min(LISTED);
        out.put("paths", &Paths(&paths[..listed]));
        out.put("more", &(paths.len() - listed));
    }
}

fn stage(stage: SpawnStage) -> &'static str {
    match stage {
        SpawnStage::WorkingDirectory => "working_directory",
        SpawnStage::Fork => "fork",
        SpawnStage::Exec => "exec",
        SpawnStage::Shim => "host",
    }
}

fn name_of(path: &Path) -> Name<'_> {
    Name(path.as_os_str().as_encoded_bytes())
}
