//! One look at one directory: which of its entries count, in which state, by the rules that hold there. Runs on the
//! walker's threads.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::entries::{Entries, Record};
use super::filesystem::FileSystem;
use super::message::{Arming, Listed, Outcome, Refusal};
use super::repository::Repository;
use super::settings::{Poll, Settings, Timestamp};
use super::table::is_below;
use crate::filter::{
    CACHEDIR_SIGNATURE, CACHEDIR_TAG, Entered, Filter, IGNORE_FILES, IgnoreText, Marks,
    PROJECT_FILES, Scope, Verdict,
};
use crate::model::{EntryKind, Rule};
use crate::sys::bytes::os_str;
use crate::sys::files::{self, Directory, Stat};
use crate::sys::{clock, errno};

/// An ignore file larger than this is not one.
const IGNORE_FILE_LIMIT: usize = 4 << 20;

/// The coarse clock lags behind by up to a tick, and since Linux 6.13 file times may be finer than it.
pub(super) const GRAIN: i64 = 10_000_000;

/// A file time that is further ahead than this is wrong (nanoseconds).
const FUTURE: i64 = 1_000_000_000;

/// What all looks have in common.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) filter: Arc<Filter>,
    /// Our own files.
    pub(crate) own: Vec<PathBuf>,
    /// All roots: a walk from one ends where another begins.
    pub(crate) roots: Vec<PathBuf>,
    /// The roots that were named: a link is followed.
    pub(crate) named: Vec<PathBuf>,
    pub(crate) poll: Poll,
    pub(crate) tickets: Arc<AtomicU64>,
}

impl Ground {
    /// Without roots.
    pub(crate) fn new(filter: Arc<Filter>, settings: &Settings) -> Self {
        Self {
            filter,
            own: settings.own.clone(),
            roots: Vec::new(),
            named: Vec::new(),
            poll: settings.poll,
            tickets: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Whether a root may be a link that is followed.
    pub(crate) fn follows(&self, path: &Path) -> bool {
        self.named.iter().any(|root| root == path)
    }

    /// Whether a path is one of our own files, or lies in a directory of ours.
    pub(crate) fn is_own(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_encoded_bytes();
        self.own.iter().any(|own| is_below(path, own.as_os_str().as_encoded_bytes()))
    }

    fn is_root(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| root == path)
    }

    pub(crate) fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// The ignore files outside of a root that speak about it: those above it up to the repository's top, the
    /// repository's `info/exclude` and the person's `core.excludesFile`. The texts that there are, and every file to
    /// be watched because it could say something.
    pub(crate) fn rules_above(&self, root: &Path) -> (Vec<IgnoreText>, Vec<PathBuf>) {
        let (mut texts, mut files) = (Vec::new(), Vec::new());
        if !self.filter.spec().gitignore {
            return (texts, files);
        }
        let repository = Repository::around(root);
        let top = repository.as_ref().map(|repository| &*repository.top);
        if let Some(path) = ignore::gitignore::gitconfig_excludes_path() {
            let base = top.unwrap_or(root).to_path_buf();
            if let Ok(text) = files::read_file(&path, IGNORE_FILE_LIMIT) {
                texts.push(IgnoreText::global(path.clone(), text, base));
            }
            files.push(path);
        }
        let Some(repository) = &repository else { return (texts, files) };
        let top = &repository.top;
        let exclude = repository.exclude_file();
        if let Ok(text) = files::read_file(&exclude, IGNORE_FILE_LIMIT) {
            texts.push(IgnoreText::exclude(exclude.clone(), text, top.clone()));
        }
        files.push(exclude);
        let between: Vec<&Path> =
            root.ancestors().skip(1).take_while(|dir| dir.starts_with(top)).collect();
        for dir in between.into_iter().rev() {
            for name in IGNORE_FILES {
                let path = dir.join(name);
                if let Ok(text) = files::read_file(&path, IGNORE_FILE_LIMIT) {
                    texts.push(IgnoreText::in_directory(path.clone(), text));
                }
                files.push(path);
            }
        }
        (texts, files)
    }
}

/// One directory to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) ticket: u64,
    pub(crate) walk: u32,
    pub(crate) path: PathBuf,
    /// What holds around it; `None` for a root: the walker finds out.
    pub(crate) around: Option<Arc<Scope>>,
    pub(crate) arming: Arming,
    /// Follow a link (a root that was named).
    pub(crate) follow: bool,
    /// Look for what has changed since this moment.
    pub(crate) since: Option<Timestamp>,
    /// The first look: what went away since that moment, and trees that were moved here, count too.
    pub(crate) first: bool,
    /// Everything in it counts as changed: the directory was renamed to here.
    pub(crate) whole: bool,
    /// The device of the directory above; 0: not known.
    pub(crate) device: u64,
    /// Go on into its directories.
    pub(crate) recurse: bool,
    /// Only these names count (single files that were named).
    pub(crate) only: Option<Arc<[Box<[u8]>]>>,
}

/// Scratch space of one thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    buffer: Vec<u8>,
    names: Vec<u8>,
    found: Vec<(u32, u8, Option<EntryKind>)>,
    /// The path of an entry: as bytes, because to take the last component off a `PathBuf` means to parse it.
    path: Vec<u8>,
}

/// What a look gives besides its outcome.
#[derive(Debug, Default)]
pub(crate) struct Further {
    /// The directories in it.
    pub(crate) jobs: Vec<Job>,
    /// Ignored directories in it.
    pub(crate) ignored: Vec<(PathBuf, Rule)>,
    /// Files in it that count.
    pub(crate) files: usize,
    /// The directory need not be watched after all.
    pub(crate) disarm: Option<PathBuf>,
}

/// Looks at a directory. `armed_at`: when its watch was on.
pub(crate) fn look(
    ground: &Ground,
    job: &Job,
    armed_at: i64,
    scratch: &mut Scratch,
) -> (Outcome, Further) {
    let mut further = Further::default();
    let outcome = look_into(ground, job, armed_at, scratch, &mut further)
        .unwrap_or_else(|error| failure(&error));
    (outcome, further)
}

fn failure(error: &io::Error) -> Outcome {
    match error.raw_os_error() {
        Some(errno::ENOENT | errno::ENOTDIR | errno::ELOOP | errno::ESTALE) => Outcome::Gone,
        _ => Outcome::Unreadable(Refusal::of(error)),
    }
}

fn look_into(
    ground: &Ground,
    job: &Job,
    armed_at: i64,
    scratch: &mut Scratch,
    further: &mut Further,
) -> io::Result<Outcome> {
    let directory = Directory::open(&job.path, job.follow)?;
    let stat = directory.stat()?;
    read_names(&directory, scratch)?;
    let Some(scope) = enter(ground, job, &directory, scratch, further) else {
        return Ok(Outcome::Pruned);
    };
    let filesystem = (stat.dev != job.device)
        .then(|| FileSystem::by_name(directory.filesystem()))
        .filter(|kind| job.device != 0 || *kind != FileSystem::Local);
    let mut entries = Sifting {
        ground,
        job,
        directory: &directory,
        scope: &scope,
        device: stat.dev,
        arming: below(ground, job, filesystem),
        window: job
            .since
            .filter(|since| job.first && (since.0..=armed_at + GRAIN).contains(&stat.mtime)),
        entries: Entries::with_capacity(scratch.found.len(), scratch.names.len()),
        fresh: Vec::new(),
        touched: false,
        further,
    };
    let Scratch { names, found, path, .. } = scratch;
    let stem = begin(path, &job.path);
    for &(offset, length, kind) in &*found {
        let Some(name) = names.get(offset as usize..offset as usize + length as usize) else {
            continue;
        };
        path.truncate(stem);
        path.extend_from_slice(name);
        entries.sift(Path::new(os_str(path)), name, kind);
    }
    // Where only some names count, no other name is told of.
    let lost = entries.window.is_some() && !entries.touched && job.only.is_none();
    let Sifting { mut entries, fresh, .. } = entries;
    entries.finish();
    Ok(Outcome::Listed(Listed { scope, entries, fresh, lost, filesystem, stat }))
}

/// Makes `path` that of a directory's entries up to their names; returns its length.
fn begin(path: &mut Vec<u8>, directory: &Path) -> usize {
    path.clear();
    path.extend_from_slice(directory.as_os_str().as_encoded_bytes());
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.len()
}

/// How the directories below are to be watched.
fn below(ground: &Ground, job: &Job, filesystem: Option<FileSystem>) -> Arming {
    match filesystem {
        Some(FileSystem::Silent(..)) if ground.poll != Poll::Never => Arming::Poll,
        Some(FileSystem::Local | FileSystem::Doubtful(_)) if ground.poll == Poll::Auto => {
            Arming::Watch
        }
        _ if job.arming == Arming::Refused => Arming::Watch,
        _ => job.arming,
    }
}

fn read_names(directory: &Directory, scratch: &mut Scratch) -> io::Result<()> {
    scratch.names.clear();
    scratch.found.clear();
    let (names, found) = (&mut scratch.names, &mut scratch.found);
    directory.read(&mut scratch.buffer, |name, kind| {
        if let Ok(length) = u8::try_from(name.len()) {
            found.push((names.len() as u32, length, kind));
            names.extend_from_slice(name);
        }
    })
}

/// What holds inside; `None` when the directory turns out to be ignored.
fn enter(
    ground: &Ground,
    job: &Job,
    directory: &Directory,
    scratch: &Scratch,
    further: &mut Further,
) -> Option<Arc<Scope>> {
    let found = found(directory, &job.path, scratch);
    let around = job.around.as_ref()?;
    match ground.filter.enter(around, &job.path, &found) {
        Entered::Scope(scope) => Some(scope),
        // A root is never ignored, nor is the directory of a file that was named.
        Entered::Ignored(_) if ground.is_root(&job.path) || job.only.is_some() => {
            Some(Arc::clone(around))
        }
        Entered::Ignored(rule) => {
            further.ignored.push((job.path.clone(), rule.clone()));
            None
        }
    }
}

/// What is in a directory that matters to rules.
fn found(directory: &Directory, path: &Path, scratch: &Scratch) -> Marks {
    let mut found = Marks::default();
    for &(offset, length, _) in &scratch.found {
        let name = scratch.names.get(offset as usize..offset as usize + length as usize);
        let name = name.unwrap_or_default();
        if IGNORE_FILES.iter().any(|known| known.as_bytes() == name) {
            if let Ok(text) = directory.read_file(name, IGNORE_FILE_LIMIT) {
                let path = path.join(os_str(name));
                found.ignore_files.push(IgnoreText::in_directory(path, text));
            }
        } else if PROJECT_FILES.iter().any(|known| known.as_bytes() == name) {
            found.project_file = true;
        } else if name == CACHEDIR_TAG.as_bytes() {
            found.cachedir_tag = directory
                .read_file(name, CACHEDIR_SIGNATURE.len())
                .is_ok_and(|text| text == CACHEDIR_SIGNATURE);
        }
    }
    found
}

/// A look at what matters to rules alone, for a verdict on some path; and the open directory.
pub(crate) fn glance(
    path: &Path,
    follow: bool,
    scratch: &mut Scratch,
) -> io::Result<(Marks, Directory)> {
    let directory = Directory::open(path, follow)?;
    read_names(&directory, scratch)?;
    Ok((found(&directory, path, scratch), directory))
}

/// The work on the entries of one directory.
struct Sifting<'a> {
    ground: &'a Ground,
    job: &'a Job,
    directory: &'a Directory,
    scope: &'a Arc<Scope>,
    device: u64,
    arming: Arming,
    /// Set when the directory itself was changed between that time and its watch.
    window: Option<Timestamp>,
    entries: Entries,
    fresh: Vec<Box<[u8]>>,
    /// An entry accounts for the directory's own change.
    touched: bool,
    further: &'a mut Further,
}

impl Sifting<'_> {
    fn sift(&mut self, path: &Path, name: &[u8], kind: Option<EntryKind>) {
        if let Some(only) = &self.job.only {
            if only.iter().any(|wanted| **wanted == *name) && kind != Some(EntryKind::Directory) {
                self.file(name);
            }
            return;
        }
        let Some(kind) = kind.or_else(|| Some(self.directory.lstat(name).ok()?.kind)) else {
            return;
        };
        if self.ground.is_own(path) || (kind == EntryKind::Directory && self.ground.is_root(path)) {
            self.look_for_change(name);
            return;
        }
        match self.ground.filter.verdict(self.scope, path, kind) {
            Verdict::Ignore(rule) => {
                if kind == EntryKind::Directory {
                    self.further.ignored.push((path.to_path_buf(), rule.clone()));
                }
                self.look_for_change(name);
            }
            Verdict::Watch(_) if kind == EntryKind::Directory => self.directory(path, name),
            Verdict::Watch(_) => self.file(name),
        }
    }

    /// In a directory that was changed: whether this entry, which does not count, accounts for it.
    fn look_for_change(&mut self, name: &[u8]) -> bool {
        let Some(since) = self.window else { return false };
        let changed = self.directory.lstat(name).is_ok_and(|stat| stat.ctime >= since.0);
        self.touched |= changed;
        changed
    }

    fn directory(&mut self, path: &Path, name: &[u8]) {
        let moved = self.look_for_change(name);
        let ticket = if self.job.recurse { self.ground.ticket() } else { 0 };
        self.entries.append(name, Record::directory(ticket));
        if !self.job.recurse {
            return;
        }
        self.further.jobs.push(Job {
            ticket,
            walk: self.job.walk,
            path: path.to_path_buf(),
            around: Some(Arc::clone(self.scope)),
            arming: self.arming,
            follow: false,
            since: self.job.since,
            first: self.job.first,
            whole: self.job.whole || moved,
            device: self.device,
            recurse: true,
            only: None,
        });
    }

    fn file(&mut self, name: &[u8]) {
        // Gone between reading the names and now: an event, or the next look, tells.
        let Ok(stat) = self.directory.lstat(name) else { return };
        if stat.is_dir() {
            return;
        }
        self.further.files += 1;
        self.entries.append(name, Record::file(&stat, 0));
        if let Some(since) = self.job.since {
            let changed = self.changed(&stat, since);
            self.touched |= changed;
            if changed || self.job.whole {
                self.fresh.push(name.into());
            }
        }
    }

    /// A change time in the future tells of a wrong clock, not of a change.
    fn changed(&self, stat: &Stat, since: Timestamp) -> bool {
        stat.ctime >= since.0 && stat.ctime <= clock::of_files() + FUTURE
    }
}
