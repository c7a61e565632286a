//! The order of precedence, in code.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::builtin::BuiltIns;
use super::excluded::{Excluded, normal};
use super::ignore_file::Chain;
use super::lines::{RuleLine, below, name_of};
use super::regexps::Regexps;
use super::scope::{Approach, LineAbove};
use super::types::Types;
use super::{BadPattern, Entered, IgnoreText, Legacy, Marks, Named, Scope, Spec};
use crate::model::{EntryKind, Origin, Rule, RuleKind};

/// The compiled rules. All threads share them, and a verdict allocates nothing.
#[derive(Debug)]
pub struct Filter {
    spec: Spec,
    warnings: Vec<Legacy>,
    named: NamedPaths,
    excluded: Excluded,
    built_ins: BuiltIns,
    regexps: Regexps,
    types: Option<Types>,
    default: Rule,
}

/// Whether changes of a path count, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Changes of this path count (a directory: it is watched and walked).
    Watch(&'a Rule),
    /// Changes of this path do not count (a directory: nothing below it costs anything).
    Ignore(&'a Rule),
}

/// What rules 1 to 4 of the module's list say about a path.
enum Decision<'a> {
    /// The path was named, or is the root.
    Named(&'a Rule),
    /// Nothing speaks against the path; `taken_by` is the line that took it back.
    Free { line: Option<LineAbove>, taken_by: Option<&'a Rule> },
    /// A directory that is ignored, but `to` takes back something below it.
    Pass { line: Option<LineAbove>, ignored_by: &'a Rule, to: &'a Rule },
    /// The path is ignored.
    Ignored(&'a Rule),
}

impl Filter {
    /// Compiles the rules; the first pattern that cannot be understood is the error.
    pub fn new(spec: Spec) -> Result<Self, BadPattern> {
        let directory = normal(&spec.working_directory);
        let (regexps, warnings) = Regexps::new(&spec.regexps)?;
        Ok(Self {
            warnings,
            named: NamedPaths::new(spec.named.iter().chain(&spec.files)),
            excluded: Excluded::new(&spec.excluded, &directory)?,
            built_ins: BuiltIns::new(&spec.types),
            regexps,
            types: Types::new(&spec.types)?,
            default: Rule { kind: RuleKind::Default, text: Arc::from(""), origin: Origin::BuiltIn },
            spec,
        })
    }

    /// What the rules were compiled from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The entries of `excluded_regexps` that were read as globs.
    pub fn warnings(&self) -> &[Legacy] {
        &self.warnings
    }

    /// The type of `included_filetypes` that a file name has; `None` also when there are no types.
    pub fn included_type(&self, name: &OsStr) -> Option<&Rule> {
        self.types.as_ref()?.of(name.as_encoded_bytes())
    }

    /// What holds *around* a root: hand in the ignore files above it (up to the repository's top,
    /// `info/exclude`, `core.excludesFile`), then [`enter`](Self::enter) the root itself like any
    /// directory. A root is never ignored.
    pub fn root_scope(&self, root: &Path, above: &[IgnoreText]) -> Arc<Scope> {
        let root = &normal(root);
        let mut line: Option<(LineAbove, &Rule)> = None;
        // A line speaks of what is in the tree, not of where the tree lies: `!app` in `/src/app` is `app/app`.
        let here = normal(&self.spec.working_directory);
        for directory in root.ancestors().filter(|directory| !here.starts_with(directory)) {
            let found = self.excluded.last_match(directory.as_os_str().as_encoded_bytes(), true);
            if let Some(found) = found
                && line.is_none_or(|(line, _)| line.order < found.order)
            {
                line = Some((above_of(found), &found.rule));
            }
        }
        // A line that excludes a root has no effect on it.
        let line = line.filter(|(line, _)| line.negated);
        let approach = line.map_or(Approach::Plain, |(_, rule)| Approach::TakenBack(rule.clone()));
        Arc::new(Scope {
            root: Arc::from(root.as_path()),
            around: true,
            chain: self
                .extend(None, above)
                .and_then(|chain| chain.for_root(root.as_os_str().as_encoded_bytes())),
            project: false,
            line: line.map(|(line, _)| line),
            approach,
        })
    }

    /// The whole decision about a directory once it has been listed, and what holds inside it.
    /// Returns the parent's scope when the directory brings nothing new.
    pub fn enter<'a>(
        &'a self,
        parent: &'a Arc<Scope>,
        directory: &Path,
        marks: &Marks,
    ) -> Entered<'a> {
        let path = directory.as_os_str().as_encoded_bytes();
        let decision = self.decide(parent, path, EntryKind::Directory, marks.cachedir_tag);
        let named = matches!(decision, Decision::Named(_));
        let (line, approach) = match decision {
            Decision::Ignored(rule) => return Entered::Ignored(rule),
            Decision::Named(_) => match &parent.approach {
                Approach::TakenBack(_) => (parent.line, parent.approach.clone()),
                Approach::Plain | Approach::Passing(_) => (None, Approach::Plain),
            },
            Decision::Free { line, taken_by: Some(rule) } => {
                (line, Approach::TakenBack(rule.clone()))
            }
            Decision::Free { line, taken_by: None } => (line, Approach::Plain),
            Decision::Pass { line, ignored_by, .. } => {
                (line, Approach::Passing(ignored_by.clone()))
            }
        };
        let chain = match &parent.chain {
            Some(chain) if named && !parent.around => chain.for_root(path),
            chain => chain.clone(),
        };
        let chain = match approach {
            Approach::Plain => self.extend(chain, &marks.ignore_files),
            // Ignore files have no say in what was taken back or is only passed through.
            Approach::TakenBack(_) | Approach::Passing(_) => chain,
        };
        let root = Arc::clone(&parent.root);
        let project = marks.project_file;
        let scope = Scope { root, around: false, chain, project, line, approach };
        Entered::Scope(if parent.same(&scope) { Arc::clone(parent) } else { Arc::new(scope) })
    }

    /// Whether changes of one path count. `scope` is that of the directory it lies in; parents need
    /// no look, because an ignored directory is never entered. `path` is absolute.
    pub fn verdict<'a>(&'a self, scope: &'a Scope, path: &Path, kind: EntryKind) -> Verdict<'a> {
        let path = path.as_os_str().as_encoded_bytes();
        match self.decide(scope, path, kind, false) {
            Decision::Named(rule) | Decision::Pass { to: rule, .. } => Verdict::Watch(rule),
            Decision::Ignored(rule) => Verdict::Ignore(rule),
            Decision::Free { taken_by, .. } => {
                let otherwise = taken_by.unwrap_or(&self.default);
                if kind == EntryKind::Directory {
                    return Verdict::Watch(otherwise);
                }
                self.file(scope, path, otherwise)
            }
        }
    }

    /// The rule for a path that was named itself.
    pub(super) fn named(&self, path: &Path) -> Option<&Rule> {
        self.named.rule(path.as_os_str().as_encoded_bytes())
    }

    /// Rules 5 and 6: what only files are asked.
    fn file<'a>(&'a self, scope: &Scope, path: &[u8], otherwise: &'a Rule) -> Verdict<'a> {
        let name = name_of(path);
        if !self.regexps.is_empty() {
            let root = scope.root.as_os_str().as_encoded_bytes();
            let relative = below(path, root).unwrap_or(name);
            if let Some(rule) = self.regexps.excluded(name, relative, path) {
                return Verdict::Ignore(rule);
            }
        }
        match &self.types {
            None => Verdict::Watch(otherwise),
            Some(types) => match types.of(name) {
                Some(rule) => Verdict::Watch(rule),
                None => Verdict::Ignore(types.none()),
            },
        }
    }

    /// Rules 1 to 4. `cache`: the directory holds a valid `CACHEDIR.TAG`.
    fn decide<'a>(
        &'a self,
        scope: &'a Scope,
        path: &[u8],
        kind: EntryKind,
        cache: bool,
    ) -> Decision<'a> {
        if let Some(rule) = self.named.rule(path) {
            return Decision::Named(rule);
        }
        if scope.around && path == scope.root.as_os_str().as_encoded_bytes() {
            return Decision::Named(&self.default);
        }
        let directory = kind == EntryKind::Directory;
        let direct = self.excluded.last_match(path, directory);
        let direct = direct.filter(|line| !overridden(line, scope.line));
        let line = later(direct.map(above_of), scope.line);
        let ignored_by = match (direct, &scope.approach) {
            (Some(line), _) if line.negated => {
                return Decision::Free { line: line_of(line, scope), taken_by: Some(&line.rule) };
            }
            (Some(line), _) => Some(&line.rule),
            (None, Approach::Passing(rule)) => Some(rule),
            (None, Approach::TakenBack(_)) => self.built_in(scope, path, kind, cache),
            (None, Approach::Plain) => {
                let chain = scope.chain.as_ref();
                let by_file = chain.and_then(|chain| chain.ignored(path, directory));
                by_file.or_else(|| self.built_in(scope, path, kind, cache))
            }
        };
        let Some(ignored_by) = ignored_by else {
            let taken_by = match &scope.approach {
                Approach::TakenBack(rule) => Some(rule),
                Approach::Plain | Approach::Passing(_) => None,
            };
            return Decision::Free { line, taken_by };
        };
        // Only a line after the one that excludes can lead on.
        let after = line.filter(|line| !line.negated).map(|line| line.order);
        match directory.then(|| self.excluded.leads_below(path, after)).flatten() {
            Some(to) => Decision::Pass { line, ignored_by, to: &to.rule },
            None => Decision::Ignored(ignored_by),
        }
    }

    fn built_in(&self, scope: &Scope, path: &[u8], kind: EntryKind, cache: bool) -> Option<&Rule> {
        if !self.spec.default_ignores {
            return None;
        }
        let by_name = self.built_ins.ignored(name_of(path), kind, scope.project);
        by_name.or_else(|| cache.then(|| self.built_ins.cache()).flatten())
    }

    fn extend(&self, next: Option<Arc<Chain>>, files: &[IgnoreText]) -> Option<Arc<Chain>> {
        if !self.spec.gitignore || files.is_empty() {
            return next;
        }
        Chain::extend(next, files, &self.spec.working_directory)
    }
}

/// The named paths, sorted for a search by halves.
#[derive(Debug)]
pub(super) struct NamedPaths {
    paths: Vec<(Box<[u8]>, Rule)>,
}

impl NamedPaths {
    pub(super) fn new<'n>(named: impl Iterator<Item = &'n Named>) -> Self {
        let entry = |named: &Named| {
            let path = normal(&named.path).into_os_string().into_encoded_bytes();
            let text = Arc::from(named.shown.as_str());
            (path.into(), Rule { kind: RuleKind::Named, text, origin: named.origin.clone() })
        };
        let mut paths: Vec<(Box<[u8]>, Rule)> = named.map(entry).collect();
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        Self { paths }
    }

    /// The rule for a path that was named itself.
    pub(super) fn rule(&self, path: &[u8]) -> Option<&Rule> {
        let found = self.paths.binary_search_by(|(named, _)| (**named).cmp(path)).ok()?;
        self.paths.get(found).map(|(_, rule)| rule)
    }
}

fn above_of(line: &RuleLine) -> LineAbove {
    LineAbove { order: line.order, negated: line.negated }
}

/// Whether a later line covers the directory, and so decides. When both take back, the nearer one stands: it takes
/// back from built-ins, too.
fn overridden(line: &RuleLine, above: Option<LineAbove>) -> bool {
    above.is_some_and(|above| above.order > line.order && !(above.negated && line.negated))
}

fn later(a: Option<LineAbove>, b: Option<LineAbove>) -> Option<LineAbove> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a.order >= b.order { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn line_of(line: &RuleLine, scope: &Scope) -> Option<LineAbove> {
    later(Some(above_of(line)), scope.line)
}
