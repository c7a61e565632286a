//! The roots: which there are, which are missing, and which have been replaced.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::list::{Ground, Job};
use super::look::Why;
use super::recovery::{Events, Reason};
use super::settings::{Poll, Root};
use super::walk::{Order, Source};
use super::{Seen, Watch, mounts};
use crate::model::{ChangeKind, Notice};
use crate::sys::files::Stat;
use crate::sys::{events, files};

/// A missing root is looked for first after this time, then after twice as long, up to [`SEARCH_MAX`].
const SEARCH_MIN: Duration = Duration::from_millis(15);
const SEARCH_MAX: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(super) struct Roots {
    list: Vec<State>,
    search: Option<(Instant, Duration)>,
    mounts: Vec<(u64, PathBuf)>,
}

#[derive(Debug)]
struct State {
    root: Root,
    kind: Kind,
    /// Device and inode of the directory that was looked at last; of a file, of the directory that it lies in.
    seen: Option<(u64, u64)>,
    /// A file that was a link when it was looked at last.
    link: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
    Missing,
}

impl Roots {
    /// Whether a root may be a link that is followed.
    pub(super) fn follows(&self, path: &Path) -> bool {
        self.list.iter().any(|state| state.root.named && state.root.path == path)
    }

    /// A directory was looked at: when it is a root, this is what it is now. Whether it is another directory
    /// than before.
    pub(super) fn seen(&mut self, path: &Path, stat: &Stat) -> bool {
        let Some(state) = self.list.iter_mut().find(|state| state.root.path == path) else {
            return false;
        };
        let now = Some(stat.id());
        let before = std::mem::replace(&mut state.seen, now);
        before.is_some() && before != now
    }

    /// Something has changed: whether it is a named file that is a link, or was, and may lead elsewhere now.
    pub(super) fn has_moved(&mut self, path: &Path) -> bool {
        let is_it = |state: &&mut State| state.kind == Kind::File && state.root.path == path;
        self.list.iter_mut().find(is_it).is_some_and(|state| {
            let is_link = path.is_symlink();
            std::mem::replace(&mut state.link, is_link) || is_link
        })
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.search.map(|(at, _)| at)
    }

    pub(super) fn shown(&self) -> Vec<PathBuf> {
        self.list.iter().map(|state| state.root.shown.clone()).collect()
    }

    fn paths(&self, kind: Kind) -> Vec<PathBuf> {
        let some = self.list.iter().filter(|state| state.kind == kind);
        some.map(|state| state.root.path.clone()).collect()
    }

    /// Keeps only these. Those that are dropped.
    pub(super) fn drop_others(&mut self, kept: &[Root]) -> Vec<PathBuf> {
        let mut dropped = Vec::new();
        self.list.retain(|state| {
            let keep = kept.contains(&state.root);
            if !keep {
                dropped.push(state.root.path.clone());
            }
            keep
        });
        dropped
    }

    /// Those that are gone, or in whose place something else is.
    fn moved(&self) -> Vec<PathBuf> {
        let moved = self.list.iter().filter(|state| {
            let there = state.place().as_ref().map(Stat::id);
            let other = there.is_none() || state.seen.is_some() && there != state.seen;
            other && state.kind != Kind::Missing
        });
        moved.map(|state| state.root.path.clone()).collect()
    }

    /// All of them.
    fn all(&self) -> Vec<PathBuf> {
        self.list.iter().map(|state| state.root.path.clone()).collect()
    }
}

impl State {
    /// The directory that has to be watched for it, as it is at present.
    fn place(&self) -> Option<Stat> {
        match self.kind {
            Kind::File => files::stat(self.root.path.parent()?).ok(),
            Kind::Directory | Kind::Missing => look(&self.root),
        }
    }
}

/// What a root is at present.
fn look(root: &Root) -> Option<Stat> {
    if root.named { files::stat(&root.path).ok() } else { files::lstat(&root.path).ok() }
}

impl Watch {
    /// Takes in the roots and sends the walker off.
    pub(super) fn begin(&mut self, roots: Vec<Root>) {
        self.take_roots(roots);
        self.recovery.begin(self.settings.backend, self.settings.poll);
        self.set_out(Why::Start);
    }

    pub(super) fn take_roots(&mut self, roots: Vec<Root>) {
        for root in roots {
            if self.roots.list.iter().any(|state| state.root.path == root.path) {
                continue;
            }
            self.roots.list.push(State { root, kind: Kind::Missing, seen: None, link: false });
        }
        self.find_roots();
    }

    /// Looks for the roots that are missing. Those that were found.
    fn find_roots(&mut self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for state in self.roots.list.iter_mut().filter(|state| state.kind == Kind::Missing) {
            let Some(stat) = look(&state.root) else { continue };
            let path = &state.root.path;
            if stat.is_dir() {
                self.table.add_root(path);
                state.kind = Kind::Directory;
            } else if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
                self.table.add_single(parent, name.as_encoded_bytes());
                state.kind = Kind::File;
                state.link = path.is_symlink();
                state.seen = state.place().as_ref().map(Stat::id);
            }
            found.push(path.clone());
        }
        found
    }

    /// Tells the walker about the ground, gives it a new event source and sends it to all roots.
    pub(super) fn set_out(&mut self, why: Why) -> u32 {
        self.spread_ground();
        let generation = self.recovery.generation;
        let events = self.recovery.events;
        let source = match events {
            Events::None => Source::None,
            Events::Native => Source::Native,
            Events::Portable => Source::Portable(self.portable_roots()),
        };
        self.order(Order::Renew { generation, source });
        if events == Events::Native {
            self.order(Order::Spots(self.spots.directories()));
        }
        self.roots.mounts = mounts::below(&self.roots.paths(Kind::Directory));
        self.walk_roots(why)
    }

    /// The trees and the directories of single names that the portable source watches.
    fn portable_roots(&self) -> Vec<PathBuf> {
        let mut all = self.roots.paths(Kind::Directory);
        all.extend(self.table.singles().into_iter().map(|(path, _)| path));
        all.extend(self.spots.directories());
        all
    }

    pub(super) fn spread_ground(&mut self) {
        let mut roots = self.roots.paths(Kind::Directory);
        roots.extend(self.roots.paths(Kind::Missing));
        self.ground = Arc::new(Ground {
            filter: Arc::clone(&self.ground.filter),
            own: self.settings.own.clone(),
            roots,
            poll: self.settings.poll,
            tickets: Arc::clone(&self.ground.tickets),
        });
        self.order(Order::Ground(Arc::clone(&self.ground)));
    }

    /// Sends the walker to all roots that are there.
    pub(super) fn walk_roots(&mut self, why: Why) -> u32 {
        let walk = self.walk_for(why);
        let dirs = self.roots.paths(Kind::Directory).into_iter().map(|path| (path, None));
        let singles = self.table.singles().into_iter().map(|(path, id)| (path, Some(id)));
        let mut jobs = Vec::new();
        for (path, single) in dirs.chain(singles) {
            let Some(id) = single.or_else(|| self.table.root(&path)) else { continue };
            let job = self.job(walk, why, id, path, None);
            jobs.push(Job { arming: self.arming(), recurse: single.is_none(), ..job });
        }
        if self.recovery.events != Events::None && events::BY_DIRECTORY {
            self.order(Order::Above(self.roots.all()));
        }
        self.order(Order::Walk { walk, jobs, urgent: false });
        walk
    }

    /// Says which roots are missing, and looks for them from now on.
    pub(super) fn say_missing(&mut self, now: Instant, out: &mut Vec<Seen>) {
        for path in self.roots.paths(Kind::Missing) {
            out.push(Seen::Say(Notice::RootMissing { path: Arc::from(path) }));
            self.search(now);
        }
    }

    fn search(&mut self, now: Instant) {
        if self.roots.search.is_none() {
            self.roots.search = Some((now + SEARCH_MIN, SEARCH_MIN));
        }
    }

    /// A root was removed, renamed, or replaced.
    pub(super) fn root_moved(&mut self, path: &Path, now: Instant, out: &mut Vec<Seen>) {
        let is_it = |state: &State| state.root.path == path && state.kind == Kind::Directory;
        if self.roots.list.iter().any(is_it) {
            self.take_up(&[path.to_path_buf()], now, out);
        }
    }

    /// A directory is gone; perhaps one of files that were named. What is there now may have its number.
    pub(super) fn place_gone(&mut self, path: &Path, now: Instant, out: &mut Vec<Seen>) {
        let lies_there =
            |state: &&State| state.kind == Kind::File && state.root.path.parent() == Some(path);
        let files = self.roots.list.iter().filter(lies_there);
        let files: Vec<PathBuf> = files.map(|state| state.root.path.clone()).collect();
        self.take_up(&files, now, out);
    }

    /// Takes up roots in whose place is something else or nothing. Whether all are being looked at.
    fn take_up(&mut self, moved: &[PathBuf], now: Instant, out: &mut Vec<Seen>) -> bool {
        let mut replaced = None;
        for path in moved {
            if !self.has_vanished(path, now, out) {
                replaced = replaced.or(Some(path));
            }
        }
        let Some(path) = replaced else { return false };
        self.recover(Reason::Root(path.clone()), now, out);
        true
    }

    /// Whether there is nothing any more where a root was: then that is told, and it is looked for.
    fn has_vanished(&mut self, path: &Path, now: Instant, out: &mut Vec<Seen>) -> bool {
        let Some(state) = self.roots.list.iter_mut().find(|state| state.root.path == path) else {
            return false;
        };
        let place = state.place().filter(Stat::is_dir);
        if state.kind == Kind::File {
            state.seen = place.as_ref().map(Stat::id);
        }
        if place.is_some() {
            return false;
        }
        state.seen = None;
        match std::mem::replace(&mut state.kind, Kind::Missing) {
            Kind::File => self.single_gone(path, now, out),
            Kind::Directory | Kind::Missing => self.everything_gone(path, now, out),
        }
        out.push(Seen::Say(Notice::RootMissing { path: Arc::from(path) }));
        self.search(now);
        true
    }

    /// The directory of a file that was named is gone, and the file with it.
    fn single_gone(&mut self, path: &Path, now: Instant, out: &mut Vec<Seen>) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        if let Some((dir, name)) = self.table.locate(path) {
            self.remove_entry(dir, name, path, ChangeKind::Removed, now, out);
        }
        self.table.remove_single(parent, name.as_encoded_bytes());
        if self.table.find(parent).is_none() && !self.is_needed(parent) {
            self.order(Order::Disarm(vec![parent.to_path_buf()]));
        }
    }

    /// The table of mounts changed, or a directory above a root was renamed.
    pub(super) fn check_roots(&mut self, now: Instant, out: &mut Vec<Seen>) {
        let mounts = mounts::below(&self.roots.paths(Kind::Directory));
        let mounted = mounts != self.roots.mounts;
        self.roots.mounts = mounts;
        let moved = self.roots.moved();
        if !self.take_up(&moved, now, out) && mounted && moved.is_empty() {
            self.recover(Reason::Mounts, now, out);
        }
    }

    /// Looks at the roots themselves, whatever was or was not told about them: replaced ones, missing ones.
    pub(super) fn look_at_roots(&mut self, now: Instant, out: &mut Vec<Seen>) {
        self.check_roots(now, out);
        if let Some((at, _)) = &mut self.roots.search {
            *at = now;
        }
        self.look_for_missing_roots(now, out);
    }

    pub(super) fn look_for_missing_roots(&mut self, now: Instant, out: &mut Vec<Seen>) {
        let Some((at, pause)) = self.roots.search else { return };
        if now < at {
            return;
        }
        let found = self.find_roots();
        let left = !self.roots.paths(Kind::Missing).is_empty();
        let pause = (pause * 2).min(SEARCH_MAX);
        self.roots.search = left.then_some((now + pause, pause));
        if let Some(path) = found.into_iter().next() {
            self.recover(Reason::Root(path), now, out);
        }
    }

    /// Whether everything is polled because a person wants it.
    pub(super) fn poll_wanted(&self) -> bool {
        matches!(self.settings.poll, Poll::Every(_))
    }
}
