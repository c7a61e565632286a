//! The words about watching and settling.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Context;
use super::rules::{self, type_shown};
use crate::model::Watching;
use crate::report::escape::{escape, escape_text};
use crate::report::human::{self, count, counted};

pub(super) fn delayed(
    paths: &str,
    wait: Duration,
    duration: Duration,
    context: &Context<'_>,
) -> String {
    let (wait, duration) = (human::seconds(wait), human::seconds(duration));
    let time = (context.time)();
    format!("{time} changed {paths}: reload in {wait} (watcher.duration: {duration})")
}

pub(super) fn unreadable(path: &Path, error: &str, context: &Context<'_>) -> String {
    let path = context.path(path);
    format!("cannot read {path}: {}; tried again when it changes", escape_text(error))
}

pub(super) fn root_missing(path: &Path, context: &Context<'_>) -> String {
    format!("{} is missing: it is watched as soon as it is there", context.path(path))
}

pub(super) fn lost(queue: Option<u64>, compared: usize, took: Duration, changed: usize) -> String {
    let full = queue.map(|n| format!(" (queue of {n} full)")).unwrap_or_default();
    format!(
        "the kernel dropped events{full}: {} compared in {}, {} changed",
        counted(compared, "file"),
        human::duration(took),
        count(changed as u64)
    )
}

pub(super) fn noisy(path: &Path, every: Duration, context: &Context<'_>) -> String {
    format!(
        "{} is being written without end: it reloads once every {}; if it is no source, exclude it",
        context.path(path),
        human::seconds(every)
    )
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

pub(super) fn watches(watching: &Watching, context: &Context<'_>) -> String {
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

pub(super) fn progress(directories: usize, elapsed: Duration) -> String {
    let rate = directories as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "looking at the tree: {} so far ({} a second)",
        counted(directories, "directory"),
        count(rate as u64)
    )
}

pub(super) fn git(
    lock: &Path,
    age: Duration,
    waiting: usize,
    left: Duration,
    stale: bool,
    context: &Context<'_>,
) -> String {
    let lock = context.path(lock);
    let wait = if waiting == 1 { "waits" } else { "wait" };
    let rest = format!(
        "{} {wait}, at most {} more{}",
        counted(waiting, "change"),
        human::left(left),
        context.offer("r runs now")
    );
    let age = human::duration(age);
    match stale {
        true => format!("{lock} is stale, {age} old: {rest}; if no git is running, remove it"),
        false => format!("git holds {lock}, {age} old: {rest}"),
    }
}

/// Whether a limit is about instances of inotify, not about watches.
fn of_instances(sysctl: &str) -> bool {
    sysctl.contains("instances")
}

pub(super) fn limit(
    (events, polled): (usize, usize),
    interval: Duration,
    sysctl: &str,
    allowed: Option<u64>,
) -> String {
    let thing = if of_instances(sysctl) { "inotify instances" } else { "inotify watches" };
    let allowed = allowed.map(|n| format!(" ({n} allowed)")).unwrap_or_default();
    format!(
        "out of {thing}{allowed}: {} of {} by events, {} by polling every {}. Nothing is missed.",
        count(events as u64),
        counted(events + polled, "directory"),
        count(polled as u64),
        human::seconds(interval)
    )
}

/// The second line about a limit: the remedy.
pub(super) fn remedy(
    directories: usize,
    sysctl: &str,
    allowed: Option<u64>,
    largest: Option<&(PathBuf, usize)>,
    context: &Context<'_>,
) -> String {
    let least = if of_instances(sysctl) { 1_024 } else { 524_288.max(2 * directories as u64) };
    let better = least.max(allowed.unwrap_or(0).saturating_mul(2)).checked_next_power_of_two();
    let better = better.unwrap_or(least);
    let exclude = largest.map(|(path, directories)| {
        let size = counted(*directories, "directory");
        format!("; or exclude the largest, {} ({size})", context.path(path))
    });
    format!("All by events: sudo sysctl {sysctl}={better}{}", exclude.unwrap_or_default())
}

/// The line about a tree that is polled. Its path is absolute: the whole path shows which file system it is on.
pub(super) fn polling(
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
