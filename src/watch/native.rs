//! The native event source: one inotify instance through `notify`, one watch for each directory.
#![expect(clippy::disallowed_methods, reason = "shell: when events come decides how they are read")]

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{
    Config, ErrorKind, Event, EventKindMask, PathOp, RecommendedWatcher, RecursiveMode,
    WatchPathConfig, Watcher,
};
use tokio::sync::mpsc::UnboundedSender;

use super::flood::Flood;
use super::links::Links;
use super::message::{Inner, Message, RawEvent, RawKind, Refusal};
use crate::sys::thread;

/// What became of one directory that was to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Armed {
    /// The directory is watched.
    Yes,
    /// The system's limit is reached.
    Limit,
    /// The directory is not there.
    Gone,
    /// The directory cannot be watched.
    Failed(Refusal),
}

/// One inotify instance.
#[derive(Debug)]
pub(crate) struct Native {
    watcher: RecommendedWatcher,
    links: Links,
}

/// The events that matter: no opens and no reads.
pub(super) fn mask() -> EventKindMask {
    EventKindMask::CREATE
        | EventKindMask::REMOVE
        | EventKindMask::MODIFY_NAME
        | EventKindMask::MODIFY_DATA
        | EventKindMask::ACCESS_CLOSE
        | EventKindMask::MODIFY_META
}

impl Native {
    /// Opens an instance whose events are sent with this generation.
    pub(crate) fn new(generation: u32, to: UnboundedSender<Message>) -> notify::Result<Self> {
        let config = Config::default().with_event_kinds(mask()).with_follow_symlinks(false);
        let links = Links::default();
        let known = links.clone();
        let mut flood = Flood::default();
        let handler = move |event: notify::Result<Event>| {
            if let Some(gather) = flood.event(Instant::now(), thread::sleeps) {
                std::thread::sleep(gather);
                flood.left(thread::sleeps());
            }
            if let Some(inner) = message(generation, event) {
                // The owner is gone only when the program ends.
                known.tell(inner, |inner| drop(to.send(Message(inner))));
            }
            flood.handed_on(Instant::now());
        };
        Ok(Self { watcher: RecommendedWatcher::new(handler, config)?, links })
    }

    /// Watches directories in one go; the answers are in the same order. The flag: follow a link.
    pub(crate) fn arm<'a>(&mut self, paths: impl Iterator<Item = (&'a Path, bool)>) -> Vec<Armed> {
        let op = |(path, follow): (&Path, bool)| {
            if follow || self.links.know(path) {
                self.links.learn(path);
            }
            let real = self.links.real(path);
            watch(&real, follow && *real == *path)
        };
        let mut ops: Vec<PathOp> = paths.map(op).collect();
        let many = ops.len();
        let mut answers = Vec::with_capacity(many);
        while let Err(error) = self.watcher.update_paths(std::mem::take(&mut ops)) {
            let failed = many - error.remaining.len() - usize::from(error.origin.is_some());
            answers.resize(failed.max(answers.len()), Armed::Yes);
            let answer = answer(&error.source);
            if answer == Armed::Limit || error.origin.is_none() {
                // No directory after this one would fare better.
                answers.resize(many, answer);
                break;
            }
            answers.push(answer);
            ops = error.remaining;
        }
        answers.resize(many, Armed::Yes);
        answers
    }

    /// Returns when every event that the kernel had queued before the call has been handed on. An empty
    /// batch makes notify read its queue and hand the events on *after* its answer: the answer to a second
    /// one proves that this is done.
    pub(crate) fn catch_up(&mut self) {
        for _ in 0..2 {
            let _ = self.watcher.update_paths(Vec::new());
        }
    }

    /// Gives watches back. Paths that are not watched (any more) are passed over.
    pub(crate) fn disarm(&mut self, paths: Vec<PathBuf>) {
        // What a link leads to may be watched by its own name too.
        let paths = paths.into_iter().filter(|path| !self.links.lead_to(&self.links.real(path)));
        let mut ops: Vec<PathOp> = paths.map(PathOp::Unwatch).collect();
        while let Err(error) = self.watcher.update_paths(std::mem::take(&mut ops)) {
            ops = error.remaining;
            if ops.is_empty() {
                break;
            }
        }
    }
}

/// The directories above the roots, in instances of their own. The directory right above a root tells also when the
/// root is removed or made: a directory in which a process stands (the command's, or ours) does not tell of its own
/// end. A directory in which a link on the way lies tells when that is replaced. In the others only their own renames
/// matter.
#[derive(Debug)]
pub(crate) struct Above {
    _near: Option<RecommendedWatcher>,
    _far: Option<RecommendedWatcher>,
}

impl Above {
    /// Watches as many of them as can be watched.
    pub(crate) fn new(roots: &[PathBuf], to: &UnboundedSender<Message>) -> Self {
        let above = || roots.iter().flat_map(|root| root.ancestors().skip(1));
        let links = above().filter(|path| path.is_symlink());
        let near = roots.iter().map(PathBuf::as_path).chain(links).filter_map(Path::parent);
        let near: BTreeSet<PathBuf> = near.map(Path::to_path_buf).collect();
        // Where links lead, other directories are above it.
        let real: Vec<PathBuf> = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
        let far = above().chain(real.iter().flat_map(|root| root.ancestors().skip(1)));
        let far: BTreeSet<PathBuf> =
            far.map(Path::to_path_buf).filter(|path| !near.contains(path)).collect();
        // Other names in these directories do not matter.
        let matter: Arc<HashSet<PathBuf>> =
            Arc::new(roots.iter().chain(&near).chain(&far).cloned().collect());
        let names = EventKindMask::MODIFY_NAME;
        Self {
            _near: tells_of(
                &matter,
                &near,
                names | EventKindMask::CREATE | EventKindMask::REMOVE,
                to,
            ),
            _far: tells_of(&matter, &far, names, to),
        }
    }
}

/// Watches directories for what happens to some of the names in them.
fn tells_of(
    matter: &Arc<HashSet<PathBuf>>,
    directories: &BTreeSet<PathBuf>,
    kinds: EventKindMask,
    to: &UnboundedSender<Message>,
) -> Option<RecommendedWatcher> {
    if directories.is_empty() {
        return None;
    }
    let (matter, to) = (Arc::clone(matter), to.clone());
    let config = Config::default().with_event_kinds(kinds).with_follow_symlinks(false);
    let handler = move |event: notify::Result<Event>| {
        let matters = event.is_ok_and(|event| {
            event.need_rescan() || event.paths.iter().any(|path| matter.contains(path))
        });
        if matters {
            // The owner is gone only when the program ends.
            let _ = to.send(Message(Inner::AroundRoots));
        }
    };
    let mut watcher = RecommendedWatcher::new(handler, config).ok()?;
    let mut ops: Vec<PathOp> = directories.iter().map(|path| watch(path, true)).collect();
    while let Err(error) = watcher.update_paths(std::mem::take(&mut ops)) {
        ops = error.remaining;
        if ops.is_empty() {
            break;
        }
    }
    Some(watcher)
}

fn watch(path: &Path, follow: bool) -> PathOp {
    let config =
        WatchPathConfig::new(RecursiveMode::NonRecursive).with_dereference_symlinks(follow);
    PathOp::Watch(path.to_path_buf(), config)
}

/// What an error says about the directory that was to be watched.
pub(super) fn answer(error: &notify::Error) -> Armed {
    match &error.kind {
        ErrorKind::MaxFilesWatch => Armed::Limit,
        ErrorKind::PathNotFound => Armed::Gone,
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound => Armed::Gone,
        ErrorKind::Io(error) => Armed::Failed(Refusal::of(error)),
        _ => Armed::Failed(Refusal { error: error.to_string(), denied: false }),
    }
}

fn message(generation: u32, event: notify::Result<Event>) -> Option<Inner> {
    match event {
        Ok(event) if event.need_rescan() => Some(Inner::Lost { generation }),
        Ok(event) => Some(Inner::Event { generation, event: translate(event)? }),
        // The source itself is in trouble: what it said so far is not to be relied on.
        Err(_) => Some(Inner::Lost { generation }),
    }
}

/// Keeps what decides, and the path that notify has allocated already.
pub(crate) fn translate(mut event: Event) -> Option<RawEvent> {
    let kind = match event.kind {
        EventKind::Create(CreateKind::Folder) => RawKind::CreateDirectory,
        EventKind::Create(_) => RawKind::Create,
        EventKind::Remove(_) => RawKind::Remove,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => RawKind::From,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => RawKind::To,
        // Said besides From and To.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return None,
        EventKind::Modify(ModifyKind::Data(_)) => RawKind::Data,
        EventKind::Modify(ModifyKind::Metadata(_)) => RawKind::Metadata,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => RawKind::Close,
        EventKind::Access(_) => return None,
        EventKind::Any | EventKind::Other | EventKind::Modify(_) => RawKind::Any,
    };
    Some(RawEvent { kind, path: event.paths.pop()? })
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, MetadataKind, RemoveKind};

    use super::*;

    #[test]
    fn events_are_reduced_to_what_decides() {
        let cases = [
            (EventKind::Create(CreateKind::Folder), Some(RawKind::CreateDirectory)),
            (EventKind::Create(CreateKind::File), Some(RawKind::Create)),
            (EventKind::Remove(RemoveKind::Folder), Some(RawKind::Remove)),
            (EventKind::Modify(ModifyKind::Name(RenameMode::From)), Some(RawKind::From)),
            (EventKind::Modify(ModifyKind::Name(RenameMode::To)), Some(RawKind::To)),
            (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), None),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(RawKind::Data)),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), Some(RawKind::Metadata)),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), Some(RawKind::Close)),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), None),
        ];
        for (kind, expected) in cases {
            let event = Event::new(kind).add_path(PathBuf::from("/a/b"));
            let got = translate(event);
            assert_eq!(got.as_ref().map(|raw| raw.kind), expected, "{kind:?}");
            assert!(got.is_none_or(|raw| raw.path == Path::new("/a/b")));
        }
    }

    #[test]
    fn a_directory_that_is_missing_does_not_keep_the_others_from_being_watched() {
        let directory = tempfile::tempdir().unwrap();
        let (to, _from) = tokio::sync::mpsc::unbounded_channel();
        let mut native = Native::new(1, to).unwrap();
        let mut paths = Vec::new();
        for name in ["a", "missing-1", "b", "missing-2", "missing-3", "c"] {
            let path = directory.path().join(name);
            if !name.starts_with("missing") {
                std::fs::create_dir(&path).unwrap();
            }
            paths.push((path, false));
        }
        let all = paths.iter().map(|(path, follow)| (path.as_path(), *follow));
        let answers = native.arm(all);
        let expected = [Armed::Yes, Armed::Gone, Armed::Yes, Armed::Gone, Armed::Gone, Armed::Yes];
        assert_eq!(answers, expected);
        native.disarm(paths.into_iter().map(|(path, _)| path).collect());
    }
}
