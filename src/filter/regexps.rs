//! `excluded_regexps`: tried on the file name, the path relative to the root, and the absolute path.

use regex::bytes::{Regex, RegexBuilder, RegexSet};

use super::glob::{Glob, On, Units, expand};
use super::lines::{RuleLine, RuleLines};
use super::{BadPattern, Legacy, List, Pattern};
use crate::model::{Rule, RuleKind};

/// The compiled expressions.
#[derive(Debug)]
pub(super) struct Regexps {
    each: Vec<(Regex, Rule)>,
    /// All of them at once. `None`: they are so few that asking one by one is as fast.
    any: Option<RegexSet>,
    /// Entries that are globs.
    globs: RuleLines,
}

/// Up to this many expressions are asked one by one.
const FEW: usize = 4;

/// What one expression may take when it is compiled, in bytes. `.{1000}` fits; `(.{100}){100}` is a mistake that would
/// hold up the first run.
const LARGEST: usize = 1 << 20;

impl Regexps {
    /// Compiles the entries. Those that had to be read as globs are returned as well.
    pub(super) fn new(patterns: &[Pattern]) -> Result<(Self, Vec<Legacy>), BadPattern> {
        let (mut each, mut globs, mut legacy) = (Vec::new(), Vec::new(), Vec::new());
        for (index, pattern) in patterns.iter().enumerate() {
            let origin = pattern.origin.clone();
            let text = pattern.text.as_str().into();
            let rule = Rule { kind: RuleKind::ExcludedRegexp, text, origin: origin.clone() };
            let error = match RegexBuilder::new(&pattern.text).size_limit(LARGEST).build() {
                Ok(regex) => {
                    each.push((regex, rule));
                    continue;
                }
                Err(regex::Error::CompiledTooBig(_)) => {
                    let error =
                        "too large: it compiles to more than 1 MiB; write fewer repetitions";
                    return Err(BadPattern::new(List::Regexps, index, pattern, error));
                }
                Err(error) => one_line(&error.to_string()),
            };
            let order = u32::try_from(index).unwrap_or(u32::MAX);
            let Some((read_as, lines)) = meant_glob(&pattern.text, order, &rule) else {
                return Err(BadPattern::new(List::Regexps, index, pattern, &error));
            };
            globs.extend(lines);
            legacy.push(Legacy { index, pattern: pattern.text.clone(), read_as, origin });
        }
        let any = (each.len() > FEW)
            .then(|| RegexSet::new(each.iter().map(|(regex, _)| regex.as_str())))
            .and_then(Result::ok);
        Ok((Self { each, any, globs: RuleLines::new(globs) }, legacy))
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.each.is_empty() && self.globs.is_empty()
    }

    /// The rule that excludes a file. `relative` is its path below the root.
    pub(super) fn excluded(&self, name: &[u8], relative: &[u8], absolute: &[u8]) -> Option<&Rule> {
        if let Some(line) = self.globs.last_match(relative, false) {
            return Some(&line.rule);
        }
        let texts = [name, relative, absolute];
        // In the root itself the first two are the same.
        let texts = if name.len() == relative.len() { &texts[1..] } else { &texts };
        let any = |text: &&[u8]| self.any.as_ref().is_none_or(|any| any.is_match(text));
        let text_hits = |text: &&[u8]| self.each.iter().find(|(regex, _)| regex.is_match(text));
        texts.iter().filter(|text| any(text)).find_map(text_hits).map(|(_, rule)| rule)
    }
}

/// The glob that was surely meant by an entry that is no regular expression: it has a star, and nothing that only a
/// regular expression has.
fn meant_glob(text: &str, order: u32, rule: &Rule) -> Option<(String, Vec<RuleLine>)> {
    let glob = text.strip_prefix('^').unwrap_or(text);
    let glob = glob.strip_suffix('$').unwrap_or(glob);
    if !glob.contains('*') || glob.contains(['(', ')', '|', '+', '\\', '^', '$']) {
        return None;
    }
    let on = if glob.contains('/') { On::Path } else { On::Name };
    let mut lines = Vec::new();
    for alternative in expand(glob.as_bytes()).ok()? {
        let glob = Glob::new(on, &alternative, Units::Characters).ok()?;
        let rule = rule.clone();
        lines.push(RuleLine { order, glob, directories_only: false, negated: false, rule });
    }
    Some((glob.to_owned(), lines))
}

/// What is wrong with an expression, in one line: the last of the `regex` crate's picture of the error.
fn one_line(error: &str) -> String {
    let last =
        error.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no regular expression");
    let what = last.trim().trim_start_matches("error: ");
    format!("no regular expression: {what}")
}
