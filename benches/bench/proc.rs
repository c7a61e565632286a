//! What `/proc` says about a tool and its helpers. The command under test (and the shell around it) is
//! never counted: it is the tools that are compared.

use std::collections::BTreeMap;
use std::fs;

use crate::sys;

/// Names of processes that belong to the command or to the set-up, not to the tool.
const NOT_THE_TOOL: [&str; 4] = ["stamp", "sh", "find", "dash"];

/// The processes of a tool: `pid` and every descendant that is the tool's own.
pub(crate) fn family(pid: i32) -> Vec<i32> {
    let mut parents: Vec<(i32, i32, String)> = Vec::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        parents.extend(parent_and_name(id).map(|(parent, name)| (id, parent, name)));
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&above) = found.get(next) {
        found.extend(parents.iter().filter(|(_, parent, _)| *parent == above).map(|p| p.0));
        next += 1;
    }
    let is_tool = |id: &i32| {
        parents.iter().any(|(p, _, name)| p == id && !NOT_THE_TOOL.contains(&name.as_str()))
    };
    found.retain(is_tool);
    found
}

fn parent_and_name(pid: i32) -> Option<(i32, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let parent = tail.split_whitespace().nth(1)?.parse().ok()?;
    Some((parent, name))
}

/// Whether `pid` is a living stamp program (and not a stranger that got its number).
pub(crate) fn is_stamp(pid: i32) -> bool {
    parent_and_name(pid).is_some_and(|(_, name)| name == "stamp")
}

/// Proportional set size of all these processes together, in bytes. What two of them share as one (a child
/// of `vfork` before its `exec`) counts once.
pub(crate) fn pss(family: &[i32]) -> u64 {
    let mut counted: Vec<i32> = Vec::new();
    for pid in family {
        if !counted.iter().any(|known| sys::share_memory(*known, *pid)) {
            counted.push(*pid);
        }
    }
    let each = |pid: &i32| field(&format!("/proc/{pid}/smaps_rollup"), "Pss:");
    counted.iter().filter_map(each).sum::<u64>() * 1024
}

/// CPU time of all these processes since they began, in nanoseconds.
pub(crate) fn cpu(family: &[i32]) -> i64 {
    family.iter().filter_map(|pid| sys::cpu_of(*pid)).sum()
}

/// Context switches so far, voluntary and not, of each thread of these processes.
pub(crate) fn switches(family: &[i32]) -> BTreeMap<String, u64> {
    let mut each = BTreeMap::new();
    for pid in family {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let path = task.path().join("status");
            let path = path.to_string_lossy();
            let kinds = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
            let count = kinds.iter().filter_map(|kind| field(&path, kind)).sum();
            each.insert(path.into_owned(), count);
        }
    }
    each
}

/// How many context switches came since; a thread that ended in between did so with one at least.
pub(crate) fn switches_since(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> u64 {
    let ended = before.keys().filter(|thread| !after.contains_key(*thread)).count() as u64;
    let more = after
        .iter()
        .map(|(thread, count)| count.saturating_sub(before.get(thread).copied().unwrap_or(0)));
    ended + more.sum::<u64>()
}

fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
