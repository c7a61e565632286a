//! The words for verdicts on paths.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::control::{Explained, MadeByRun, PROTOCOL, Why};
use crate::model::{Origin, Rule, RunId};
use crate::report::{self, JsonName, escape_text, shown};

/// Where the words are read, and where the rules were written.
#[derive(Clone, Copy, Debug)]
pub struct Places<'p> {
    /// The working directory of whoever asks: paths are shown relative to it.
    pub asked_in: &'p Path,
    /// The working directory that shown names of files with rules are relative to.
    pub written_for: &'p Path,
}

/// What follows a path and `: `.
#[must_use]
pub fn verdict(path: &Path, explained: &Explained, places: Places<'_>) -> String {
    let show = |name: &JsonName| shown(name.path(), places.asked_in);
    let verdict = match &explained.why {
        Why::Rule { rule, .. } => {
            let rule = &placed(rule, places);
            let polled = explained.polled.as_deref();
            report::verdict(path, explained.watched, rule, polled, places.asked_in)
        }
        Why::Outside => "ignored: outside of what is watched".to_owned(),
        Why::Own => "ignored: go-watcher's own file".to_owned(),
        Why::Link { at } => format!("ignored: {} is a link, which is not followed", show(at)),
        Why::Unreadable(place) => {
            format!("ignored: {} cannot be read: {}", show(&place.at), escape_text(&place.error))
        }
    };
    match &explained.output {
        Some(output) => format!("{verdict}; {}", made(output)),
        None => verdict,
    }
}

/// `made by the command itself (0.1s after the start of runs 4, 6 and 7): no change then`.
pub(super) fn made(output: &MadeByRun) -> String {
    let runs: Vec<RunId> = output.runs.iter().map(|run| RunId(*run)).collect();
    format!("{}: no change then", report::made_by(Duration::from_millis(output.after_ms), &runs))
}

/// The rule with its file as it is to be shown where it is read.
pub(super) fn placed(rule: &Rule, places: Places<'_>) -> Rule {
    let mut rule = rule.clone();
    if let Origin::File { file, .. } = &mut rule.origin
        && places.asked_in != places.written_for
    {
        *file = Arc::new(places.written_for.join(file.as_path()));
    }
    rule
}

/// `src/a.go: watched (included_filetypes: .go, config.yml:4)`.
pub(super) fn line(path: &JsonName, explained: &Explained, places: Places<'_>) -> String {
    let slash = if path.0.len() > 1 && path.0.ends_with(b"/") { "/" } else { "" };
    let name = shown(path.path(), places.asked_in);
    format!("{name}{slash}: {}\n", verdict(path.path(), explained, places))
}

/// One verdict of `--json`.
#[derive(Serialize)]
struct Line<'l> {
    v: u32,
    path: &'l JsonName,
    #[serde(flatten)]
    explained: &'l Explained,
    verdict: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
}

/// The same as a JSON object on a line.
pub(super) fn json(
    path: &JsonName,
    explained: &Explained,
    places: Places<'_>,
    instance: Option<u32>,
) -> String {
    let verdict = &verdict(path.path(), explained, places);
    report::json_line(&Line { v: PROTOCOL, path, explained, verdict, instance })
}
