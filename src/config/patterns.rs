//! The filter's lists: file and flags joined, each entry with where it was written; and what the filter
//! says about them, at its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Options;
use super::diagnostic::{Diagnostic, escape, quote};
use super::pick::{Resolver, key};
use super::values::{From, Item};
use crate::filter::{BadPattern, Filter, List, Pattern};
use crate::model::Origin;

/// The lists in effect.
pub(super) struct Patterns {
    pub(super) types: Vec<Pattern>,
    pub(super) regexps: Vec<Pattern>,
    pub(super) excluded: Vec<Pattern>,
}

impl Resolver<'_> {
    pub(super) fn patterns(&mut self) -> Result<Patterns, Diagnostic> {
        let options = &self.args.options;
        let types = match options.has("watcher.included_filetypes") {
            true => typed_types(options)?,
            false => self.entries("watcher.included_filetypes"),
        };
        let regexps = self.entries("watcher.excluded_regexps");
        let mut excluded = self.entries("excluded_paths");
        for text in options.texts("excluded_paths") {
            if text.trim_start_matches('!').trim().is_empty() {
                return Err(Diagnostic::usage("-i: an empty pattern; write a path or a glob"));
            }
            let path = text.strip_prefix('!').unwrap_or(text).trim_end_matches('/');
            excluded.push(pattern(text.to_owned(), Origin::Flag("-i"), !path.contains('/')));
        }
        for (path, list) in [
            ("watcher.included_filetypes", &types),
            ("watcher.excluded_regexps", &regexps),
            ("excluded_paths", &excluded),
        ] {
            self.values.list(key(path), list.iter().map(item).collect());
        }
        Ok(Patterns { types, regexps, excluded })
    }

    /// The entries of a list of the file.
    fn entries(&self, path: &str) -> Vec<Pattern> {
        let entries = self.list_in_file(path).unwrap_or_default().iter().enumerate();
        entries
            .map(|(index, text)| pattern(text.clone(), self.origin(path, index), false))
            .collect()
    }

    /// Where an entry of the file's list was written.
    pub(super) fn origin(&self, path: &str, index: usize) -> Origin {
        let Some(loaded) = self.loaded else { return Origin::BuiltIn };
        let line = loaded.item_place(path, index).map_or(0, |place| place.line);
        Origin::File {
            file: Arc::new(PathBuf::from(&loaded.source.shown)),
            line: u32::try_from(line).unwrap_or(0),
        }
    }

    /// The error for a pattern that the filter could not understand.
    pub(super) fn bad_pattern(&self, bad: &BadPattern) -> Diagnostic {
        let remedy = match bad.list {
            _ if bad.message.contains("; ") => "",
            List::Regexps => "; put a backslash before what is meant literally, as in '\\.go$'",
            List::Excluded => "; put a backslash before what is meant literally, or close it",
            List::Types => "; write a type such as go or .html",
        };
        let text = format!("{}: {}{remedy}", quote(&bad.pattern), escape(&bad.message));
        match bad.origin {
            Origin::Flag(flag) => Diagnostic::usage(format!("{flag}: {text}")),
            // The file's entries come first in every list: the index is the same.
            _ => self.fault(bad.list.key(), Some(bad.index), text),
        }
    }

    /// The warning for each entry that is no regular expression.
    pub(super) fn legacy(&mut self, filter: &Filter) {
        for entry in filter.warnings() {
            let text = format!(
                "{} is not a regular expression; read as the glob {}",
                quote(&entry.pattern),
                escape(&entry.read_as)
            );
            let place = self
                .loaded
                .and_then(|loaded| loaded.item_place("watcher.excluded_regexps", entry.index))
                .unwrap_or_default();
            let text = self.at(place.line, place.column, &text);
            self.warn(text);
        }
    }

    /// A `/` at the beginning, as in a `.gitignore`, is here the top of the file system: that would exclude
    /// nothing, and nobody would know why.
    pub(super) fn doubt_slashes(&mut self, excluded: &[Pattern], watched: &[&Path]) {
        for (index, pattern) in excluded.iter().enumerate() {
            let Some(inner) = misplaced(&pattern.text, self.directory, watched) else { continue };
            let text = format!(
                "{} is at the top of the file system, where nothing is watched; for the one here write {}",
                quote(&pattern.text),
                quote(&inner)
            );
            // The file's entries come first.
            let place = self.loaded.and_then(|loaded| loaded.item_place("excluded_paths", index));
            let text = match (&pattern.origin, place) {
                (Origin::File { .. }, Some(place)) => self.at(place.line, place.column, &text),
                _ => format!("-i: {text}"),
            };
            self.warn(text);
        }
    }
}

/// What was meant by a pattern that begins with `/`, when it can't mean what it says.
fn misplaced(text: &str, directory: &Path, watched: &[&Path]) -> Option<String> {
    let (not, body) = text.strip_prefix('!').map_or(("", text), |body| ("!", body));
    let inner = body.strip_prefix('/')?.trim_start_matches('/');
    let literal = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
    let start: PathBuf = inner.split('/').take_while(literal).collect();
    let top = Path::new("/").join(&start);
    let in_reach = watched.iter().any(|path| path.starts_with(&top) || top.starts_with(path));
    let likely = !top.exists() || directory.join(&start).exists();
    // With a slash it means this one only, as it was written.
    let here = if inner.trim_end_matches('/').contains('/') { "" } else { "./" };
    (!in_reach && likely && !inner.is_empty()).then(|| format!("{not}{here}{inner}"))
}

/// The types of `--ext`, which replace the file's.
fn typed_types(options: &Options) -> Result<Vec<Pattern>, Diagnostic> {
    let path = "watcher.included_filetypes";
    let mut types = Vec::new();
    for name in options.texts(path).flat_map(apart) {
        let name = name.trim();
        if name.is_empty() || name.contains('\0') {
            let list = quote(&options.texts(path).collect::<Vec<_>>().join(","));
            let text = format!("--ext: {list} has an empty type; write for example go,html");
            return Err(Diagnostic::usage(text));
        }
        types.push(pattern(name.to_owned(), Origin::Flag("--ext"), false));
    }
    Ok(types)
}

/// The types of one `--ext`; a comma between braces belongs to its type (`*.{js,ts}`).
fn apart(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    list.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

fn pattern(text: String, origin: Origin, any_depth: bool) -> Pattern {
    Pattern { text, origin, any_depth }
}

fn item(pattern: &Pattern) -> Item {
    let from = match &pattern.origin {
        Origin::BuiltIn => From::Default,
        Origin::Flag(flag) => From::Flag(flag),
        Origin::File { line, .. } => From::File(*line as usize),
    };
    Item { text: pattern.text.clone(), from }
}
