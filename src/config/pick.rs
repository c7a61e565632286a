//! One value for each key: the flag's, else the environment's, else the file's, else the default.

use std::path::Path;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Fault};
use super::file::Loaded;
use super::keys::Key;
use super::kind::Kind;
use super::values::{Said, Values};
use super::{Env, RunArgs, duration};
use crate::model::{Level, Notice, Origin};

/// Picks the value of each key, and remembers it with where it was said.
pub(super) struct Picker<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) loaded: Option<&'a Loaded>,
    pub(super) env: Env<'a>,
    pub(super) directory: &'a Path,
    pub(super) values: Values,
    pub(super) notices: Vec<Notice>,
}

impl Picker<'_> {
    /// A single value, checked and in one spelling.
    pub(super) fn text(&mut self, key: &'static Key) -> Result<String, Diagnostic> {
        let flag = key.flag.map_or("", |flag| flag.long);
        match (self.args.options.text(key), self.loaded.and_then(|loaded| loaded.file.text(key))) {
            (Some(text), _) => self.given(key, &text, flag),
            (None, Some(text)) => Ok(self.take(key, text, self.origin(key))),
            (None, None) => Ok(self.take(key, key.default, Origin::BuiltIn)),
        }
    }

    /// A value that was given outside of the file, by this flag or variable.
    pub(super) fn given(
        &mut self,
        key: &'static Key,
        text: &str,
        by: &'static str,
    ) -> Result<String, Diagnostic> {
        key.kind.check(text).map_err(|wrong| Diagnostic::usage(format!("{by}: {wrong}")))?;
        Ok(self.take(key, text, Origin::Flag(by)))
    }

    /// A value that is right: it is in effect from now on.
    fn take(&mut self, key: &'static Key, text: &str, origin: Origin) -> String {
        self.doubt_unit(key, text, &origin);
        let text = key.kind.canonical(text);
        self.values.scalar(key, text.clone(), origin);
        text
    }

    /// A duration; `None` for `auto`.
    pub(super) fn time(&mut self, key: &'static Key) -> Result<Option<Duration>, Diagnostic> {
        Ok(duration::parse(&self.text(key)?).ok())
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static Key) -> Result<bool, Diagnostic> {
        Ok(self.text(key)? == "true")
    }

    /// What a word means, by `of`.
    pub(super) fn word<T>(
        &mut self,
        key: &'static Key,
        of: fn(&str) -> Option<T>,
    ) -> Result<T, Diagnostic> {
        let word = self.text(key)?;
        of(&word).ok_or_else(|| self.misfit(key, &key.kind.wrong(&word, "is not known")))
    }

    /// The items of a list of the file; none when the file does not have it.
    pub(super) fn items(&self, key: &'static Key) -> impl Iterator<Item = Said> {
        let loaded = self.loaded.and_then(|loaded| Some((loaded, loaded.file.list(key)?)));
        loaded.into_iter().flat_map(move |(loaded, items)| {
            items.iter().enumerate().map(move |(index, text)| Said {
                text: text.clone(),
                origin: loaded.origin(key, Some(index)),
            })
        })
    }

    /// Warns of a bare number: `-d 2` means two seconds elsewhere and two milliseconds here.
    fn doubt_unit(&mut self, key: &'static Key, text: &str, origin: &Origin) {
        let bare = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 30.0);
        let (Kind::Duration(_), Some(_)) = (key.kind, bare) else { return };
        let says = format!("{text} is {text} milliseconds; seconds are written {text}s");
        let says = format!("{}: {says}", called(key, origin));
        let text = match origin {
            Origin::File { .. } => self.at(key, None, &says),
            _ => says,
        };
        self.warn(text);
    }

    /// The error for a value that goes with no other one, where it was said.
    pub(super) fn misfit(&self, key: &'static Key, text: &str) -> Diagnostic {
        match self.values.origin(key) {
            Origin::Flag(flag) => Diagnostic::usage(format!("{flag}: {text}")),
            Origin::BuiltIn | Origin::File { .. } => self.fault(key, None, text.to_owned()),
        }
    }

    pub(super) fn warn(&mut self, text: String) {
        self.notices.push(Notice::Configuration { level: Level::Warning, text });
    }

    /// A line of text about a value of the file, or one of its items.
    pub(super) fn at(&self, key: &'static Key, item: Option<usize>, text: &str) -> String {
        let Some(loaded) = self.loaded else { return text.to_owned() };
        let place = loaded.place(key, item).unwrap_or_default();
        format!("{}:{}:{}: {text}", loaded.source.shown, place.line, place.column)
    }

    /// The error for a value of the file, or one of its items.
    pub(super) fn fault(&self, key: &Key, item: Option<usize>, text: String) -> Diagnostic {
        match self.loaded {
            Some(loaded) => {
                let place = loaded.place(key, item);
                loaded.diagnostic(Fault { place, key: key.path.to_owned(), text })
            }
            None => Diagnostic::usage(format!("{}: {text}", key.path)),
        }
    }

    /// Where the file says something for a key.
    pub(super) fn origin(&self, key: &Key) -> Origin {
        self.loaded.map_or(Origin::BuiltIn, |loaded| loaded.origin(key, None))
    }
}

/// What a value is called where it was said: `--poll`, `GO_WATCHER_POLL`, `watcher.poll`.
pub(super) fn called(key: &Key, origin: &Origin) -> &'static str {
    match origin {
        Origin::Flag(flag) => flag,
        Origin::BuiltIn | Origin::File { .. } => key.path,
    }
}
