//! Holds the order of the rooms, the room of the platform, and that a file owns its data.
//!
//! These tests read the sources. Test modules may do what they like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// From the ground up: a room imports only rooms that come before it.
const ROOMS: &[&str] = &[
    "model",
    "sys",
    "filter",
    "watch",
    "ledger",
    "settle",
    "outputs",
    "supervisor",
    "process",
    "report",
    "config",
    "cli",
    "control",
    "explain",
    "app",
];

/// What names a platform.
const PLATFORM: &str = r"\bunsafe\b|\blibc::|\brustix::|\bstd::os::|::unix::|\bcfg(_attr)?!?\s*\(\s*(not\(|any\(|all\()*(unix|windows|target_)|target_os";

/// Source files with their code: no comments, no test modules.
fn sources() -> Vec<(PathBuf, String)> {
    let comments = Regex::new(r"(?m)//.*$").expect("a pattern");
    let mut found = Vec::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "tests" {
                    directories.push(path);
                }
            } else if name != "tests.rs" && path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let code = comments.replace_all(code, "").into_owned();
                if !text.starts_with("#![cfg(test)]") {
                    found.push((path, code));
                }
            }
        }
    }
    found
}

/// The room of a file: its folder directly below `src`. `None`: `lib.rs`, `main.rs`, files of tests.
fn room(path: &Path) -> Option<&str> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let mut parts = inside.iter().filter_map(|part| part.to_str());
    let first = parts.next()?;
    parts.next().map(|_| first)
}

/// The rooms that code names: `crate::watch::…`, `use crate::{watch, settle::Batch}`.
fn named(code: &str) -> BTreeSet<String> {
    let single = Regex::new(r"\bcrate::(\w+)").expect("a pattern");
    let grouped = Regex::new(r"\bcrate::\{([^;]*)\};").expect("a pattern");
    let inner = Regex::new(r"\{[^{}]*\}").expect("a pattern");
    let mut rooms: BTreeSet<String> =
        single.captures_iter(code).map(|found| found[1].to_owned()).collect();
    for group in grouped.captures_iter(code) {
        let mut list = group[1].to_owned();
        while inner.is_match(&list) {
            list = inner.replace_all(&list, "").into_owned();
        }
        let first = |part: &str| part.trim().split("::").next().unwrap_or_default().to_owned();
        rooms.extend(list.split(',').map(first).filter(|room| !room.is_empty()));
    }
    rooms
}

#[test]
fn a_room_imports_only_lower_ones() {
    let floor = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let Some(own) = room(&path) else { continue };
        let Some(here) = floor(own) else {
            wrong.push(format!("{}: {own} is no room", path.display()));
            continue;
        };
        for other in named(&code) {
            if floor(&other).is_none_or(|there| there > here) {
                wrong.push(format!("{}: {own} imports {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} arrows run up:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn only_sys_names_a_platform() {
    let pattern = Regex::new(PLATFORM).expect("a pattern");
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        if room(&path).is_none_or(|room| room == "sys") {
            continue;
        }
        for line in code.lines().filter(|line| pattern.is_match(line)) {
            wrong.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_file_owns_its_data() {
    let defined =
        Regex::new(r"(?m)^\s*(?:pub(?:\([^)]*\))? )?(?:struct|enum|union) (\w+)").expect("");
    let inherent =
        Regex::new(r"(?m)^\s*impl(?:<[^{]*?>)? ((?:\w+::)*)(\w+)(?:<[^{]*?>)?\s*(?:where[^{]*)?\{")
            .expect("a pattern");
    let sources = sources();
    let mut owners: BTreeMap<&str, BTreeSet<&Path>> = BTreeMap::new();
    for (path, code) in &sources {
        for found in defined.captures_iter(code) {
            owners.entry(found.get(1).map_or("", |name| name.as_str())).or_default().insert(path);
        }
    }
    let mut wrong = Vec::new();
    for (path, code) in &sources {
        for found in inherent.captures_iter(code) {
            let of = owners.get(&found[2]);
            if of.is_some_and(|of| !of.contains(path.as_path())) {
                wrong.push(format!("{}: impl {}", path.display(), &found[2]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} blocks:\n{}", wrong.len(), wrong.join("\n"));
}
