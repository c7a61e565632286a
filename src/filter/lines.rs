//! An ordered list of patterns of which the last one that matches decides.

use super::glob::{Glob, On};
use super::index::Index;
use crate::model::Rule;

/// One pattern of a list with its rule.
#[derive(Clone, Debug)]
pub(super) struct RuleLine {
    /// The place among all lines that compete; the greatest decides.
    pub(super) order: u32,
    pub(super) glob: Glob,
    /// Whether only directories match (`dist/`).
    pub(super) directories_only: bool,
    /// Whether the line takes back (`!dist`).
    pub(super) negated: bool,
    pub(super) rule: Rule,
}

/// Lists shorter than this are tried one by one.
const FEW: usize = 6;

/// The lines in ascending order.
#[derive(Debug)]
pub(super) struct RuleLines {
    lines: Vec<RuleLine>,
    index: Option<Index>,
}

impl RuleLines {
    pub(super) fn new(lines: Vec<RuleLine>) -> Self {
        let index = (lines.len() >= FEW).then(|| Index::new(lines.iter().map(|line| &line.glob)));
        Self { lines, index }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All lines, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &RuleLine> {
        self.lines.iter()
    }

    /// The last line that matches a path relative to the base.
    pub(super) fn last_match(&self, path: &[u8], directory: bool) -> Option<&RuleLine> {
        let name = name_of(path);
        let matches = |line: &RuleLine| {
            (directory || !line.directories_only)
                && line.glob.matches(match line.glob.on() {
                    On::Name => name,
                    On::Path => path,
                })
        };
        let Some(index) = &self.index else {
            return self.lines.iter().rev().find(|line| matches(line));
        };
        let mut best: Option<usize> = None;
        index.candidates(path, |number| {
            let number = number as usize;
            if best.is_none_or(|best| best < number) && matches(&self.lines[number]) {
                best = Some(number);
            }
        });
        best.map(|best| &self.lines[best])
    }
}

/// The last component of a path.
pub(super) fn name_of(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => &path[slash + 1..],
        None => path,
    }
}

/// `path` relative to `base`, when it lies below it.
pub(super) fn below<'p>(path: &'p [u8], base: &[u8]) -> Option<&'p [u8]> {
    let rest = path.strip_prefix(base)?;
    if base.ends_with(b"/") {
        return (!rest.is_empty()).then_some(rest);
    }
    rest.strip_prefix(b"/").filter(|rest| !rest.is_empty())
}
