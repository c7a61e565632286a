//! The words about what the runs make themselves.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::{Context, rules};
use crate::model::{Learnt, Made, Proposal, RunId};
use crate::report::escape::{escape, escape_text};
use crate::report::human;

/// The number of outputs that one line names.
const NAMED: usize = 3;

pub(super) fn released(made: &Made, ignored: bool, context: &Context<'_>) -> String {
    let what = if ignored { "is ignored now" } else { "reloads again" };
    format!("{} {what}", name(made, None, context))
}

pub(super) fn cooling(
    proposal: &Proposal,
    after: Option<Duration>,
    (first, last): (RunId, RunId),
    wait: Duration,
    file: Option<&str>,
    context: &Context<'_>,
) -> String {
    let when = after.map(|after| format!("{} the start of", moment(after)));
    format!(
        "{} changed {} runs {} to {}, and nothing else did: run {} waits until {}{}.{}",
        shown(proposal, context),
        when.unwrap_or_else(|| "during".to_owned()),
        first.0,
        last.0,
        last.0 + 1,
        (context.time_in)(wait),
        context.offer("r runs now"),
        rule("To ignore it", &[proposal], file, context),
    )
}

pub(super) fn hint(
    proposal: &Proposal,
    runs: &[RunId],
    file: Option<&str>,
    context: &Context<'_>,
) -> String {
    format!(
        "{} changed while {} lived, and each time caused one more run.{}",
        shown(proposal, context),
        list("run", runs),
        rule("If a program makes it", &[proposal], file, context),
    )
}

pub(super) fn trial(made: &Made, wait: Duration, context: &Context<'_>) -> String {
    format!(
        "the next start waits {}, to see whether {} moves with it",
        human::duration(wait),
        name(made, None, context)
    )
}

/// The origin of an output: `made by the command itself (0.1s after the start of runs 4, 6, 7 and 8)`.
pub(crate) fn made_by(after: Duration, runs: &[RunId]) -> String {
    format!("made by the command itself ({} the start of {})", moment(after), list("run", runs))
}

pub(super) fn learnt(outputs: &[Learnt], file: Option<&str>, context: &Context<'_>) -> String {
    let all: Vec<String> = outputs.iter().map(|(made, ..)| shown(made, context)).collect();
    let more = all.len().saturating_sub(NAMED);
    let mut names = all[..all.len() - more].join(", ");
    if more > 0 {
        names += &format!(" (+{more})");
    }
    let (are, they) = if all.len() == 1 {
        ("is", "it no longer reloads")
    } else {
        ("are", "they no longer reload")
    };
    let by = outputs.first().map(|(_, after, runs)| made_by(*after, runs)).unwrap_or_default();
    let proposals: Vec<&Proposal> = outputs.iter().map(|(made, ..)| made).collect();
    let rule = rule("To keep it so", &proposals, file, context);
    let gap = if rule.is_empty() { "" } else { "  " };
    let undo = context.offer("i: undo");
    let gap = if undo.is_empty() { "" } else { gap };
    format!("{names} {are} {by}: {they} then.{rule}{gap}{undo}")
}

/// The line with the rule that ignores outputs for good; empty where no pattern can be said in few words.
fn rule(what: &str, of: &[&Proposal], file: Option<&str>, context: &Context<'_>) -> String {
    let patterns: Option<Vec<String>> =
        of.iter().map(|proposal| pattern(proposal, context)).collect();
    let Some(patterns) = patterns else { return String::new() };
    match file {
        Some(file) => {
            let items: Vec<String> = patterns.iter().map(|pattern| item(pattern)).collect();
            let file = escape_text(file);
            format!("\n{what}, in {file}:  excluded_paths: [{}]", items.join(", "))
        }
        None => {
            let flags: Vec<String> = patterns.iter().map(|it| format!("-i '{it}'")).collect();
            format!("\n{what}, add:  {}", flags.join(" "))
        }
    }
}

fn pattern(proposal: &Proposal, context: &Context<'_>) -> Option<String> {
    match &proposal.made {
        Made::Path(path) => rules::literal(&context.path(path)),
        Made::Names(family) => {
            let (before, after) = family.ends();
            let before = context.path(&family.directory.join(before));
            let before = if family.ends().0.is_empty() {
                directory(&family.directory, context)
            } else {
                before
            };
            Some(format!(
                "{}{}{}",
                rules::literal(&before)?,
                proposal.part?,
                rules::literal(&escape(after))?
            ))
        }
    }
}

/// A directory as the beginning of the names in it.
fn directory(directory: &Path, context: &Context<'_>) -> String {
    match context.path(directory) {
        here if here == "." || here.is_empty() => String::new(),
        other => format!("{other}/"),
    }
}

fn shown(proposal: &Proposal, context: &Context<'_>) -> String {
    name(&proposal.made, proposal.part, context)
}

/// The name of an output: `gen.txt`, `reports/report-*.json`.
fn name(made: &Made, part: Option<&str>, context: &Context<'_>) -> String {
    match made {
        Made::Path(path) => context.path(path),
        Made::Names(family) => {
            let (before, after) = family.ends();
            let directory = directory(&family.directory, context);
            let middle = part.unwrap_or("*");
            let escape = |text: &OsStr| escape(text);
            format!("{directory}{}{middle}{}", escape(before), escape(after))
        }
    }
}

/// A list of runs: `run 4`, `runs 4, 6 and 7`.
fn list(noun: &str, runs: &[RunId]) -> String {
    match runs {
        [] => format!("the {noun}"),
        [one] => format!("{noun} {}", one.0),
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(|run| run.0.to_string()).collect();
            format!("{noun}s {} and {}", all.join(", "), last.0)
        }
    }
}

/// A moment in tenths of a second, which is all that a person can tell: `0.1s after`.
fn moment(after: Duration) -> String {
    match (after.as_millis() + 50) / 100 {
        0 => "right after".to_owned(),
        tenths => format!("{}.{}s after", tenths / 10, tenths % 10),
    }
}

/// A text as an item of a YAML list in brackets.
fn item(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.contains(['.', '/']);
    if word && text.chars().all(plain) { text.to_owned() } else { format!("'{text}'") }
}
