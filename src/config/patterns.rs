//! The filter's lists: file and flags joined, each entry with where it was written. Errors and warnings of the filter
//! get their places here.

use std::path::{Path, PathBuf};

use super::Options;
use super::diagnostic::{Diagnostic, escape, quote};
use super::keys::{self, Key};
use super::pick::Picker;
use super::values::Said;
use crate::filter::{BadPattern, Filter, List, Pattern};
use crate::model::Origin;

/// The lists in effect.
pub(super) struct Patterns {
    pub(super) types: Vec<Pattern>,
    pub(super) regexps: Vec<Pattern>,
    pub(super) excluded: Vec<Pattern>,
}

/// The lists of the file, with what the flags add or say instead.
pub(super) fn lists(picker: &mut Picker<'_>) -> Result<Patterns, Diagnostic> {
    let options = &picker.args.options;
    let types = match options.has(&keys::INCLUDED_FILETYPES) {
        true => typed_types(options)?,
        false => entries(picker, &keys::INCLUDED_FILETYPES),
    };
    let regexps = entries(picker, &keys::EXCLUDED_REGEXPS);
    let mut excluded = entries(picker, &keys::EXCLUDED_PATHS);
    for text in options.texts(&keys::EXCLUDED_PATHS) {
        if text.trim_start_matches('!').trim().is_empty() {
            return Err(Diagnostic::usage("-i: an empty pattern; write a path or a glob"));
        }
        let path = text.strip_prefix('!').unwrap_or(text).trim_end_matches('/');
        excluded.push(pattern(text.to_owned(), Origin::Flag("-i"), !path.contains('/')));
    }
    picker.values.list(&keys::INCLUDED_FILETYPES, types.iter().map(said).collect());
    picker.values.list(&keys::EXCLUDED_REGEXPS, regexps.iter().map(said).collect());
    picker.values.list(&keys::EXCLUDED_PATHS, excluded.iter().map(said).collect());
    Ok(Patterns { types, regexps, excluded })
}

/// The entries of a list of the file.
fn entries(picker: &Picker<'_>, key: &'static Key) -> Vec<Pattern> {
    picker.items(key).map(|said| pattern(said.text, said.origin, false)).collect()
}

/// The error for a pattern that the filter could not understand.
pub(super) fn bad(picker: &Picker<'_>, bad: &BadPattern) -> Diagnostic {
    let (key, remedy) = match bad.list {
        List::Regexps => (
            &keys::EXCLUDED_REGEXPS,
            "; put a backslash before what is meant literally, as in '\\.go$'",
        ),
        List::Excluded => {
            (&keys::EXCLUDED_PATHS, "; put a backslash before what is meant literally, or close it")
        }
        List::Types => (&keys::INCLUDED_FILETYPES, "; write a type such as go or .html"),
    };
    let remedy = if bad.message.contains("; ") { "" } else { remedy };
    let text = format!("{}: {}{remedy}", quote(&bad.pattern), escape(&bad.message));
    match bad.origin {
        Origin::Flag(flag) => Diagnostic::usage(format!("{flag}: {text}")),
        // The file's entries come first in every list: the index is the same.
        _ => picker.fault(key, Some(bad.index), text),
    }
}

/// Warns of each entry that is no regular expression.
pub(super) fn doubt_regexps(picker: &mut Picker<'_>, filter: &Filter) {
    for entry in filter.warnings() {
        let text = format!(
            "{} is not a regular expression; read as the glob {}",
            quote(&entry.pattern),
            escape(&entry.read_as)
        );
        let text = picker.at(&keys::EXCLUDED_REGEXPS, Some(entry.index), &text);
        picker.warn(text);
    }
}

/// Warns of a `/` at the beginning that is meant as in a `.gitignore`. Here it is the top of the file system, so that
/// the pattern would exclude nothing.
pub(super) fn doubt_slashes(picker: &mut Picker<'_>, excluded: &[Pattern], watched: &[&Path]) {
    for (index, pattern) in excluded.iter().enumerate() {
        let Some(inner) = misplaced(&pattern.text, picker.directory, watched) else { continue };
        let text = format!(
            "{} is at the top of the file system, where nothing is watched; for the one here write {}",
            quote(&pattern.text),
            quote(&inner)
        );
        let text = match &pattern.origin {
            // The file's entries come first.
            Origin::File { .. } => picker.at(&keys::EXCLUDED_PATHS, Some(index), &text),
            _ => format!("-i: {text}"),
        };
        picker.warn(text);
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
    // A pattern with a slash means one place only, as the written one does.
    let here = if inner.trim_end_matches('/').contains('/') { "" } else { "./" };
    (!in_reach && likely && !inner.is_empty()).then(|| format!("{not}{here}{inner}"))
}

/// The types of `--ext`, which replace the file's.
fn typed_types(options: &Options) -> Result<Vec<Pattern>, Diagnostic> {
    let mut types = Vec::new();
    for name in options.texts(&keys::INCLUDED_FILETYPES).flat_map(apart) {
        let name = name.trim();
        if name.is_empty() || name.contains('\0') {
            let list =
                quote(&options.texts(&keys::INCLUDED_FILETYPES).collect::<Vec<_>>().join(","));
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

fn said(pattern: &Pattern) -> Said {
    Said { text: pattern.text.clone(), origin: pattern.origin.clone() }
}
