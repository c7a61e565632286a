//! The words about the configuration, the keys and the end.

use std::path::Path;
use std::sync::Arc;

use super::Context;
use crate::model::{OnBusy, RunEnd, RunId, Summary};
use crate::report::ending;
use crate::report::escape::escape_text;
use crate::report::human::{self, count};

pub(super) fn busy(paths: &str, on_busy: OnBusy, context: &Context<'_>) -> String {
    let what = match on_busy {
        OnBusy::Restart => "the command is stopped and started again",
        OnBusy::Queue => "the command runs on; one more run when it ends",
        OnBusy::Ignore => "dropped, the command is running",
        OnBusy::Signal => "signal sent, the command runs on",
    };
    let on_busy = on_busy.word();
    format!("{} changed {paths}: {what} (on_busy: {on_busy})", (context.time)())
}

pub(super) fn paused(context: &Context<'_>) -> String {
    format!("paused: changes are kept, nothing starts{}", context.offer("p goes on"))
}

/// A rejected edit: the error's first line, what stays in force, then the lines that show the place.
pub(super) fn rejected(text: &str, run: Option<RunId>, context: &Context<'_>) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let goes_on = run.map(|run| format!(", run {} goes on", run.0)).unwrap_or_default();
    let since = (context.configured)();
    let rest = rest.trim_end_matches('\n');
    let gap = if rest.is_empty() { "" } else { "\n" };
    format!("{first}; the configuration of {since} stays{goes_on}{gap}{rest}")
}

pub(super) fn applied(
    file: &str,
    changes: &[String],
    run: Option<RunId>,
    restarts: bool,
) -> String {
    let what = match changes {
        [] => "read again, nothing changed".to_owned(),
        changes => escape_text(&changes.join(", ")),
    };
    let then = match run {
        Some(run) if restarts => format!("; run {} is replaced", run.0),
        Some(run) => format!("; run {} goes on", run.0),
        None => String::new(),
    };
    format!("{}: {what}{then}", escape_text(file))
}

pub(super) fn resumed(waiting: &[Arc<Path>], context: &Context<'_>) -> String {
    match waiting.split_first() {
        None => "resumed: nothing had changed".to_owned(),
        Some((first, rest)) => {
            format!("resumed: {} changed meanwhile", context.paths(first, rest.len()))
        }
    }
}

pub(super) fn requested(what: &str) -> String {
    match what {
        "stop" => "the command is stopped; the next change starts it".to_owned(),
        "kill" => "killed now".to_owned(),
        other => format!("{} requested", escape_text(other)),
    }
}

pub(super) const KEY_HELP: &str = "\
r, Space  run again; while a run is stopping: kill it now
s         stop the command, go on watching
p         pause, go on
c         clear the screen
i         let what the command makes itself reload again
q         quit; Ctrl-C quits too, twice: at once";

pub(super) fn quit(summary: &Summary) -> String {
    let mut parts = Vec::new();
    let runs = match summary.runs {
        1 => "1 run".to_owned(),
        n => format!("{} runs", count(n)),
    };
    parts.push(match (summary.failed, &summary.last_failed) {
        (0, _) => format!("{runs}, none failed"),
        (n, None) => format!("{runs}, {} failed", count(n)),
        (n, Some((run, ended, time))) => format!(
            "{runs}, {} failed (last: run {}, {} at {})",
            count(n),
            run.0,
            ending::ended(RunEnd { ended: *ended, shell: false }),
            escape_text(time)
        ),
    });
    match summary.same_bytes {
        0 => {}
        1 => parts.push("1 save had the same bytes".to_owned()),
        n => parts.push(format!("{} saves had the same bytes", count(n))),
    }
    parts.push("nothing left running".to_owned());
    format!("quit after {}: {}", human::duration(summary.elapsed), parts.join("; "))
}
