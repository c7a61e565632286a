//! Globs: `*`, `?` and `[…]` stay inside a component, `**` as a whole component spans any number of them.
//!
//! A pattern is read once into its components ([`parse`]). By its literal pieces [`super::index`] leaves out what
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
    engine: Engine,
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

/// What decides whether a path matches.
#[derive(Clone, Debug)]
enum Engine {
    Own(Units),
    /// Compiled when it is first asked: 1,000 at once would take 100 ms before the first run could start.
    Globset(OnceLock<Option<GlobMatcher>>),
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
        Ok(Self::of(on, prefix, parse(rest, units, on == On::Path)?, units))
    }

    /// A name or a path without wildcards, taken as it stands.
    pub(super) fn literal(on: On, path: &[u8]) -> Self {
        let part = |name: &[u8]| Part::Name([Piece::Literal(name.into())].into());
        Self::of(on, b"", path.split(|&byte| byte == b'/').map(part).collect(), Units::Bytes)
    }

    fn of(on: On, prefix: &[u8], parts: Vec<Part>, units: Units) -> Self {
        let wild = parts.iter().any(|part| part.literal().is_none());
        let engine = match units {
            Units::Characters if wild && parts.iter().all(Part::is_same_to_globset) => {
                Engine::Globset(OnceLock::new())
            }
            _ => Engine::Own(units),
        };
        Self { on, prefix: prefix.into(), parts: parts.into(), engine }
    }

    /// What it is tried on.
    pub(super) fn on(&self) -> On {
        self.on
    }

    /// Whether the whole of `path` (relative, no empty components) matches.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let Some(path) = path.strip_prefix(&*self.prefix) else { return false };
        match &self.engine {
            Engine::Own(units) => wildmatch::matches(&self.parts, path, *units),
            Engine::Globset(matcher) => matcher
                .get_or_init(|| compile(&self.parts))
                .as_ref()
                .is_some_and(|glob| glob.is_match_candidate(&Candidate::from_bytes(path))),
        }
    }

    /// Whether something *below* the directory `path` may match, so that a walk has to go in. A
    /// pattern that begins with `**` leads nowhere: it would open every ignored tree.
    pub(super) fn leads_below(&self, path: &[u8]) -> bool {
        if !self.prefix.is_empty() {
            return path.starts_with(&self.prefix);
        }
        let units = match self.engine {
            Engine::Own(units) => units,
            Engine::Globset(_) => Units::Characters,
        };
        !self.floats() && wildmatch::leads_below(&self.parts, path, units)
    }

    /// Its components, unless it begins in the middle of one.
    pub(super) fn parts(&self) -> Option<&[Part]> {
        self.prefix.is_empty().then_some(&self.parts)
    }

    /// Whether it begins with `**`.
    pub(super) fn floats(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Any))
    }
}

/// The glob as `globset` takes it. Everything special is escaped: there is nothing that it could refuse.
fn compile(parts: &[Part]) -> Option<GlobMatcher> {
    let texts: Vec<String> = parts.iter().map(Part::to_globset).collect();
    let text = texts.join("/");
    let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
    debug_assert!(glob.is_ok(), "{text}: {glob:?}");
    glob.ok().map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests;
