//! Counts of the watched trees below each root, and of the ignored ones.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::Known;
use crate::control::{Branch, IgnoredTree, Surveyed, SurveyedRoot, Unreadable, Watches};
use crate::filter::Filter;
use crate::model::EntryKind;
use crate::report::{JsonName, escape, type_shown};
use crate::sys::bytes::os_str;
use crate::sys::events;
use crate::watch::{Root, Step, Survey};

/// The number of directories that are counted in ignored trees. Each tree has an equal share; of a larger one it is
/// said that it has at least these.
const COUNTED: usize = 50_000;

/// Walks all roots. `tree`: with every name. `None` when `go_on` says no.
pub fn gather(
    survey: &mut Survey,
    known: Option<&Known>,
    tree: bool,
    configuration: String,
    go_on: &dyn Fn() -> bool,
) -> Option<Surveyed> {
    let mut roots = Vec::new();
    for root in survey.roots().to_vec() {
        roots.push(gather_root(survey, &root, known, tree, go_on)?);
    }
    let share = COUNTED / roots.iter().map(|root| root.ignored.len()).sum::<usize>().max(1);
    for root in &mut roots {
        if !tree {
            root.ignored.iter_mut().for_each(|tree| count(tree, share.max(1), go_on));
        }
        root.ignored.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.path.0.cmp(&b.path.0)));
    }
    let watches = watches(&roots, known.is_some());
    let outputs = known.map(Known::made_by_runs).unwrap_or_default();
    Some(Surveyed { configuration, roots, outputs, watches })
}

fn watches(roots: &[SurveyedRoot], instance: bool) -> Option<Watches> {
    let allowed = events::watch_limit()?;
    let here = if instance {
        events::watches_held()?
    } else {
        let polled = |root: &SurveyedRoot| root.polled.iter().map(|(_, n)| n).sum::<usize>();
        roots.iter().map(|root| root.directories.saturating_sub(polled(root)) as u64).sum()
    };
    Some(Watches { here, allowed })
}

fn gather_root(
    survey: &mut Survey,
    root: &Root,
    known: Option<&Known>,
    tree: bool,
    go_on: &dyn Fn() -> bool,
) -> Option<SurveyedRoot> {
    let filter = survey.filter().clone();
    let mut gathered = Gathered::new(root, &filter);
    match Survey::kind_of_root(root) {
        None => gathered.root.missing = true,
        Some(EntryKind::Directory) => {
            let mut complete = true;
            survey.walk(root, &mut |step| {
                complete = go_on();
                gathered.take(step, known, tree);
                if complete { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            complete.then_some(())?;
        }
        Some(_) => gathered.single(root, tree),
    }
    Some(gathered.finish())
}

struct Gathered<'f> {
    filter: &'f Filter,
    root: SurveyedRoot,
    types: HashMap<Vec<u8>, usize>,
    polled: HashMap<String, usize>,
}

impl<'f> Gathered<'f> {
    fn new(root: &Root, filter: &'f Filter) -> Self {
        let root = SurveyedRoot {
            path: JsonName::from(root.path.as_path()),
            missing: false,
            directories: 0,
            files: 0,
            types: Vec::new(),
            polled: Vec::new(),
            ignored: Vec::new(),
            unreadable: Vec::new(),
            tree: Vec::new(),
        };
        Self { filter, root, types: HashMap::new(), polled: HashMap::new() }
    }

    fn take(&mut self, step: Step<'_>, known: Option<&Known>, tree: bool) {
        match step {
            Step::Directory { path, files, polled } => {
                let polled = match known {
                    Some(known) => known.polled.get(path).cloned(),
                    None => polled,
                };
                let polled = polled.map(|reason| reason.to_string());
                self.root.directories += 1;
                files.iter().for_each(|name| self.file(name));
                if let Some(reason) = &polled {
                    *self.polled.entry(reason.clone()).or_default() += 1;
                }
                if tree {
                    let files = files.into_iter().map(|name| JsonName(name.to_vec())).collect();
                    self.root.tree.push(Branch { path: JsonName::from(path), files, polled });
                }
            }
            Step::Ignored(path, rule) => self.root.ignored.push(IgnoredTree {
                path: JsonName::from(path),
                rule: rule.clone(),
                directories: 0,
                files: 0,
                counted: false,
            }),
            Step::Unreadable(path, error) => {
                let (at, error) = (JsonName::from(path), error.to_owned());
                self.root.unreadable.push(Unreadable { at, error });
            }
        }
    }

    fn single(&mut self, root: &Root, tree: bool) {
        let name = root.path.file_name().unwrap_or_default().as_encoded_bytes();
        self.file(name);
        if tree {
            let path = JsonName::from(root.path.parent().unwrap_or(Path::new("/")));
            self.root.tree.push(Branch {
                path,
                files: vec![JsonName(name.to_vec())],
                polled: None,
            });
        }
    }

    fn file(&mut self, name: &[u8]) {
        self.root.files += 1;
        let kind = self.filter.included_type(os_str(name));
        let kind = kind.map_or_else(|| ending(name), |rule| rule.text.as_bytes());
        match self.types.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.types.insert(kind.to_vec(), 1)),
        }
    }

    fn finish(mut self) -> SurveyedRoot {
        let shown = |(kind, count): (Vec<u8>, usize)| match str::from_utf8(&kind) {
            Ok(kind) => (type_shown(kind), count),
            Err(_) => (escape(os_str(&kind)), count),
        };
        self.root.types = most_first(self.types.into_iter().map(shown));
        self.root.polled = most_first(self.polled.into_iter());
        self.root
    }
}

fn most_first(counts: impl Iterator<Item = (String, usize)>) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

/// The ending of a name: `.go` of `a.go`; nothing for `Makefile` and `.env`.
fn ending(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 => &name[dot..],
        _ => b"",
    }
}

/// Counts the files and directories of an ignored tree, up to a number of directories.
fn count(tree: &mut IgnoredTree, most: usize, go_on: &dyn Fn() -> bool) {
    let mut waiting = vec![tree.path.path().to_path_buf()];
    while tree.directories < most && go_on() {
        let Some(directory) = waiting.pop() else { break };
        let (files, directories) = Survey::count(&directory);
        tree.directories += 1;
        tree.files += files;
        waiting.extend(directories);
    }
    tree.counted = waiting.is_empty();
}
