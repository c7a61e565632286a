//! `excluded_paths` and `-i`: the last line that matches a path or a directory above it decides.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::glob::{Glob, GlobError, On, Units, expand};
use super::lines::{RuleLine, RuleLines, below};
use super::{BadPattern, List, Pattern};
use crate::model::{Origin, Rule, RuleKind};

/// The compiled lines, grouped by the directory they start from.
#[derive(Debug)]
pub(super) struct Excluded {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    /// What the paths are relative to. `None` for names that match at any depth: these hold outside of the working
    /// directory as well.
    base: Option<Box<[u8]>>,
    lines: RuleLines,
    /// Whether a line takes something back.
    takes_back: bool,
}

/// Where a pattern starts from (nowhere: a name at any depth), and the pattern relative to that.
type Anchored = (Option<PathBuf>, Vec<u8>);

impl Excluded {
    pub(super) fn new(patterns: &[Pattern], directory: &Path) -> Result<Self, BadPattern> {
        let mut groups: BTreeMap<Option<PathBuf>, Vec<RuleLine>> = BTreeMap::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let order = u32::try_from(index).unwrap_or(u32::MAX);
            let lines = compile(pattern, order, directory);
            let lines =
                lines.map_err(|error| BadPattern::new(List::Excluded, index, pattern, error.0))?;
            for (base, line) in lines {
                groups.entry(base).or_default().push(line);
            }
        }
        let group = |(base, lines): (Option<PathBuf>, Vec<RuleLine>)| {
            let base = base.map(|base| base.as_os_str().as_encoded_bytes().into());
            let takes_back = lines.iter().any(|line| line.negated);
            Group { base, lines: RuleLines::new(lines), takes_back }
        };
        Ok(Self { groups: groups.into_iter().map(group).collect() })
    }

    /// The last line that matches this very path (absolute).
    pub(super) fn last_match(&self, path: &[u8], directory: bool) -> Option<&RuleLine> {
        let mut best: Option<&RuleLine> = None;
        for group in &self.groups {
            let Some(relative) = group.relative(path) else { continue };
            if let Some(line) = group.lines.last_match(relative, directory) {
                best = best.filter(|best| best.order > line.order).or(Some(line));
            }
        }
        best
    }

    /// A line after `order` that takes back something below this directory.
    pub(super) fn leads_below(&self, path: &[u8], order: Option<u32>) -> Option<&RuleLine> {
        self.groups.iter().filter(|group| group.takes_back).find_map(|group| {
            let base = group.base.as_deref()?;
            // On the way to the base every line leads on.
            let above = base == path || below(base, path).is_some();
            let relative = below(path, base).filter(|_| !above);
            group.lines.iter().find(|line| {
                line.negated
                    && order.is_none_or(|order| line.order > order)
                    && (above || relative.is_some_and(|path| line.glob.leads_below(path)))
            })
        })
    }
}

impl Group {
    fn relative<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        match &self.base {
            Some(base) => below(path, base),
            None => Some(path.strip_prefix(b"/").unwrap_or(path)),
        }
    }
}

/// One line for each alternative of the pattern's braces.
fn compile(
    pattern: &Pattern,
    order: u32,
    directory: &Path,
) -> Result<Vec<(Option<PathBuf>, RuleLine)>, GlobError> {
    let text = &pattern.text;
    let (negated, body) = match text.strip_prefix('!') {
        Some(body) => (true, body),
        // `\!` is for a name that begins with `!`, as in ignore files.
        None => (false, text.strip_prefix('\\').filter(|t| t.starts_with('!')).unwrap_or(text)),
    };
    let wild = body.contains(['*', '?', '[', '{']);
    let alternatives = if wild { expand(body.as_bytes())? } else { vec![body.into()] };
    let rule = rule(pattern);
    let mut lines = Vec::new();
    for alternative in alternatives {
        let directories_only = alternative.ends_with(b"/");
        let (base, relative) = anchor(&alternative, pattern.any_depth, directory)?;
        let on = if base.is_some() { On::Path } else { On::Name };
        let glob = match wild {
            true => Glob::new(on, &relative, Units::Characters)?,
            false => Glob::literal(on, &relative),
        };
        let rule = rule.clone();
        lines.push((base, RuleLine { order, glob, directories_only, negated, rule }));
    }
    Ok(lines)
}

fn rule(pattern: &Pattern) -> Rule {
    let origin: Origin = pattern.origin.clone();
    Rule { kind: RuleKind::ExcludedPath, text: pattern.text.as_str().into(), origin }
}

/// Where a pattern starts from: what is below the working directory stays relative to it, everything
/// else (`/abs`, `../lib`) starts from its first directories without wildcards.
fn anchor(pattern: &[u8], any_depth: bool, directory: &Path) -> Result<Anchored, GlobError> {
    let body = trim_slashes(pattern);
    if body.is_empty() {
        return Err(GlobError("empty; write the name of a file or directory"));
    }
    if body.contains(&0) {
        return Err(GlobError("a NUL, which no path can contain"));
    }
    if any_depth && !body.contains(&b'/') && !matches!(body, b"." | b"..") {
        return Ok((None, body.to_vec()));
    }
    let absolute = body.starts_with(b"/");
    let outside = absolute || body.split(|&byte| byte == b'/').any(|part| part == b"..");
    let mut base = if absolute { PathBuf::from("/") } else { directory.to_path_buf() };
    let mut rest: Vec<&[u8]> = Vec::new();
    for part in body.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if rest.is_empty() => {
                base.pop();
            }
            b".." if is_wild(rest[rest.len() - 1]) => {
                return Err(GlobError("a .. after a wildcard"));
            }
            b".." => {
                rest.pop();
            }
            part => rest.push(part),
        }
    }
    if outside {
        settle_base(&mut base, &mut rest, directory);
    }
    if rest.is_empty() {
        return Err(GlobError("names the working directory or one above it, and so everything"));
    }
    Ok((Some(base), rest.join(&b'/')))
}

/// Moves the literal directories at the beginning of `rest` into `base`, as far as the working
/// directory when the pattern leads there.
fn settle_base(base: &mut PathBuf, rest: &mut Vec<&[u8]>, directory: &Path) {
    while base != directory && rest.len() > 1 && !is_wild(rest[0]) {
        let Ok(part) = str::from_utf8(rest[0]) else { return };
        base.push(part);
        rest.remove(0);
    }
    // A pattern that names the working directory itself or one above it.
    if let [only] = rest.as_slice()
        && let Ok(only) = str::from_utf8(only)
        && !is_wild(only.as_bytes())
        && directory.starts_with(base.join(only))
    {
        rest.clear();
    }
}

fn is_wild(part: &[u8]) -> bool {
    part.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// The pattern without the slashes at its end; a lone slash is empty.
fn trim_slashes(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    &pattern[..end]
}

/// A path without `.` and `..`, by its words alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
