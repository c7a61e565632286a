//! What the engine asks of other Unix systems than Linux, macOS above all. The names are those of the Linux
//! file.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, Mode, OFlags};
use rustix::time::ClockId;

use super::filesystem::FileSystem;
use super::unix::{self, known_kind};
use crate::filter::EntryKind;

#[path = "other/names.rs"]
mod names;

pub(crate) use unix::{Directory, can_list, hash, lstat, read_file, stat, thread_time};

/// Events come for whole trees.
pub(crate) const BY_DIRECTORY: bool = false;

/// A file's time may come from a coarser clock than ours and be so much older, in nanoseconds.
const MARGIN: i64 = 10_000_000;

/// The clock that the system stamps files with, in nanoseconds since 1970.
pub(crate) fn file_clock() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::Realtime);
    unix::nanoseconds(time.tv_sec, time.tv_nsec).saturating_sub(MARGIN)
}

/// How often the calling thread has gone to sleep: nothing tells here, and no event comes by directory.
pub(super) fn sleeps() -> u64 {
    0
}

/// Opens for reading.
pub(super) fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC | flags, Mode::empty())
}

/// Calls `each` for every entry of a directory, with its kind where the file system tells it for free.
pub(super) fn entries(
    directory: &OwnedFd,
    _buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], Option<EntryKind>),
) -> io::Result<()> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            each(name, known_kind(entry.file_type()));
        }
    }
    Ok(())
}

/// The kind of file system that something open is on.
#[cfg(target_vendor = "apple")]
pub(super) fn filesystem(fd: &OwnedFd) -> FileSystem {
    let Ok(info) = rustix::fs::fstatfs(fd) else { return FileSystem::Local };
    let name: Vec<u8> =
        info.f_fstypename.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    names::filesystem(&name)
}

/// The kind of file system that something open is on: told differently by every system.
#[cfg(not(target_vendor = "apple"))]
pub(super) fn filesystem(_fd: &OwnedFd) -> FileSystem {
    names::filesystem(b"")
}

/// There is no such limit here.
pub(crate) fn watch_limit() -> Option<u64> {
    None
}

/// There is no such limit here.
pub(crate) fn instance_limit() -> Option<u64> {
    None
}

/// There are no such watches here.
pub(crate) fn watches_held(_pid: Option<u32>) -> Option<u64> {
    None
}

/// The length of the event queue is not known here.
pub(crate) fn queue_length() -> Option<u64> {
    None
}

/// The allocator is left alone here.
pub(crate) fn share_heaps() {}

/// The allocator is left alone here.
pub(crate) fn trim_heaps() {}

/// Lets everything else go first: not possible for one thread here.
pub(crate) fn lower_priority() {}

/// Nothing to end.
#[derive(Debug)]
pub(crate) struct MountGuard;

/// The table of mounts is not watched here: FSEvents tells what is mounted in a tree like any change.
pub(crate) fn watch_mounts(_tell: impl FnMut() -> bool + Send + 'static) -> Option<MountGuard> {
    None
}

/// Mounts are not known here.
pub(crate) fn mounts() -> Vec<(u64, PathBuf)> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_every_entry_with_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        std::fs::create_dir(dir.path().join("dir")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        let mut found = Vec::new();
        let directory = open(dir.path(), OFlags::DIRECTORY).unwrap();
        // Twice: a listing must not move the descriptor that the next one begins at.
        for _ in 0..2 {
            found.clear();
            let each = |name: &[u8], kind| found.push((name.to_vec(), kind));
            entries(&directory, &mut Vec::new(), each).unwrap();
            found.sort_by(|a, b| a.0.cmp(&b.0));
            let expected = [
                (b"dir".to_vec(), Some(EntryKind::Directory)),
                (b"file".to_vec(), Some(EntryKind::File)),
                (b"link".to_vec(), Some(EntryKind::Link)),
            ];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_file_is_never_older_than_the_clock_before_it() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..200 {
            let before = file_clock();
            let path = dir.path().join(n.to_string());
            std::fs::write(&path, "x").unwrap();
            assert!(lstat(&path).unwrap().ctime >= before);
        }
    }
}
