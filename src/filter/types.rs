//! `included_filetypes` and `--ext`: how a file name may end.
//!
//! `.go` and `go` mean every name that ends with `.go`; compound types such as `.d.ts` are ends as
//! well; an entry that begins with no dot also names a file as a whole (`Makefile`, `go.mod`). An
//! entry with a wildcard is a glob on the name (`*.go`, `Dockerfile*`).

use std::collections::HashMap;
use std::sync::Arc;

use super::glob::{Glob, GlobError, On, Units, expand};
use super::lines::{RuleLine, RuleLines};
use super::{BadPattern, List, Pattern};
use crate::model::{Rule, RuleKind};

/// The compiled types.
#[derive(Debug)]
pub(super) struct Types {
    /// Ends by the bytes after the dot, and whole names.
    ends: HashMap<Box<[u8]>, Rule>,
    names: HashMap<Box<[u8]>, Rule>,
    globs: RuleLines,
    /// The rule for a file that has none of them: the whole list.
    none: Rule,
}

impl Types {
    /// `None` when there are no types: then every file counts.
    pub(super) fn new(patterns: &[Pattern]) -> Result<Option<Self>, BadPattern> {
        let Some(first) = patterns.first() else { return Ok(None) };
        let all: Vec<&str> = patterns.iter().map(|pattern| pattern.text.as_str()).collect();
        let kind = RuleKind::Filetype;
        let none = Rule { kind, text: Arc::from(all.join(", ")), origin: first.origin.clone() };
        let (mut ends, mut names) = (HashMap::new(), HashMap::new());
        let mut globs = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let text = pattern.text.as_str();
            let rule = Rule { kind, text: text.into(), origin: pattern.origin.clone() };
            let bad = |error: GlobError| BadPattern::new(List::Types, index, pattern, error.0);
            check(text).map_err(bad)?;
            if text.contains(['*', '?', '[', '{']) {
                for alternative in expand(text.as_bytes()).map_err(bad)? {
                    let glob = Glob::new(On::Name, &alternative, Units::Characters).map_err(bad)?;
                    let order = u32::try_from(index).unwrap_or(u32::MAX);
                    let rule = rule.clone();
                    let (directories_only, negated) = (false, false);
                    globs.push(RuleLine { order, glob, directories_only, negated, rule });
                }
                continue;
            }
            let end = text.strip_prefix('.').unwrap_or(text).as_bytes();
            ends.entry(end.into()).or_insert_with(|| rule.clone());
            if !text.starts_with('.') {
                names.entry(end.into()).or_insert(rule);
            }
        }
        Ok(Some(Self { ends, names, globs: RuleLines::new(globs), none }))
    }

    /// The type that a file name has: a whole name before an end, a longer end before a shorter one.
    pub(super) fn of(&self, name: &[u8]) -> Option<&Rule> {
        if !self.names.is_empty()
            && let Some(rule) = self.names.get(name)
        {
            return Some(rule);
        }
        let dots = name.iter().enumerate().filter(|&(_, &byte)| byte == b'.');
        dots.map(|(at, _)| &name[at + 1..])
            .find_map(|end| self.ends.get(end))
            .or_else(|| self.globs.last_match(name, false).map(|line| &line.rule))
    }

    /// The rule for a file that has no type of the list.
    pub(super) fn none(&self) -> &Rule {
        &self.none
    }
}

fn check(text: &str) -> Result<(), GlobError> {
    match text {
        "" => Err(GlobError(
            "empty; write an ending such as .go, or leave the list empty for every file",
        )),
        "." => Err(GlobError("no ending; write one such as .go")),
        _ if text.contains('/') => Err(GlobError(
            "a type is how a file name ends; a path belongs into excluded_paths or -w",
        )),
        // No file would have such a type, and no reload would come.
        _ if text.contains([' ', '\t']) => Err(GlobError(
            "holds a blank; types stand apart: go,html on the command line, [go, html] in a file",
        )),
        _ => Ok(()),
    }
}
