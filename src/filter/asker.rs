//! Verdicts for arbitrary paths, as `explain` and `wait PATH…` need them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::excluded::normal;
use super::{Entered, Filter, Marks, Scope, Verdict};
use crate::model::{EntryKind, Rule};

/// The verdict on a path, and where on the way to it the decision fell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether changes of the path count.
    pub watched: bool,
    /// The deciding rule.
    pub rule: Rule,
    /// The path that the rule is about: the path itself, or the ignored directory that it lies in.
    pub at: PathBuf,
}

/// Answers for any path below some roots. Directories that were seen are remembered, so that many paths cost little
/// more than their verdicts.
#[derive(Debug)]
pub struct Asker<'f> {
    filter: &'f Filter,
    /// What holds around each root, the longest root first.
    around: Vec<Arc<Scope>>,
    known: HashMap<PathBuf, Known>,
}

/// What is known about a directory.
#[derive(Clone, Debug)]
enum Known {
    Inside(Arc<Scope>),
    Ignored { rule: Rule, at: PathBuf },
}

impl<'f> Asker<'f> {
    /// `around` comes from [`Filter::root_scope`], one for each root.
    pub fn new(filter: &'f Filter, mut around: Vec<Arc<Scope>>) -> Self {
        around.sort_by_key(|scope| std::cmp::Reverse(scope.root().as_os_str().len()));
        Self { filter, around, known: HashMap::new() }
    }

    /// The verdict for an absolute path; `.` and `..` are resolved by the words alone. `look` tells what
    /// is in a directory; it is asked once for each. `None`: the path lies outside of all roots.
    pub fn ask(
        &mut self,
        path: &Path,
        kind: EntryKind,
        mut look: impl FnMut(&Path) -> Marks,
    ) -> Option<Answer> {
        let path = &normal(path);
        if let Some(rule) = self.filter.named(path) {
            return Some(Answer { watched: true, rule: rule.clone(), at: path.clone() });
        }
        let around = self.around.iter().find(|around| path.starts_with(around.root()))?.clone();
        let place = if path == around.root() {
            Known::Inside(around)
        } else {
            self.place(path.parent()?, &around, &mut look)
        };
        Some(match place {
            Known::Ignored { rule, at } => Answer { watched: false, rule, at },
            Known::Inside(scope) if kind == EntryKind::Directory => {
                self.directory(&scope, path, &mut look)
            }
            Known::Inside(scope) => answer(self.filter.verdict(&scope, path, kind), path),
        })
    }

    /// The answer for a directory, which is also judged by what it holds (`CACHEDIR.TAG`).
    fn directory(
        &mut self,
        parent: &Arc<Scope>,
        path: &Path,
        look: &mut dyn FnMut(&Path) -> Marks,
    ) -> Answer {
        let verdict = self.filter.verdict(parent, path, EntryKind::Directory);
        if let Verdict::Watch(_) = verdict
            && let Known::Ignored { rule, at } = self.enter(parent, path, look)
        {
            return Answer { watched: false, rule, at };
        }
        // The walk only passes through: what is in the directory is ignored.
        if let Some(Known::Inside(scope)) = self.known.get(path)
            && let Some(rule) = scope.passing()
        {
            return Answer { watched: false, rule: rule.clone(), at: path.to_path_buf() };
        }
        answer(verdict, path)
    }

    /// What holds in `directory`, which is a root or lies below one.
    fn place(
        &mut self,
        directory: &Path,
        around: &Arc<Scope>,
        look: &mut dyn FnMut(&Path) -> Marks,
    ) -> Known {
        // From the nearest known directory downwards; no recursion, paths can be 2,000 deep.
        let mut missing = Vec::new();
        let mut place = Known::Inside(Arc::clone(around));
        for above in directory.ancestors() {
            if let Some(known) = self.known.get(above) {
                place = known.clone();
                break;
            }
            missing.push(above);
            if above == around.root() {
                break;
            }
        }
        for below in missing.into_iter().rev() {
            match place {
                Known::Ignored { .. } => break,
                Known::Inside(parent) => place = self.enter(&parent, below, look),
            }
        }
        place
    }

    fn enter(
        &mut self,
        parent: &Arc<Scope>,
        directory: &Path,
        look: &mut dyn FnMut(&Path) -> Marks,
    ) -> Known {
        if let Some(known) = self.known.get(directory) {
            return known.clone();
        }
        let ignored = |rule: &Rule| Known::Ignored { rule: rule.clone(), at: directory.into() };
        let place = match self.filter.verdict(parent, directory, EntryKind::Directory) {
            // A directory that its name ignores is not looked into.
            Verdict::Ignore(rule) => ignored(rule),
            Verdict::Watch(_) => match self.filter.enter(parent, directory, &look(directory)) {
                Entered::Scope(scope) => Known::Inside(scope),
                Entered::Ignored(rule) => ignored(rule),
            },
        };
        self.known.insert(directory.to_path_buf(), place.clone());
        place
    }
}

fn answer(verdict: Verdict<'_>, path: &Path) -> Answer {
    let (watched, rule) = match verdict {
        Verdict::Watch(rule) => (true, rule.clone()),
        Verdict::Ignore(rule) => (false, rule.clone()),
    };
    Answer { watched, rule, at: path.to_path_buf() }
}
