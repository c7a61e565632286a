//! Looks without watching: what `explain` asks. They are the walker's own looks, so that both see the same.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::filesystem::{FileSystem, short};
use super::list::{self, Ground, Job, Scratch};
use super::message::{Arming, Outcome};
use super::settings::{Poll, Root, Settings};
use crate::filter::{Filter, Marks, Scope};
use crate::model::{EntryKind, Rule};
use crate::sys::bytes::os_str;
use crate::sys::{errno, files};

/// The trees of a configuration, to be looked at.
#[derive(Debug)]
pub struct Survey {
    ground: Ground,
    roots: Vec<Root>,
    scratch: Scratch,
    /// Why everything is polled, when a person wants that.
    all: Option<Arc<str>>,
    /// Why the file systems that have been met send no events, by device.
    silent: HashMap<u64, Option<&'static str>>,
}

/// What a look for the sake of rules found at the path of a directory.
#[derive(Debug)]
pub enum Glance {
    /// The directory; with the reason why its file system sends no events.
    Directory(Marks, Option<Arc<str>>),
    /// A link, which is not followed.
    Link,
    /// The directory cannot be read.
    Unreadable(String),
    /// No directory is there.
    Missing,
}

/// One directory of a walk.
#[derive(Debug)]
pub enum Step<'a> {
    /// A directory that is watched.
    Directory {
        /// Where it is.
        path: &'a Path,
        /// The names in it that count, in order; directories are steps of their own.
        files: Vec<&'a [u8]>,
        /// Why events do not tell of it.
        polled: Option<Arc<str>>,
    },
    /// A directory that is ignored with all that is below it.
    Ignored(&'a Path, &'a Rule),
    /// A directory that cannot be read.
    Unreadable(&'a Path, &'a str),
}

/// A directory that waits for its turn, and why its file system sends no events.
type Waiting = (Job, Option<&'static str>);

impl Survey {
    /// Nothing is looked at yet.
    pub fn new(filter: Arc<Filter>, roots: Vec<Root>, settings: &Settings) -> Self {
        let paths = roots.iter().map(|root| root.path.clone()).collect();
        let ground = Ground { roots: paths, ..Ground::new(filter, settings) };
        let all = settings.polls_all().map(Arc::from);
        Self { ground, roots, scratch: Scratch::default(), all, silent: HashMap::new() }
    }

    /// The rules.
    pub fn filter(&self) -> &Arc<Filter> {
        &self.ground.filter
    }

    /// The roots.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Whether a path is one of our own files, which never count.
    pub fn is_own(&self, path: &Path) -> bool {
        self.ground.is_own(path)
    }

    /// What is at a path, a link not followed; `None` when nothing is.
    pub fn kind(path: &Path) -> Option<EntryKind> {
        files::lstat(path).ok().map(|stat| stat.kind)
    }

    /// What is at a root: a link is followed when it was named.
    pub fn kind_of_root(root: &Root) -> Option<EntryKind> {
        let stat = if root.named { files::stat(&root.path) } else { files::lstat(&root.path) };
        stat.ok().map(|stat| stat.kind)
    }

    /// What holds around a root.
    pub fn around(&self, root: &Root) -> Arc<Scope> {
        let (texts, _) = self.ground.rules_above(&root.path);
        self.ground.filter.root_scope(&root.path, &texts)
    }

    /// Looks into a directory for what matters to rules.
    pub fn glance(&mut self, path: &Path) -> Glance {
        let follow = self.roots.iter().any(|root| root.named && root.path == path);
        let (found, directory) = match list::glance(path, follow, &mut self.scratch) {
            Ok(looked) => looked,
            Err(error) if error.raw_os_error() == Some(errno::EACCES) => {
                return Glance::Unreadable(error.to_string());
            }
            Err(_) if Self::kind(path) == Some(EntryKind::Link) => return Glance::Link,
            Err(_) => return Glance::Missing,
        };
        let device = directory.stat().map_or(0, |stat| stat.dev);
        let silent = *self
            .silent
            .entry(device)
            .or_insert_with(|| silent(FileSystem::by_name(directory.filesystem())));
        Glance::Directory(found, self.polled(silent))
    }

    fn polled(&self, silent: Option<&'static str>) -> Option<Arc<str>> {
        let silent = silent.filter(|_| self.ground.poll != Poll::Never);
        self.all.clone().or_else(|| silent.map(|name| Arc::from(short(name))))
    }

    /// Walks a root that is a directory, from above to below, in the order of names. `each` may end it.
    pub fn walk(&mut self, root: &Root, each: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>) {
        let mut waiting: Vec<Waiting> = vec![(self.job(root), None)];
        while let Some((job, above)) = waiting.pop() {
            let (outcome, mut further) = list::look(&self.ground, &job, 0, &mut self.scratch);
            let mut flow = ControlFlow::Continue(());
            let mut reason = above;
            match &outcome {
                Outcome::Listed(listed) => {
                    reason = listed.filesystem.map_or(above, silent);
                    let files = listed.entries.iter().filter(|(_, record)| !record.is_dir());
                    let mut files: Vec<&[u8]> = files.map(|(name, _)| name).collect();
                    files.sort_unstable();
                    let polled = self.polled(reason);
                    flow = each(Step::Directory { path: &job.path, files, polled });
                }
                Outcome::Unreadable(why) => flow = each(Step::Unreadable(&job.path, &why.error)),
                Outcome::Gone | Outcome::Pruned => {}
            }
            further.ignored.sort_by(|a, b| a.0.cmp(&b.0));
            for (path, rule) in &further.ignored {
                flow = if flow.is_break() { flow } else { each(Step::Ignored(path, rule)) };
            }
            if flow.is_break() {
                return;
            }
            further.jobs.sort_by(|a, b| b.path.cmp(&a.path));
            waiting.extend(further.jobs.into_iter().map(|job| (job, reason)));
        }
    }

    fn job(&self, root: &Root) -> Job {
        Job {
            ticket: 0,
            walk: 0,
            path: root.path.clone(),
            around: Some(self.around(root)),
            arming: Arming::Keep,
            follow: root.named,
            since: None,
            first: false,
            whole: false,
            device: 0,
            recurse: true,
            only: None,
        }
    }

    /// Counts what is in an ignored directory: the number of its files, and its directories.
    pub fn count(path: &Path) -> (usize, Vec<PathBuf>) {
        let (mut files, mut directories) = (0, Vec::new());
        if let Ok(directory) = files::Directory::open(path, false) {
            // What cannot be read cannot be counted.
            let _ = directory.read(&mut Vec::new(), |name, kind| {
                let kind = kind.or_else(|| Some(directory.lstat(name).ok()?.kind));
                match kind {
                    Some(EntryKind::Directory) => {
                        directories.push(path.join(os_str(name)));
                    }
                    _ => files += 1,
                }
            });
        }
        (files, directories)
    }
}

fn silent(kind: FileSystem) -> Option<&'static str> {
    match kind {
        FileSystem::Silent(name, _) => Some(name),
        FileSystem::Local | FileSystem::Doubtful(_) => None,
    }
}
