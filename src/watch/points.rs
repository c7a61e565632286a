//! Points: single names that are watched outside of a walked tree. A root is one (its own name, in the directory above
//! it), a file that was named, the configuration, an ignore file above the roots, and each marker of `wait`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::{HashMap, HashSet};
use tokio::sync::mpsc::UnboundedSender;

use super::list::Ground;
use super::looks::Walk;
use super::message::{Inner, Message, RawKind, Seen};
use super::settings::{Root, Settings};
use super::table::{Table, split};
use crate::sys::bytes::os_str;
use crate::sys::files::{self, Stat};
use crate::sys::mounts;

/// A missing root is looked for first after this time, then after twice as long, up to [`SEARCH_MAX`].
pub(super) const SEARCH_MIN: Duration = Duration::from_millis(15);
const SEARCH_MAX: Duration = Duration::from_millis(250);

#[derive(Debug)]
enum Point {
    Root(RootPoint),
    /// A file of the configuration, and the fingerprint that was told last.
    Configuration(PathBuf, Option<u32>),
    /// An ignore file above the roots.
    Rules(PathBuf),
    /// A directory in which each name is a marker, and the names that are known where no events come.
    Markers(PathBuf, HashSet<OsString>),
}

#[derive(Debug)]
struct RootPoint {
    root: Root,
    kind: RootKind,
    /// Device and inode of the directory that was looked at last; of a file, of the directory that it lies in.
    seen: Option<(u64, u64)>,
    /// A file that was a link when it was looked at last.
    link: bool,
}

/// What stands in the place of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootKind {
    Directory,
    File,
    Missing,
}

/// What an event of a point means.
#[derive(Debug)]
pub(super) enum Met {
    /// Something happened to a marker; its name when it is new.
    Marker(Option<OsString>),
    /// A file of the configuration was written, or came, or went.
    Configuration,
    /// An ignore file above the roots says something else.
    Rules,
}

/// All points, and the markers that wait.
#[derive(Debug)]
pub(super) struct Points {
    list: Vec<Point>,
    /// Markers that wait for the walks that were under way when they came.
    markers: Vec<(OsString, HashSet<u32>)>,
    /// The pause before missing roots are looked for again.
    pause: Duration,
    /// The mounts at or below the roots: what is mounted over a root sends no event there.
    mounts: Vec<(u64, PathBuf)>,
    _mount_guard: Option<mounts::MountGuard>,
}

impl Point {
    /// The directory that is watched for the point; `None` for a root that is walked or missing.
    fn place(&self) -> Option<&Path> {
        match self {
            Self::Root(point) if point.kind == RootKind::File => point.root.path.parent(),
            Self::Root(_) => None,
            Self::Configuration(path, _) | Self::Rules(path) => path.parent(),
            Self::Markers(directory, _) => Some(directory),
        }
    }

    fn root(&self) -> Option<&RootPoint> {
        if let Self::Root(point) = self { Some(point) } else { None }
    }

    fn root_mut(&mut self) -> Option<&mut RootPoint> {
        if let Self::Root(point) = self { Some(point) } else { None }
    }
}

impl RootPoint {
    /// The present state of the directory that has to be watched for the root.
    fn place(&self) -> Option<Stat> {
        match self.kind {
            RootKind::File => files::stat(self.root.path.parent()?).ok(),
            RootKind::Directory | RootKind::Missing => look(&self.root),
        }
    }

    /// Looks for the root. Whether it is there.
    fn find(&mut self, table: &mut Table) -> bool {
        let Some(stat) = look(&self.root) else { return false };
        let path = &self.root.path;
        if stat.is_dir() {
            table.add_root(path);
            self.kind = RootKind::Directory;
        } else if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            table.add_point(parent, name.as_encoded_bytes());
            self.kind = RootKind::File;
            self.link = path.is_symlink();
            self.seen = self.place().as_ref().map(Stat::id);
        }
        true
    }
}

impl Points {
    pub(super) fn new(settings: &Settings, to: &UnboundedSender<Message>) -> Self {
        let to = to.clone();
        let tell = move || to.send(Message(Inner::AroundRoots)).is_ok();
        let mut points = Self {
            list: Vec::new(),
            markers: Vec::new(),
            pause: SEARCH_MIN,
            mounts: Vec::new(),
            _mount_guard: mounts::watch(tell),
        };
        points.configure(settings);
        points
    }

    /// Takes over the configuration's files and the place of the markers. A file that was known keeps the fingerprint
    /// that was told last: an edit that has come since is still to be told.
    pub(super) fn configure(&mut self, settings: &Settings) {
        let (mut told, mut known) = (HashMap::new(), HashSet::new());
        self.list.retain_mut(|point| match point {
            Point::Configuration(path, print) => {
                told.insert(std::mem::take(path), *print);
                false
            }
            Point::Markers(_, names) => {
                known = std::mem::take(names);
                false
            }
            Point::Root(_) | Point::Rules(_) => true,
        });
        let files = settings.extra_files.iter().map(|path| {
            let print = told.get(path).copied().unwrap_or_else(|| print(path));
            Point::Configuration(path.clone(), print)
        });
        self.list.extend(files);
        let markers = settings.marker_dir.clone();
        self.list.extend(markers.map(|directory| Point::Markers(directory, known)));
    }

    /// The meaning of an event for the point with this path, if there is one.
    pub(super) fn met(&self, path: &Path, kind: RawKind) -> Option<Met> {
        self.list.iter().find_map(|point| match point {
            Point::Markers(directory, _) => {
                let (parent, name) = split(path)?;
                let new = matches!(kind, RawKind::Create | RawKind::To | RawKind::Any);
                (parent.as_os_str() == directory.as_os_str())
                    .then(|| Met::Marker(new.then(|| os_str(name).to_owned())))
            }
            Point::Configuration(file, _) => {
                let complete = kind != RawKind::Data;
                (complete && file.as_os_str() == path.as_os_str()).then_some(Met::Configuration)
            }
            Point::Rules(file) => {
                let complete = !matches!(kind, RawKind::Data | RawKind::Metadata | RawKind::Create);
                (complete && file.as_os_str() == path.as_os_str()).then_some(Met::Rules)
            }
            Point::Root(_) => None,
        })
    }

    /// The directories of points that no walk leads to.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let walked = |point: &&Point| point.root().is_none();
        let mut all: Vec<PathBuf> = self
            .list
            .iter()
            .filter(walked)
            .filter_map(Point::place)
            .map(Path::to_path_buf)
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// The roots and the directories of all points: what a source that watches trees has to watch.
    pub(super) fn trees(&self) -> Vec<PathBuf> {
        let mut all = self.roots(RootKind::Directory);
        all.extend(self.list.iter().filter_map(Point::place).map(Path::to_path_buf));
        all
    }

    /// Whether a directory is watched for a point in it, whatever becomes of its tree.
    pub(super) fn need(&self, directory: &Path) -> bool {
        self.list.iter().any(|point| point.place() == Some(directory))
    }

    /// The walker has found out which files above the roots could hide something, and watches them.
    pub(super) fn add_rules(&mut self, files: Vec<PathBuf>) {
        for file in files {
            let known = |point: &Point| matches!(point, Point::Rules(path) if *path == file);
            if !self.list.iter().any(known) {
                self.list.push(Point::Rules(file));
            }
        }
    }

    /// Tells the configuration files that have changed.
    pub(super) fn check_configuration(&mut self, out: &mut Vec<Seen>) {
        for point in &mut self.list {
            let Point::Configuration(path, told) = point else { continue };
            let now = print(path);
            if *told != now {
                *told = now;
                out.push(Seen::ConfigChanged(path.clone()));
            }
        }
    }

    /// Notes a marker: everything before it has been seen when these walks are done.
    pub(super) fn mark(&mut self, name: OsString, walks: &HashMap<u32, Walk>) {
        self.markers.push((name, walks.keys().copied().collect()));
    }

    /// Makes the markers that wait wait for this walk too.
    pub(super) fn await_walk(&mut self, walk: u32) {
        for (_, waits) in &mut self.markers {
            waits.insert(walk);
        }
    }

    /// Notes the new markers when a pass of polling begins, where no events tell of them.
    pub(super) fn find_markers(&mut self, walk: u32) {
        for point in &mut self.list {
            let Point::Markers(directory, known) = point else { continue };
            let mut names = HashSet::new();
            if let Ok(directory) = files::Directory::open(directory, false) {
                // What cannot be read has no markers.
                let _ = directory.read(&mut Vec::new(), |name, _| {
                    names.insert(os_str(name).to_owned());
                });
            }
            let new = names.difference(known).cloned();
            self.markers.extend(new.map(|name| (name, HashSet::from([walk]))));
            *known = names;
        }
    }

    /// Tells the markers before which everything has been looked at.
    pub(super) fn pass_markers(&mut self, walks: &HashMap<u32, Walk>, out: &mut Vec<Seen>) {
        self.markers.retain_mut(|(name, waits)| {
            waits.retain(|walk| walks.contains_key(walk));
            if waits.is_empty() {
                out.push(Seen::Marker(std::mem::take(name)));
            }
            !name.is_empty()
        });
    }

    /// Adds roots, and looks for all that are missing. Returns those that were found.
    pub(super) fn add_roots(&mut self, roots: Vec<Root>, table: &mut Table) -> Vec<PathBuf> {
        for root in roots {
            if self.root_mut(&root.path).is_none() {
                let kind = RootKind::Missing;
                self.list.push(Point::Root(RootPoint { root, kind, seen: None, link: false }));
            }
        }
        let all = self.list.iter_mut().filter_map(Point::root_mut);
        let missing = all.filter(|point| point.kind == RootKind::Missing);
        let found = missing.filter_map(|point| point.find(table).then(|| point.root.path.clone()));
        found.collect()
    }

    /// Keeps only these roots. Returns those that are dropped.
    pub(super) fn drop_other_roots(&mut self, kept: &[Root]) -> Vec<PathBuf> {
        let mut dropped = Vec::new();
        self.list.retain(|point| match point.root() {
            Some(point) if !kept.contains(&point.root) => {
                dropped.push(point.root.path.clone());
                false
            }
            _ => true,
        });
        dropped
    }

    /// The roots of a kind.
    pub(super) fn roots(&self, kind: RootKind) -> Vec<PathBuf> {
        let some = self.all_roots().filter(|point| point.kind == kind);
        some.map(|point| point.root.path.clone()).collect()
    }

    /// The roots as a person wrote them.
    pub(super) fn shown(&self) -> Vec<PathBuf> {
        self.all_roots().map(|point| point.root.shown.clone()).collect()
    }

    /// All roots.
    pub(super) fn root_paths(&self) -> Vec<PathBuf> {
        self.all_roots().map(|point| point.root.path.clone()).collect()
    }

    /// The ground with these roots in it.
    pub(super) fn ground(&self, ground: &Ground) -> Ground {
        let mut roots = self.roots(RootKind::Directory);
        roots.extend(self.roots(RootKind::Missing));
        let named = self.all_roots().filter(|point| point.root.named);
        let named = named.map(|point| point.root.path.clone()).collect();
        Ground { roots, named, ..ground.clone() }
    }

    /// Notes the state of a directory that was looked at, when it is a root. Whether it is another directory than
    /// before.
    pub(super) fn seen(&mut self, path: &Path, stat: &Stat) -> bool {
        let Some(point) = self.root_mut(path) else { return false };
        let now = Some(stat.id());
        let before = std::mem::replace(&mut point.seen, now);
        before.is_some() && before != now
    }

    /// Tells that a link may lead elsewhere now, before each change of a named file that is a link, or was one.
    pub(super) fn tell_moved_links(&mut self, from: usize, out: &mut Vec<Seen>) {
        if self.all_roots().all(|point| point.kind != RootKind::File) {
            return;
        }
        for at in (from..out.len()).rev() {
            let Seen::Change(change) = &out[at] else { continue };
            let told = change.kind != crate::model::ChangeKind::Touched;
            if told && self.has_moved(&Arc::clone(&change.path)) {
                out.insert(at, Seen::LinkMoved);
            }
        }
    }

    fn has_moved(&mut self, path: &Path) -> bool {
        let point = self.root_mut(path).filter(|point| point.kind == RootKind::File);
        point.is_some_and(|point| {
            let is_link = path.is_symlink();
            std::mem::replace(&mut point.link, is_link) || is_link
        })
    }

    /// The roots that are gone, or in whose place something else is.
    pub(super) fn moved(&self) -> Vec<PathBuf> {
        let moved = self.all_roots().filter(|point| {
            let there = point.place().as_ref().map(Stat::id);
            let other = there.is_none() || point.seen.is_some() && there != point.seen;
            other && point.kind != RootKind::Missing
        });
        moved.map(|point| point.root.path.clone()).collect()
    }

    /// Whether a path is that of a root that was a directory.
    pub(super) fn is_directory(&self, path: &Path) -> bool {
        let mut all = self.all_roots();
        all.any(|point| point.kind == RootKind::Directory && point.root.path == path)
    }

    /// The named files that lie in a directory.
    pub(super) fn files_in(&self, directory: &Path) -> Vec<PathBuf> {
        let files = self.all_roots().filter(|point| point.kind == RootKind::File);
        let here = files.filter(|point| point.root.path.parent() == Some(directory));
        here.map(|point| point.root.path.clone()).collect()
    }

    /// Takes a root for missing when nothing stands in its place any more. Returns what it was then.
    pub(super) fn vanished(&mut self, path: &Path) -> Option<RootKind> {
        let point = self.root_mut(path)?;
        let place = point.place().filter(Stat::is_dir);
        if point.kind == RootKind::File {
            point.seen = place.as_ref().map(Stat::id);
        }
        if place.is_some() {
            return None;
        }
        point.seen = None;
        Some(std::mem::replace(&mut point.kind, RootKind::Missing))
    }

    /// Looks at the mounts below the roots. Whether they are others than before.
    pub(super) fn look_at_mounts(&mut self) -> bool {
        let roots = self.roots(RootKind::Directory);
        let mut mounts = mounts::all();
        mounts.retain(|(_, point)| roots.iter().any(|root| point.starts_with(root)));
        mounts.sort();
        let other = mounts != self.mounts;
        self.mounts = mounts;
        other
    }

    /// Missing roots are looked for from now on.
    pub(super) fn begin_search(&mut self) {
        self.pause = SEARCH_MIN;
    }

    /// The pause before missing roots are looked for again, each time longer.
    pub(super) fn next_pause(&mut self) -> Duration {
        self.pause = (self.pause * 2).min(SEARCH_MAX);
        self.pause
    }

    fn all_roots(&self) -> impl Iterator<Item = &RootPoint> {
        self.list.iter().filter_map(Point::root)
    }

    fn root_mut(&mut self, path: &Path) -> Option<&mut RootPoint> {
        let mut all = self.list.iter_mut().filter_map(Point::root_mut);
        all.find(|point| point.root.path == path)
    }
}

/// What a root is at present.
fn look(root: &Root) -> Option<Stat> {
    if root.named { files::stat(&root.path).ok() } else { files::lstat(&root.path).ok() }
}

fn print(path: &Path) -> Option<u32> {
    files::stat(path).ok().map(|stat| stat.print())
}
