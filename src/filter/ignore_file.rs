//! Ignore files: their lines as git reads them, and the chain of those that speak about a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::glob::{Glob, On, Units};
use super::lines::{RuleLine, RuleLines, below};
use crate::model::{Origin, Rule, RuleKind};

/// Names of ignore files inside watched trees.
pub const IGNORE_FILES: [&str; 2] = [".gitignore", ".ignore"];

/// The text of one ignore file. The filter reads no files: texts are handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreText {
    /// The file's absolute path.
    pub path: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
    /// The directory its patterns are relative to.
    pub base: PathBuf,
    /// Which kind of file it is: it decides the precedence.
    pub source: IgnoreSource,
}

/// The kinds of ignore files, lowest precedence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoreSource {
    /// git's `core.excludesFile`.
    Global,
    /// `info/exclude` of the repository.
    Exclude,
    /// A `.gitignore`: nearer directories win.
    Gitignore,
    /// An `.ignore`: wins over the `.gitignore` of its directory, not over one of a nearer directory.
    Ignore,
}

impl IgnoreText {
    /// A `.gitignore` or `.ignore` (by its name) that speaks about the directory it lies in.
    pub fn in_directory(path: PathBuf, text: Vec<u8>) -> Self {
        let source = match path.file_name() {
            Some(name) if name == ".ignore" => IgnoreSource::Ignore,
            _ => IgnoreSource::Gitignore,
        };
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { path, text, base, source }
    }

    /// `info/exclude` of the repository whose work tree begins at `top`.
    pub fn exclude(path: PathBuf, text: Vec<u8>, top: PathBuf) -> Self {
        Self { path, text, base: top, source: IgnoreSource::Exclude }
    }

    /// git's `core.excludesFile`, as it holds in the repository at `top` (without one: in the root).
    pub fn global(path: PathBuf, text: Vec<u8>, top: PathBuf) -> Self {
        Self { path, text, base: top, source: IgnoreSource::Global }
    }
}

/// The ignore files that speak about a directory, highest precedence first.
#[derive(Debug)]
pub(super) struct Chain {
    base: Box<[u8]>,
    lines: RuleLines,
    next: Option<Arc<Chain>>,
}

impl Chain {
    /// Puts the files before `next`. `shown_from` is the directory that shown names are relative to.
    /// Files without a single rule are left out.
    pub(super) fn extend(
        next: Option<Arc<Self>>,
        files: &[IgnoreText],
        shown_from: &Path,
    ) -> Option<Arc<Self>> {
        let mut files: Vec<&IgnoreText> = files.iter().collect();
        files.sort_by_key(|file| precedence(file));
        files.into_iter().fold(next, |next, file| {
            let lines = RuleLines::new(read(file, shown_from));
            if lines.is_empty() {
                return next;
            }
            let base = file.base.as_os_str().as_encoded_bytes().into();
            Some(Arc::new(Self { base, lines, next }))
        })
    }

    /// The chain for a root. A line that ignores everything in it by its path (`dist/*`) is left out: it says about
    /// `dist` what `dist/` says, and a root is watched although a rule ignores it.
    pub(super) fn for_root(self: &Arc<Self>, root: &[u8]) -> Option<Arc<Self>> {
        let next = self.next.as_ref().and_then(|next| next.for_root(root));
        let Some(relative) = below(root, &self.base) else {
            let same = next.as_ref().map(Arc::as_ptr) == self.next.as_ref().map(Arc::as_ptr);
            return Some(if same { Arc::clone(self) } else { self.with(self.lines.iter(), next) });
        };
        let any = [relative, b"/\x01"].concat();
        let mutes = |line: &&RuleLine| {
            line.glob.on() == On::Path
                && !line.negated
                && !line.glob.floats()
                && line.glob.matches(&any)
        };
        if self.lines.iter().all(|line| mutes(&line)) {
            return next;
        }
        Some(self.with(self.lines.iter().filter(|line| !mutes(line)), next))
    }

    fn with<'l>(
        &self,
        lines: impl Iterator<Item = &'l RuleLine>,
        next: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let lines = RuleLines::new(lines.cloned().collect());
        Arc::new(Self { base: self.base.clone(), lines, next })
    }

    /// The rule that ignores a path. The highest file with a line that matches decides; a line that takes back ends
    /// the search as well.
    pub(super) fn ignored(&self, path: &[u8], directory: bool) -> Option<&Rule> {
        let mut here = Some(self);
        while let Some(chain) = here {
            let relative = below(path, &chain.base);
            if let Some(line) = relative.and_then(|path| chain.lines.last_match(path, directory)) {
                return (!line.negated).then_some(&line.rule);
            }
            here = chain.next.as_deref();
        }
        None
    }
}

/// The precedence of a file, ascending: git's global file, `info/exclude`, then the directories from above to below,
/// in each `.gitignore` before `.ignore`.
fn precedence(file: &IgnoreText) -> (u8, usize, IgnoreSource) {
    let group = match file.source {
        IgnoreSource::Global => 0,
        IgnoreSource::Exclude => 1,
        IgnoreSource::Gitignore | IgnoreSource::Ignore => 2,
    };
    (group, file.base.components().count(), file.source)
}

/// The rules of one file. `shown_from` is the directory that its shown name is relative to.
fn read(file: &IgnoreText, shown_from: &Path) -> Vec<RuleLine> {
    let shown = file.path.strip_prefix(shown_from).unwrap_or(&file.path);
    let shown = Arc::new(PathBuf::from(shown));
    let text = file.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.text);
    let lines = (1_u32..).zip(text.split(|&byte| byte == b'\n'));
    lines.filter_map(|(number, line)| parse(line, number, &shown)).collect()
}

/// One line, as git reads it. A line that git cannot match (`[` without `]`) is no rule.
fn parse(line: &[u8], number: u32, file: &Arc<PathBuf>) -> Option<RuleLine> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    if line.starts_with(b"#") {
        return None;
    }
    let text = without_trailing_spaces(line);
    let negated = text.starts_with(b"!");
    let pattern = if negated { &text[1..] } else { text };
    let directories_only = pattern.ends_with(b"/");
    let pattern = if directories_only { &pattern[..pattern.len() - 1] } else { pattern };
    let on = if pattern.contains(&b'/') { On::Path } else { On::Name };
    let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
    if pattern.is_empty() {
        return None;
    }
    let glob = Glob::new(on, pattern, Units::Bytes).ok()?;
    let origin = Origin::File { file: Arc::clone(file), line: number };
    let text = Arc::from(String::from_utf8_lossy(text));
    let rule = Rule { kind: RuleKind::IgnoreFile, text, origin };
    Some(RuleLine { order: number, glob, directories_only, negated, rule })
}

/// The line without the spaces at its end. A backslash before a space keeps it.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        at += if byte == b'\\' { 2 } else { 1 };
        if byte != b' ' {
            end = at.min(line.len());
        }
    }
    &line[..end]
}
