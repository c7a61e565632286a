//! What decides about a path: `globset`'s translation of a pattern.
//!
//! Four things it has no words for, and so the pattern goes there with a [`GAP`] in their place:
//! - a class as git reads it: `[[:alpha:]]`, `[a\-b]` and `[]\]x]` mean something else to globset, and its
//!   `[!a]` and `[+-9]` match a slash;
//! - `?` and `[…]` for a character in our own lists: to globset `?` is a byte, and `[é]` either byte of it;
//! - a byte that is no UTF-8 (`\xff*` in a `.gitignore`): its patterns are `str`;
//! - the empty component after a `**`: to git `a**//` is the directory `a` alone, and to globset `**/` is `**`.
//!
//! [`globset::Glob::regex`] is the documented way to what globset made of the rest; the gaps are filled in
//! there, each with the regular expression of one unit.

use std::sync::OnceLock;

use globset::GlobBuilder;
use regex::bytes::{Regex, RegexBuilder};

use super::Part;

/// Stands in a pattern for what globset has no words for. A byte that no one uses; where it is used, it is
/// put into a gap itself.
pub(super) const GAP: char = '\u{1}';

/// A piece of a pattern as globset takes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) glob: String,
    /// What belongs into its gaps, in order, as a regular expression.
    pub(super) gaps: Vec<String>,
}

impl Written {
    /// Adds a byte or more that stand for themselves.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    GAP => self.gap("\\x01".to_owned()),
                    c if c.is_ascii_punctuation() && c != '/' => self.glob.extend(['\\', c]),
                    c => self.glob.push(c),
                }
            }
            chunk.invalid().iter().for_each(|byte| self.gap(format!("\\x{byte:02x}")));
        }
    }

    pub(super) fn gap(&mut self, regex: String) {
        self.glob.push(GAP);
        self.gaps.push(regex);
    }
}

/// A regular expression that is compiled when it is first used.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher(OnceLock<Option<Regex>>);

impl Matcher {
    /// Whether one of these patterns matches; they are always the same.
    pub(super) fn matches<'p, P>(&self, path: &[u8], patterns: impl FnOnce() -> P) -> bool
    where
        P: IntoIterator<Item = &'p [Part]>,
    {
        let regex = self.0.get_or_init(|| compile(&together(patterns())));
        regex.as_ref().is_some_and(|regex| regex.is_match(path))
    }
}

/// The patterns as alternatives. (`**` alone has a meaning to globset outside of braces only.)
fn together<'p>(patterns: impl IntoIterator<Item = &'p [Part]>) -> Written {
    let mut globs = Vec::new();
    let mut gaps = Vec::new();
    for parts in patterns {
        let part = |part: &'p Part| match part {
            Part::Any => "**",
            Part::Name(name) => {
                gaps.extend_from_slice(&name.written.gaps);
                &name.written.glob
            }
        };
        globs.push(parts.iter().map(part).collect::<Vec<_>>().join("/"));
    }
    let glob = match globs.as_slice() {
        [one] => one.clone(),
        many => format!("{{{}}}", many.join(",")),
    };
    Written { glob, gaps }
}

/// Compiles as globset compiles its own. A pattern's length is limited ([`super::parse`]), so its size is.
fn compile(written: &Written) -> Option<Regex> {
    let mut builder = GlobBuilder::new(&written.glob);
    let glob = builder.literal_separator(true).backslash_escape(true).build();
    // Every special character is escaped: there is nothing in it that globset could refuse.
    let glob = glob.ok()?;
    let mut text = String::new();
    let mut gaps = written.gaps.iter();
    for (index, piece) in glob.regex().split(GAP).enumerate() {
        text.push_str(if index > 0 { gaps.next()? } else { "" });
        text.push_str(piece);
    }
    let regex = RegexBuilder::new(&text).dot_matches_new_line(true).build();
    debug_assert!(regex.is_ok(), "{}: {regex:?}", written.glob);
    regex.ok()
}
