//! When the system has no more watches to give.

use std::path::PathBuf;
use std::time::Duration;

use super::table::Table;
use crate::model::Notice;
use crate::sys::events;

/// What is said about it, once.
pub(super) fn notice(
    events: usize,
    polled: usize,
    interval: Duration,
    instances: bool,
    largest: Option<(PathBuf, usize)>,
) -> Notice {
    let (sysctl, allowed) = if instances {
        ("fs.inotify.max_user_instances", events::instance_limit())
    } else {
        ("fs.inotify.max_user_watches", events::watch_limit())
    };
    Notice::Limit { events, polled, interval, sysctl, allowed, largest }
}

/// The largest tree right below a root, and its number of directories.
pub(super) fn largest(table: &Table) -> Option<(PathBuf, usize)> {
    let mut best: Option<(PathBuf, usize)> = None;
    for (root, id) in table.roots() {
        let mut trees: std::collections::HashMap<PathBuf, usize> = std::collections::HashMap::new();
        table.walk_from(*id, root, &mut |path, _, _| {
            if let Some(first) =
                path.strip_prefix(root).ok().and_then(|below| below.components().next())
            {
                *trees.entry(root.join(first)).or_default() += 1;
            }
        });
        for (path, count) in trees {
            if best.as_ref().is_none_or(|(_, most)| count > *most) {
                best = Some((path, count));
            }
        }
    }
    // A tree with a handful of directories is not worth a line.
    best.filter(|(_, count)| *count >= 10)
}
