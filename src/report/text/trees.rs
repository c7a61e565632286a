//! What is said about watching and settling.

use std::path::Path;
use std::time::Duration;

use super::{Context, rules};
use crate::model::{Notice, Watching};
use crate::report::escape::{escape, escape_text};
use crate::report::human::{self, count, counted};

/// The words of a notice about what is watched and what changed; `None` for any other.
pub(super) fn words(notice: &Notice, context: &Context<'_>) -> Option<String> {
    Some(match notice {
        Notice::Watching(watching) => watches(watching, context),
        Notice::Progress { directories, elapsed } => progress(*directories, *elapsed),
        Notice::Delayed { path, more, wait, duration } => format!(
            "{} changed {}: reload in {} (watcher.duration: {})",
            (context.time)(),
            context.paths(path, *more),
            human::seconds(*wait),
            human::seconds(*duration)
        ),
        Notice::GitHold { .. } => git(notice, context)?,
        Notice::SameBytes { path, more } => same(&context.paths(path, *more), 0, context),
        Notice::Ignored { path, rule, .. } => rules::ignored(path, rule, context),
        Notice::Directory { path } => format!("watching {}", context.path(path)),
        Notice::Unreadable { path, error } => format!(
            "cannot read {}: {}; tried again when it changes",
            context.path(path),
            escape_text(error)
        ),
        Notice::RootMissing { path } => {
            format!("{} is missing: it is watched as soon as it is there", context.path(path))
        }
        Notice::RootBack { path } => format!("{} is there: watched again", context.path(path)),
        Notice::Limit { .. } => limit(notice, context)?,
        Notice::Polling { path, reason, files, interval, advice } => {
            polling(path, reason, *files, *interval, advice.as_deref())
        }
        Notice::Lost { queue, compared, took, changed } => {
            let full = queue.map(|n| format!(" (queue of {n} full)")).unwrap_or_default();
            format!(
                "the kernel dropped events{full}: {} compared in {}, {} changed",
                counted(*compared, "file"),
                human::duration(*took),
                count(*changed as u64)
            )
        }
        Notice::Noisy { path, every } => format!(
            "{} is being written without end: it reloads once every {}; if it is no source, exclude it",
            context.path(path),
            human::seconds(*every)
        ),
        _ => return None,
    })
}

/// The line for saves that changed nothing; `swallowed` of them were not printed.
pub(super) fn same(paths: &str, swallowed: u64, context: &Context<'_>) -> String {
    let others = match swallowed {
        0 => String::new(),
        1 => "; 1 more such save in the last second".to_owned(),
        n => format!("; {} more such saves in the last second", count(n)),
    };
    let offer = context.offer("r runs again");
    format!("saved {paths}, same bytes: nothing to do{others}{offer}")
}

fn watches(watching: &Watching, context: &Context<'_>) -> String {
    let roots: Vec<String> = watching.roots.iter().map(|root| context.path(root)).collect();
    let types: Vec<String> = watching.types.iter().map(|t| type_shown(t)).collect();
    let of = if types.is_empty() { String::new() } else { format!(" for {}", types.join(", ")) };
    let mut trees: Vec<String> =
        watching.ignored.iter().map(|(path, rule)| rules::tree(path, rule, context)).collect();
    if watching.ignored_more > 0 {
        trees.push(format!("{} more (go-watcher explain)", count(watching.ignored_more as u64)));
    }
    let ignored =
        if trees.is_empty() { String::new() } else { format!("; ignored: {}", trees.join(", ")) };
    let directories = counted(watching.directories, "directory");
    format!("watching {}{of}: {directories}{ignored}", roots.join(", "))
}

/// `.go` also where it was written without the dot; a name such as `Makefile` as it is.
pub(crate) fn type_shown(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric());
    format!("{}{}", if bare { "." } else { "" }, escape_text(text))
}

fn progress(directories: usize, elapsed: Duration) -> String {
    let rate = directories as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "looking at the tree: {} so far ({} a second)",
        counted(directories, "directory"),
        count(rate as u64)
    )
}

fn git(notice: &Notice, context: &Context<'_>) -> Option<String> {
    let Notice::GitHold { lock, age, waiting, left, stale } = notice else { return None };
    let lock = context.path(lock);
    let wait = if *waiting == 1 { "waits" } else { "wait" };
    let rest = format!(
        "{} {wait}, at most {} more{}",
        counted(*waiting, "change"),
        human::left(*left),
        context.offer("r runs now")
    );
    let age = human::duration(*age);
    Some(match stale {
        true => format!("{lock} is stale, {age} old: {rest}; if no git is running, remove it"),
        false => format!("git holds {lock}, {age} old: {rest}"),
    })
}

fn limit(notice: &Notice, context: &Context<'_>) -> Option<String> {
    let Notice::Limit { events, polled, interval, sysctl, allowed, largest } = notice else {
        return None;
    };
    let instances = sysctl.contains("instances");
    let thing = if instances { "inotify instances" } else { "inotify watches" };
    let all = events + polled;
    let allowed_now = allowed.map(|n| format!(" ({n} allowed)")).unwrap_or_default();
    let least = if instances { 1_024 } else { 524_288.max(2 * all as u64) };
    let better = least.max(allowed.unwrap_or(0).saturating_mul(2)).checked_next_power_of_two();
    let mut remedy = format!("All by events: sudo sysctl {sysctl}={}", better.unwrap_or(least));
    if let Some((path, directories)) = largest {
        let size = counted(*directories, "directory");
        remedy += &format!("; or exclude the largest, {} ({size})", context.path(path));
    }
    Some(format!(
        "out of {thing}{allowed_now}: {} of {} by events, {} by polling every {}. Nothing is missed.\n{remedy}",
        count(*events as u64),
        counted(all, "directory"),
        count(*polled as u64),
        human::seconds(*interval)
    ))
}

/// Absolute: which file system a tree is on is seen by its whole path.
fn polling(
    path: &Path,
    reason: &str,
    files: usize,
    interval: Duration,
    advice: Option<&str>,
) -> String {
    let path = escape(path.as_os_str());
    let reason = escape_text(reason);
    let files = counted(files, "file");
    let every = human::seconds(interval);
    let faster = advice.map(|a| format!(" Faster: {}.", escape_text(a))).unwrap_or_default();
    if reason.starts_with("on ") {
        format!("{path} is {reason}: {files} polled every {every}.{faster}")
    } else {
        format!("{path} is polled ({reason}): {files} every {every}.{faster}")
    }
}
