//! The table of everything that is watched: one trie of directories for each root.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entries::{Entries, Record};
use crate::filter::Scope;
use crate::sys::bytes::os_str;

/// The place of a directory in the table. Places are used again: across messages the ticket of a listing is kept
/// instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DirId(u32);

impl DirId {
    pub(crate) fn number(self) -> u64 {
        u64::from(self.0)
    }

    pub(crate) fn of(record: &Record) -> Option<Self> {
        record.is_dir().then(|| Self(record.number() as u32))
    }
}

/// One watched directory.
#[derive(Debug, Default)]
pub(crate) struct Dir {
    parent: Option<u32>,
    /// The ticket of the listing that is awaited; 0: none.
    pub(crate) ticket: u64,
    /// What holds inside; `None` until it has been listed once.
    pub(crate) scope: Option<Arc<Scope>>,
    pub(crate) entries: Entries,
    /// Events do not tell of the directory (no watch was to be had, or its file system sends none).
    pub(crate) polled: bool,
    /// The file system may keep changes to itself: the directory is compared now and then besides its events.
    pub(crate) doubtful: bool,
    /// The directory could not be read.
    pub(crate) unreadable: bool,
}

/// The table. The order of roots does not matter: a path belongs to the longest root above it.
#[derive(Debug, Default)]
pub(crate) struct Table {
    dirs: Vec<Option<Dir>>,
    free: Vec<u32>,
    tops: Vec<Top>,
}

/// Where a tree begins, or a directory of which only single names count: the files that were named. Both may have
/// one path.
#[derive(Debug)]
struct Top {
    path: PathBuf,
    id: DirId,
    only: Option<Arc<[Box<[u8]>]>>,
}

impl Table {
    fn add(&mut self, dir: Dir) -> DirId {
        match self.free.pop() {
            Some(place) => {
                self.dirs[place as usize] = Some(dir);
                DirId(place)
            }
            None => {
                if self.dirs.len() == self.dirs.capacity() {
                    // Twice the size, as usual, would be megabytes for nothing in a large tree.
                    self.dirs.reserve_exact((self.dirs.len() / 8).max(64));
                }
                self.dirs.push(Some(dir));
                DirId(self.dirs.len() as u32 - 1)
            }
        }
    }

    fn add_top(&mut self, path: &Path, only: Option<Arc<[Box<[u8]>]>>) -> DirId {
        let id = self.add(Dir::default());
        self.tops.push(Top { path: path.to_path_buf(), id, only });
        id
    }

    /// Adds a root, or finds it.
    pub(crate) fn add_root(&mut self, path: &Path) -> DirId {
        self.root(path).unwrap_or_else(|| self.add_top(path, None))
    }

    /// Adds a directory of which only one name (and those that were added before) counts.
    pub(crate) fn add_point(&mut self, path: &Path, name: &[u8]) {
        for top in self.tops.iter_mut().filter(|top| top.path == path) {
            if let Some(only) = &mut top.only {
                let names: BTreeSet<_> = only.iter().cloned().chain([name.into()]).collect();
                *only = names.into_iter().collect();
                return;
            }
        }
        self.add_top(path, Some(Arc::from([Box::from(name)])));
    }

    /// Takes out a single name.
    pub(crate) fn remove_point(&mut self, path: &Path, name: &[u8]) {
        let is_it = |top: &Top| top.path == path && top.only.is_some();
        let Some(at) = self.tops.iter().position(is_it) else { return };
        let top = &mut self.tops[at];
        let left = top.only.iter().flat_map(|only| only.iter());
        let left: Arc<[_]> = left.filter(|known| ***known != *name).cloned().collect();
        let (id, empty) = (top.id, left.is_empty());
        top.only = Some(left);
        let record = self.dir_mut(id).and_then(|dir| dir.entries.remove(name));
        if empty {
            self.tops.swap_remove(at);
            self.free_below(id, &mut Vec::new(), &mut |_, _| {});
        }
        // Events were told of the single name: what the tree knows of it is older.
        let known = self.find(path).and_then(|dir| self.dir_mut(dir)?.entries.get_mut(name));
        if let (Some(known), Some(record)) = (known, record.filter(|record| !record.is_dir())) {
            *known = record;
        }
    }

    /// The only names that count in a directory, when that is so.
    pub(crate) fn only(&self, id: DirId) -> Option<Arc<[Box<[u8]>]>> {
        self.tops.iter().find(|top| top.id == id)?.only.clone()
    }

    /// Where trees begin, and the directories of single names.
    pub(crate) fn tops(&self) -> Vec<(PathBuf, DirId)> {
        self.tops.iter().map(|top| (top.path.clone(), top.id)).collect()
    }

    /// Takes out a root and all below it.
    pub(crate) fn remove_root(&mut self, path: &Path, gone: &mut dyn FnMut(&Path, &Record)) {
        let is_it = |top: &Top| top.path == path && top.only.is_none();
        if let Some(at) = self.tops.iter().position(is_it) {
            let Top { path, id, .. } = self.tops.swap_remove(at);
            self.free_below(id, &mut path.into_os_string().into_encoded_bytes(), gone);
        }
    }

    /// The root with exactly this path.
    pub(crate) fn root(&self, path: &Path) -> Option<DirId> {
        self.roots().find(|(root, _)| root.as_os_str() == path.as_os_str()).map(|(_, id)| id)
    }

    pub(crate) fn roots(&self) -> impl Iterator<Item = (&Path, DirId)> {
        self.tops.iter().filter(|top| top.only.is_none()).map(|top| (top.path.as_path(), top.id))
    }

    pub(crate) fn dir(&self, id: DirId) -> Option<&Dir> {
        self.dirs.get(id.0 as usize)?.as_ref()
    }

    pub(crate) fn dir_mut(&mut self, id: DirId) -> Option<&mut Dir> {
        self.dirs.get_mut(id.0 as usize)?.as_mut()
    }

    pub(crate) fn parent(&self, id: DirId) -> Option<DirId> {
        self.dir(id)?.parent.map(DirId)
    }

    /// The directory with this path.
    pub(crate) fn find(&self, path: &Path) -> Option<DirId> {
        let bytes = path.as_os_str().as_encoded_bytes();
        let (root, mut id) = self
            .roots()
            .filter(|(root, _)| is_below(bytes, root.as_os_str().as_encoded_bytes()))
            .max_by_key(|(root, _)| root.as_os_str().len())?;
        let rest = bytes.get(root.as_os_str().len()..).unwrap_or_default();
        for name in rest.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            id = DirId::of(self.dir(id)?.entries.get(name)?)?;
        }
        Some(id)
    }

    /// The directory that a path lies in, and its name there. A root lies nowhere.
    pub(crate) fn locate<'p>(&self, path: &'p Path) -> Option<(DirId, &'p [u8])> {
        let (parent, name) = split(path)?;
        let is_only = |only: &Arc<[Box<[u8]>]>| only.iter().any(|known| **known == *name);
        let point = self
            .tops
            .iter()
            .find(|top| top.only.as_ref().is_some_and(is_only) && top.path == parent);
        if let Some(point) = point {
            return Some((point.id, name));
        }
        if self.root(path).is_some() {
            return None;
        }
        Some((self.find(parent)?, name))
    }

    /// The record of a path that is not a root.
    pub(crate) fn record(&self, path: &Path) -> Option<&Record> {
        let (dir, name) = self.locate(path)?;
        self.dir(dir)?.entries.get(name)
    }

    pub(crate) fn record_mut(&mut self, path: &Path) -> Option<&mut Record> {
        let (dir, name) = self.locate(path)?;
        self.dir_mut(dir)?.entries.get_mut(name)
    }

    /// Adds a directory below another one that waits for its listing, or finds it.
    pub(crate) fn add_dir(&mut self, parent: DirId, name: &[u8]) -> DirId {
        let known = self.dir(parent).and_then(|dir| dir.entries.get(name)).and_then(DirId::of);
        if let Some(id) = known {
            return id;
        }
        let id = self.add(Dir { parent: Some(parent.0), ..Dir::default() });
        if let Some(dir) = self.dir_mut(parent) {
            dir.entries.insert(name, Record::directory(id.number()));
        }
        id
    }

    /// Makes the directory records of a listing that was just moved into `parent` into directories of the
    /// table; `each` gets the new directory and the number that the record had (its ticket).
    pub(crate) fn adopt(&mut self, parent: DirId, each: &mut dyn FnMut(DirId, u64)) {
        let Some(dir) = self.dir_mut(parent) else { return };
        let mut entries = std::mem::take(&mut dir.entries);
        entries.for_each_mut(|record| {
            if record.is_dir() {
                let ticket = record.number();
                let id = self.add(Dir { parent: Some(parent.0), ticket, ..Dir::default() });
                record.set_number(id.number());
                each(id, ticket);
            }
        });
        if let Some(dir) = self.dir_mut(parent) {
            dir.entries = entries;
        }
    }

    /// Takes out one entry, with all below it when it is a directory. `gone` gets every file.
    pub(crate) fn remove(
        &mut self,
        parent: DirId,
        name: &[u8],
        path: &Path,
        gone: &mut dyn FnMut(&Path, &Record),
    ) {
        let Some(record) = self.dir_mut(parent).and_then(|dir| dir.entries.remove(name)) else {
            return;
        };
        match DirId::of(&record) {
            Some(id) => {
                self.free_below(id, &mut path.as_os_str().as_encoded_bytes().to_vec(), gone)
            }
            None => gone(path, &record),
        }
    }

    fn free_below(&mut self, id: DirId, path: &mut Vec<u8>, gone: &mut dyn FnMut(&Path, &Record)) {
        let Some(dir) = self.dirs.get_mut(id.0 as usize).and_then(Option::take) else { return };
        self.free.push(id.0);
        for (name, record) in dir.entries.iter() {
            let length = path.len();
            path.push(b'/');
            path.extend_from_slice(name);
            match DirId::of(record) {
                Some(child) => self.free_below(child, path, gone),
                None => gone(Path::new(os_str(path)), record),
            }
            path.truncate(length);
        }
    }

    /// Calls `each` for every directory below a top (the top included), with its path.
    pub(crate) fn walk(&self, each: &mut dyn FnMut(&Path, DirId, &Dir)) {
        for Top { path, id, .. } in &self.tops {
            self.walk_from(*id, path, each);
        }
    }

    /// Calls `each` for a directory and every directory below it, with its path.
    pub(crate) fn walk_from(
        &self,
        id: DirId,
        path: &Path,
        each: &mut dyn FnMut(&Path, DirId, &Dir),
    ) {
        self.walk_below(id, &mut path.as_os_str().as_encoded_bytes().to_vec(), each);
    }

    /// Calls `each` for every directory at or below a path.
    pub(crate) fn each_below(&self, path: &Path, each: &mut dyn FnMut(DirId, &Dir)) {
        if let Some(id) = self.find(path) {
            self.walk_from(id, path, &mut |_, id, dir| each(id, dir));
        }
    }

    /// The files at or below a path.
    pub(crate) fn files_below(&self, path: &Path) -> usize {
        let mut files = 0;
        self.each_below(path, &mut |_, dir| {
            files += dir.entries.iter().filter(|(_, record)| !record.is_dir()).count();
        });
        files
    }

    fn walk_below(&self, id: DirId, path: &mut Vec<u8>, each: &mut dyn FnMut(&Path, DirId, &Dir)) {
        let Some(dir) = self.dir(id) else { return };
        each(Path::new(os_str(path)), id, dir);
        for (name, record) in dir.entries.iter() {
            if let Some(child) = DirId::of(record) {
                let length = path.len();
                path.push(b'/');
                path.extend_from_slice(name);
                self.walk_below(child, path, each);
                path.truncate(length);
            }
        }
    }

    /// The path of a directory.
    pub(crate) fn path(&self, id: DirId) -> Option<PathBuf> {
        let mut names: Vec<&[u8]> = Vec::new();
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            let entries = &self.dir(parent)?.entries;
            names.push(entries.iter().find(|(_, record)| DirId::of(record) == Some(at))?.0);
            at = parent;
        }
        let mut path = self.tops.iter().find(|top| top.id == at)?.path.clone();
        path.extend(names.iter().rev().map(|name| os_str(name)));
        Some(path)
    }

    /// How many places there are, used and unused: for going through all of them piece by piece.
    pub(crate) fn places(&self) -> usize {
        self.dirs.len()
    }

    /// The directory in a place.
    pub(crate) fn place(&self, place: usize) -> Option<DirId> {
        self.dirs.get(place)?.as_ref().map(|_| DirId(place as u32))
    }

    /// Directories in the table.
    pub(crate) fn directories(&self) -> usize {
        self.dirs.len() - self.free.len() - (self.tops.len() - self.roots().count())
    }

    /// Directories that no events tell of.
    pub(crate) fn polled(&self) -> usize {
        self.dirs.iter().flatten().filter(|dir| dir.polled).count()
    }

    /// Files in the table; counted, which takes a look at every directory.
    #[cfg(test)]
    pub(crate) fn files(&self) -> usize {
        let all = self.dirs.iter().flatten().map(|dir| dir.entries.len()).sum::<usize>();
        all.saturating_sub(self.directories() - self.roots().count())
    }
}

/// The directory that a path lies in, and its name there. For each event: hence by bytes, where that is enough.
pub(super) fn split(path: &Path) -> Option<(&Path, &[u8])> {
    let bytes = path.as_os_str().as_encoded_bytes();
    match bytes.iter().rposition(|byte| *byte == b'/').map(|at| bytes.split_at(at)) {
        Some((parent @ [_, ..], [_, name @ ..])) if !matches!(name, b"" | b"." | b"..") => {
            Some((Path::new(os_str(parent)), name))
        }
        _ => Some((path.parent()?, path.file_name()?.as_encoded_bytes())),
    }
}

/// Whether a path is `base` or below it. Bytes, because comparing components is slow.
pub(crate) fn is_below(path: &[u8], base: &[u8]) -> bool {
    path.starts_with(base)
        && (path.len() == base.len() || base == b"/" || path.get(base.len()) == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Record {
        Record::file(
            &crate::sys::files::Stat {
                kind: crate::model::EntryKind::File,
                size: 1,
                mtime: 1,
                ctime: 1,
                ino: 1,
                dev: 1,
                links: 1,
            },
            0,
        )
    }

    #[test]
    fn a_directory_takes_little() {
        assert!(size_of::<Option<Dir>>() <= 80, "{}", size_of::<Option<Dir>>());
    }

    #[test]
    fn paths_are_found_from_the_longest_root() {
        let mut table = Table::default();
        let outer = table.add_root(Path::new("/r"));
        let inner = table.add_root(Path::new("/r/ignored/in"));
        let a = table.add_dir(outer, b"a");
        let b = table.add_dir(a, b"b");
        assert_eq!(table.add_dir(a, b"b"), b, "known directories are found, not made");
        let cases: [(&str, Option<DirId>); 8] = [
            ("/r", Some(outer)),
            ("/r/a", Some(a)),
            ("/r/a/b", Some(b)),
            ("/r/a/b/c", None),
            ("/r2", None),
            ("/r/ignored", None),
            ("/r/ignored/in", Some(inner)),
            ("/", None),
        ];
        for (path, id) in cases {
            assert_eq!(table.find(Path::new(path)), id, "{path}");
        }
        assert_eq!(table.path(b).as_deref(), Some(Path::new("/r/a/b")));
        assert_eq!(table.path(inner).as_deref(), Some(Path::new("/r/ignored/in")));
        assert_eq!(table.locate(Path::new("/r/a/x")), Some((a, &b"x"[..])));
        assert_eq!(table.locate(Path::new("/r")), None);
        assert_eq!(table.directories(), 4);
    }

    #[test]
    fn the_root_of_the_file_system_is_a_root_like_others() {
        let mut table = Table::default();
        let root = table.add_root(Path::new("/"));
        let etc = table.add_dir(root, b"etc");
        assert_eq!(table.find(Path::new("/etc")), Some(etc));
        assert_eq!(table.path(etc).as_deref(), Some(Path::new("/etc")));
        assert_eq!(table.locate(Path::new("/etc/passwd")), Some((etc, &b"passwd"[..])));
    }

    #[test]
    fn removing_a_directory_names_every_file_below_and_frees_the_places() {
        let mut table = Table::default();
        let root = table.add_root(Path::new("/r"));
        let a = table.add_dir(root, b"a");
        let b = table.add_dir(a, b"b");
        for (dir, name) in [(root, "x"), (a, "y"), (b, "z")] {
            if let Some(dir) = table.dir_mut(dir) {
                dir.entries.insert(name.as_bytes(), file());
            }
        }
        assert_eq!((table.directories(), table.files()), (3, 3));
        let mut gone = Vec::new();
        table.remove(root, b"a", Path::new("/r/a"), &mut |path, _| gone.push(path.to_owned()));
        gone.sort();
        assert_eq!(gone, [Path::new("/r/a/b/z"), Path::new("/r/a/y")]);
        assert_eq!((table.directories(), table.files()), (1, 1));
        assert_eq!(table.places(), 3);
        table.add_dir(root, b"c");
        assert_eq!(table.places(), 3, "places are used again");
    }

    #[test]
    fn a_prefix_of_a_name_is_not_above_it() {
        for (path, base, below) in [
            ("/a/b", "/a", true),
            ("/a", "/a", true),
            ("/ab", "/a", false),
            ("/a", "/", true),
            ("/", "/", true),
            ("/a", "/a/b", false),
        ] {
            assert_eq!(is_below(path.as_bytes(), base.as_bytes()), below, "{path} {base}");
        }
    }
}
