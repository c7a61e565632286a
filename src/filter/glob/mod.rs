//! Glob patterns over bytes, with git's meaning: `*`, `?` and `[…]` stay inside a component, `**`
//! as a whole component spans any number of them.
//!
//! `globset` decides ([`matcher`]); [`parse`] writes a pattern down so that globset understands by it
//! what git does, and keeps its literal pieces, by which [`super::index`] leaves out what can't match:
//! a `GlobSet` of 1,000 mixed patterns took 51 µs a path, the index and the few that it leaves take
//! under 1 µs. For the same reason a pattern is compiled when it is first tried: 1,000 at once would take
//! 100 ms before the first run could start.

mod braces;
mod class;
mod matcher;
mod parse;

pub(super) use braces::expand;
use matcher::{Matcher, Written};

/// A pattern.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// Literal bytes before a `**` that does not begin a component (`lib**/x`): git strips what is
    /// literal before it matches the rest, so that such a `**` spans components after all. To globset
    /// it is two stars, which stay inside the component.
    prefix: Box<[u8]>,
    parts: Box<[Part]>,
    /// The path that it is, when it has no wildcard.
    literal: Option<Box<[u8]>>,
    whole: Matcher,
    /// Matches the directories above what it matches.
    above: Matcher,
}

/// One component of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// `**`: any number of components, none too; at the end: at least one.
    Any,
    /// A pattern for one component.
    Name(Name),
}

/// A pattern for one component.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    /// Its pieces: literal bytes, or `None` for a wildcard.
    pub(super) pieces: Vec<Option<Box<[u8]>>>,
    written: Written,
}

/// What `?` and `[…]` stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Units {
    /// One byte, as in git.
    Bytes,
    /// One character, for our own lists (`第?章.md`). A byte that belongs to none is matched by `*` only.
    Characters,
}

/// Why a text is no pattern, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GlobError(pub(super) &'static str);

impl Glob {
    fn new(prefix: &[u8], parts: Vec<Part>) -> Self {
        let names: Option<Vec<&[u8]>> = parts.iter().map(Part::literal).collect();
        let literal = names.map(|names| names.join(&b'/').into());
        let (whole, above) = (Matcher::default(), Matcher::default());
        Self { prefix: prefix.into(), parts: parts.into(), literal, whole, above }
    }

    /// A path without wildcards, taken as it stands.
    pub(super) fn literal(path: &[u8]) -> Self {
        let part = |name| Part::Name(Name::literal(name));
        Self::new(b"", path.split(|&byte| byte == b'/').map(part).collect())
    }

    /// Whether the whole of `path` (relative, no empty components) matches.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let Some(path) = path.strip_prefix(&*self.prefix) else { return false };
        match &self.literal {
            Some(literal) => **literal == *path,
            None => self.whole.matches(path, || [&*self.parts]),
        }
    }

    /// Whether something *below* the directory `path` may match, so that a walk has to go in. A
    /// pattern that begins with `**` leads nowhere: it would open every ignored tree.
    pub(super) fn leads_below(&self, path: &[u8]) -> bool {
        if !self.prefix.is_empty() {
            return path.starts_with(&self.prefix);
        }
        // A `**` leads everywhere below.
        let any = self.parts.iter().position(|part| matches!(part, Part::Any));
        let depths = 1..any.map_or(self.parts.len(), |any| any + 2);
        let above = || depths.map(|depth| &self.parts[..depth.min(self.parts.len())]);
        !self.floats() && self.parts.len() > 1 && self.above.matches(path, above)
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

impl Part {
    /// The bytes that this component must equal, when it has no wildcard.
    pub(super) fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Name(Name { pieces, .. }) => match pieces.as_slice() {
                [] => Some(b""),
                [Some(bytes)] => Some(bytes),
                _ => None,
            },
            Self::Any => None,
        }
    }
}

#[cfg(test)]
mod tests;
