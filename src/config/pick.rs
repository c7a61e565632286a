//! One value for each key: the flag's, else the environment's, else the file's, else the default; with where it was said.

use std::path::Path;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Fault, quote};
use super::file::Loaded;
use super::keys::{self, Key, Kind};
use super::values::{From, Values};
use super::{Env, RunArgs, duration, shape, signal};
use crate::model::{Level, Notice};

/// What is being resolved.
pub(super) struct Resolver<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) loaded: Option<&'a Loaded>,
    pub(super) env: Env<'a>,
    pub(super) directory: &'a Path,
    pub(super) values: Values,
    pub(super) notices: Vec<Notice>,
}

impl Resolver<'_> {
    /// A single value, checked and in one spelling.
    pub(super) fn pick(&mut self, path: &'static str) -> Result<String, Diagnostic> {
        let key = key(path);
        let flag = key.flag.map_or("", |flag| flag.long);
        let (text, from) = match (self.args.options.text(path), self.in_file(path)) {
            (Some(text), _) => {
                shape::scalar(key.kind, &text, true)
                    .map_err(|wrong| Diagnostic::usage(format!("--{flag}: {wrong}")))?;
                (text, From::Flag(flag))
            }
            (None, Some(text)) => (text.to_owned(), self.place_of(path)),
            (None, None) => (key.default.to_owned(), From::Default),
        };
        Ok(self.take(key, &text, from))
    }

    /// A value that is right: it is in effect from now on.
    pub(super) fn take(&mut self, key: &'static Key, text: &str, from: From) -> String {
        self.doubt_unit(key, text, from);
        let text = canonical(key.kind, text);
        self.values.scalar(key, text.clone(), from);
        text
    }

    /// A duration; `None` for `auto`.
    pub(super) fn time(&mut self, path: &'static str) -> Result<Option<Duration>, Diagnostic> {
        Ok(duration::parse(&self.pick(path)?).ok())
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, path: &'static str) -> Result<bool, Diagnostic> {
        Ok(self.pick(path)? == "true")
    }

    /// A single value of the file.
    pub(super) fn in_file(&self, path: &str) -> Option<&str> {
        self.loaded?.file.text(path)
    }

    /// The items of a list of the file.
    pub(super) fn list_in_file(&self, path: &str) -> Option<&[String]> {
        self.loaded?.file.list(path)
    }

    /// `-d 2` means two seconds elsewhere and two milliseconds here.
    fn doubt_unit(&mut self, key: &Key, text: &str, from: From) {
        let bare = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 30.0);
        let (Kind::Duration(_), Some(_)) = (key.kind, bare) else { return };
        let says = format!("{text} is {text} milliseconds; seconds are written {text}s");
        let says = format!("{}: {says}", said(key.path, from));
        let place = self.loaded.and_then(|loaded| loaded.place(key.path));
        let text = match (from, place) {
            (From::File(_), Some(place)) => self.at(place.line, place.column, &says),
            _ => says,
        };
        self.warn(text);
    }

    /// The error for a value that goes with no other one, where it was said.
    pub(super) fn misfit(&self, path: &'static str, text: String) -> Diagnostic {
        match self.values.from(path) {
            from @ (From::Flag(_) | From::Variable(_)) => {
                Diagnostic::usage(format!("{}: {text}", said(path, from)))
            }
            From::Default | From::File(_) => self.fault(path, None, text),
        }
    }

    pub(super) fn warn(&mut self, text: String) {
        self.notices.push(Notice::Configuration { level: Level::Warning, text });
    }

    /// A line of text about a place of the file.
    pub(super) fn at(&self, line: usize, column: usize, text: &str) -> String {
        let shown = self.loaded.map_or("", |loaded| loaded.source.shown.as_str());
        format!("{shown}:{line}:{column}: {text}")
    }

    /// The error for a value of the file, or one of its items.
    pub(super) fn fault(&self, path: &str, item: Option<usize>, text: String) -> Diagnostic {
        let Some(loaded) = self.loaded else {
            return Diagnostic::usage(format!("{path}: {text}"));
        };
        let place = match item {
            Some(index) => loaded.item_place(path, index),
            None => loaded.place(path),
        };
        loaded.diagnostic(Fault { place, key: path.to_owned(), text })
    }

    /// Where the file says something for a key.
    pub(super) fn place_of(&self, path: &str) -> From {
        let place = self.loaded.and_then(|loaded| loaded.place(path));
        place.map_or(From::Default, |place| From::File(place.line))
    }

    pub(super) fn item_from(&self, path: &str, index: usize) -> From {
        let place = self.loaded.and_then(|loaded| loaded.item_place(path, index));
        place.map_or(From::Default, |place| From::File(place.line))
    }
}

/// The key of a path that is written in this module; the table has them all (tested).
pub(super) fn key(path: &'static str) -> &'static Key {
    keys::find(path).unwrap_or(&keys::KEYS[0])
}

/// What a value is called where it was said: `--poll`, `GO_WATCHER_POLL`, `watcher.poll`.
pub(super) fn said(path: &str, from: From) -> String {
    match from {
        From::Flag(flag) => format!("--{flag}"),
        From::Variable(name) => name.to_owned(),
        From::Default | From::File(_) => path.to_owned(),
    }
}

/// One spelling for each value, so that two spellings of the same are no difference.
pub(super) fn canonical(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Duration(_) => {
            duration::parse(text).map_or_else(|_| text.to_owned(), duration::format)
        }
        Kind::Signal => signal::parse(text).map_or_else(|_| quote(text), signal::name),
        _ => text.to_owned(),
    }
}
