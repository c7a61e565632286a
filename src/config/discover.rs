//! Which file is ours.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::RunArgs;
use super::diagnostic::{Diagnostic, escape};
use super::file::{self, Loaded};
use super::outline;
use super::source::{self, ReadError, Source};
use crate::model::{Level, Notice};

/// The names that are looked for, in the working directory only.
const NAMES: &[&str] = &["watcher.yml", "watcher.yaml"];
/// The original's name for the file, which other programs use too.
const SHARED_NAME: &str = "config.yml";
/// The keys of which one at the top makes a `config.yml` ours.
const MARKS: &[&str] = &["watcher", "excluded_paths", "additional_paths"];

/// The file in use, or none.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) loaded: Option<Loaded>,
    /// The absolute path.
    pub(crate) path: Option<PathBuf>,
    /// The path as the person wrote it.
    pub(crate) typed: Option<PathBuf>,
    pub(crate) notices: Vec<Notice>,
}

/// Finds and reads the file in use.
///
/// # Errors
/// The file is missing although it was named, or something is wrong in it.
pub(crate) fn find(args: &RunArgs, directory: &Path) -> Result<Found, Diagnostic> {
    if let Some(typed) = &args.config {
        return named(typed, directory);
    }
    for name in NAMES {
        match source::read(&directory.join(name), name) {
            Ok(source) => return found(source, Path::new(name), directory),
            Err(ReadError::Missing) => {}
            Err(ReadError::Bad(error)) => return Err(*error),
        }
    }
    match source::read(&directory.join(SHARED_NAME), SHARED_NAME) {
        Ok(source) if is_ours(&source.text) => found(source, Path::new(SHARED_NAME), directory),
        Err(ReadError::Missing) => Ok(Found::default()),
        Ok(_) => {
            let marks = MARKS.join(", ");
            Ok(foreign(&format!("is another program's (no {marks} at its top)")))
        }
        Err(ReadError::Bad(error)) => {
            let why = error.text.split(';').next().unwrap_or_default();
            Ok(foreign(&format!("is not ours ({why})")))
        }
    }
}

/// The file that a `run` in this directory finds by itself, as far as its name tells.
pub(super) fn looked_for(directory: &Path) -> Option<&'static str> {
    let names = NAMES.iter().chain([&SHARED_NAME]).copied();
    names.into_iter().find(|name| directory.join(name).exists())
}

fn named(typed: &Path, directory: &Path) -> Result<Found, Diagnostic> {
    let shown = source::shown(typed);
    match source::read(&directory.join(typed), &shown) {
        Ok(source) => found(source, typed, directory),
        Err(ReadError::Bad(error)) => Err(*error),
        Err(ReadError::Missing) => {
            let hint = config_is_no_file(typed.as_os_str());
            Err(Diagnostic::file(&shown, format!("there is no such file; {hint}")))
        }
    }
}

fn found(source: Source, typed: &Path, directory: &Path) -> Result<Found, Diagnostic> {
    let loaded = file::load(source)?;
    Ok(Found {
        loaded: Some(loaded),
        path: Some(super::paths::absolute(directory, typed)),
        typed: Some(typed.to_owned()),
        notices: Vec::new(),
    })
}

/// Whether a `config.yml` that was found, not named, is ours.
fn is_ours(text: &str) -> bool {
    match outline::read(text) {
        Ok(Some(root)) => MARKS.iter().any(|mark| root.at(mark).is_some()),
        Ok(None) => false,
        // A slip must not turn our own file silently into another program's: where the text is no YAML, a key of
        // ours at the beginning of a line is enough.
        Err(_) => text.split(['\n', '\r']).any(|line| {
            MARKS.iter().any(|mark| {
                line.strip_prefix(mark).is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
        }),
    }
}

/// Whether the file at `path` exists and belongs to another program.
pub(crate) fn is_foreign(path: &Path) -> bool {
    match source::read(path, SHARED_NAME) {
        Ok(source) => !is_ours(&source.text),
        Err(ReadError::Missing) => false,
        Err(ReadError::Bad(_)) => true,
    }
}

/// Another program's file: it is named once, and the defaults hold.
fn foreign(why: &str) -> Found {
    let text = escape(&format!("{SHARED_NAME} {why}: built-in defaults; ours can be watcher.yml"));
    Found { notices: vec![Notice::Configuration { level: Level::Info, text }], ..Found::default() }
}

/// What is odd about a value of `-c` that names no file (the letter clears the screen elsewhere).
fn config_is_no_file(typed: &OsStr) -> &'static str {
    let text = typed.to_string_lossy();
    if text.contains(' ') || !text.contains(['.', '/']) {
        "-c is --config FILE here; to clear the screen: --clear, to give a command: -e"
    } else {
        "write one with: go-watcher init"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_file_it_is() {
        let table = [
            ("watcher:\n  duration: 1\n", true),
            ("watcher:\n", true),
            ("a: 1\nexcluded_paths: []\n", true),
            ("additional_paths: [x]\n", true),
            ("{watcher: {}}", true),
            ("", false),
            ("# watcher:\n", false),
            ("port: 80\ndatabase: {watcher: 1}\n", false),
            ("- watcher\n", false),
            ("watcher", false),
            ("{{ template }}\nport: [\n", false),
            ("<?xml version=\"1.0\"?>\n<watcher: x", false),
            ("watcher:\n  duration: [1\n", true),
            ("watcher:\n\tduration: 1\n", true),
            ("a: 'x\nwatcher:\n", true),
        ];
        for (text, ours) in table {
            assert_eq!(is_ours(text), ours, "{text:?}");
        }
    }
}
