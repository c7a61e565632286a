//! Globs: `*`, `?` and `[…]` stay inside a component, `**` as a whole component spans any number of them.
//!
//! A pattern is read once into its components ([`mod@parse`]). By its literal pieces [`super::index`] leaves out what
//! can't match: a `GlobSet` of 1,000 mixed patterns takes 51 µs a path, the index and the few that it leaves
//! under 1 µs.
//!
//! `globset` decides about patterns that people write. Its `?` is a byte and its `[é]` either byte of it, so a
//! pattern with one of these is matched by our own [`wildmatch`], as are the lines of ignore files: git knows
//! `[[:alpha:]]`, and bytes that are no UTF-8.

mod braces;
mod class;
mod parse;
mod wildmatch;

use std::sync::OnceLock;

use globset::{Candidate, GlobBuilder, GlobMatcher};

pub(super) use braces::expand;
use parse::{inner_double_star, parse};
pub(super) use wildmatch::{Part, Piece};

/// A pattern.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    on: On,
    /// Literal bytes before a `**` that does not begin a component (`lib**/x`). git strips what is literal before
    /// it matches the rest, so such a `**` spans components after all.
    prefix: Box<[u8]>,
    parts: Box<[Part]>,
    units: Units,
    globset: Option<Globset>,
}

/// What a glob is tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// The last component, wherever it is.
    Name,
    /// The path relative to the base of its list.
    Path,
}

/// What `?` and `[…]` stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Units {
    /// One byte, as in git.
    Bytes,
    /// One character, in the lists that people write (`第?章.md`). A byte that belongs to no character is matched by
    /// `*` only.
    Characters,
}

/// A pattern that `globset` decides about.
#[derive(Clone, Debug)]
struct Globset {
    text: Box<str>,
    /// Compiled when it is first asked: 1,000 at once would take 100 ms before the first run could start. `None`:
    /// `globset` refuses it (`a}b*`).
    matcher: OnceLock<Option<GlobMatcher>>,
}

/// Why a text is no pattern, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GlobError(pub(super) &'static str);

impl Glob {
    /// Reads a pattern. One for a name has no slash, and a `**` in it is a `*`; of one for a path a leading slash has
    /// been taken off.
    pub(super) fn new(on: On, pattern: &[u8], units: Units) -> Result<Self, GlobError> {
        let begin = if on == On::Path { inner_double_star(pattern) } else { 0 };
        let (prefix, rest) = pattern.split_at(begin);
        let parts = parse(rest, units, on == On::Path)?.into();
        let globset = if units == Units::Characters { Globset::new(rest) } else { None };
        Ok(Self { on, prefix: prefix.into(), parts, units, globset })
    }

    /// A name or a path without wildcards, taken as it stands.
    pub(super) fn literal(on: On, path: &[u8]) -> Self {
        let part = |name: &[u8]| Part::Name(vec![Piece::Literal(name.into())]);
        let parts = path.split(|&byte| byte == b'/').map(part).collect();
        Self { on, prefix: Box::default(), parts, units: Units::Bytes, globset: None }
    }

    /// What the glob is tried on.
    pub(super) fn on(&self) -> On {
        self.on
    }

    /// Whether the whole of `path` (relative, no empty components) matches.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let Some(path) = path.strip_prefix(&*self.prefix) else { return false };
        match self.globset.as_ref().and_then(Globset::matcher) {
            Some(globset) => globset.is_match_candidate(&Candidate::from_bytes(path)),
            None => wildmatch::matches(&self.parts, path, self.units, false),
        }
    }

    /// Whether something *below* the directory `path` may match, so that a walk has to go in. A
    /// pattern that begins with `**` leads nowhere: it would open every ignored tree.
    pub(super) fn leads_below(&self, path: &[u8]) -> bool {
        if !self.prefix.is_empty() {
            return path.starts_with(&self.prefix);
        }
        !self.floats() && wildmatch::matches(&self.parts, path, self.units, true)
    }

    /// The components, unless the glob begins in the middle of one.
    pub(super) fn parts(&self) -> Option<&[Part]> {
        self.prefix.is_empty().then_some(&self.parts)
    }

    /// Whether the glob begins with `**`.
    pub(super) fn floats(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Any))
    }
}

impl Globset {
    /// `None` for a pattern without a star, and for one that means something else to `globset`: `***` is no `**`
    /// there, and `**//` is.
    fn new(pattern: &[u8]) -> Option<Self> {
        let text = str::from_utf8(pattern).ok()?;
        let other = text.contains(['?', '[']) || text.contains("***") || text.contains("//");
        (text.contains('*') && !other).then(|| Self { text: text.into(), matcher: OnceLock::new() })
    }

    fn matcher(&self) -> Option<&GlobMatcher> {
        let compile = || {
            let mut builder = GlobBuilder::new(&self.text);
            let glob = builder.literal_separator(true).backslash_escape(true).build();
            glob.ok().map(|glob| glob.compile_matcher())
        };
        self.matcher.get_or_init(compile).as_ref()
    }
}

#[cfg(test)]
mod tests;
