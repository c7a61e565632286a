//! The system calls of the engine that every Unix has: entries are looked at relative to their directory's
//! descriptor, and a FIFO is never waited for.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::filesystem::FileSystem;
use super::os;
use super::stat::Stat;
use crate::filter::EntryKind;

/// One number of a time of the system.
pub(super) fn nanoseconds(seconds: i64, nanos: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// The CPU time of the calling thread so far.
pub(crate) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

fn kind_of(kind: FileType) -> EntryKind {
    match kind {
        FileType::Directory => EntryKind::Directory,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}

/// What a listing says about an entry, unless the file system leaves it open.
pub(super) fn known_kind(kind: FileType) -> Option<EntryKind> {
    (kind != FileType::Unknown).then(|| kind_of(kind))
}

#[expect(clippy::unnecessary_cast, reason = "the fields have other widths on other architectures")]
fn convert(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        size: stat.st_size as u64,
        mtime: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        ctime: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        ino: stat.st_ino as u64,
        dev: stat.st_dev as u64,
        links: stat.st_nlink as u64,
    }
}

/// The state of a path; a link itself, not what it leads to.
pub(crate) fn lstat(path: &Path) -> io::Result<Stat> {
    Ok(convert(&rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?))
}

/// The state of what a path leads to.
pub(crate) fn stat(path: &Path) -> io::Result<Stat> {
    Ok(convert(&rustix::fs::statat(CWD, path, AtFlags::empty())?))
}

/// Whether a directory can be listed and its entries be looked at.
pub(crate) fn can_list(path: &Path) -> bool {
    use rustix::fs::Access;
    rustix::fs::accessat(CWD, path, Access::READ_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory; a link to one only when `follow`.
    pub(crate) fn open(path: &Path, follow: bool) -> io::Result<Self> {
        let mut flags = OFlags::DIRECTORY;
        if !follow {
            flags |= OFlags::NOFOLLOW;
        }
        Ok(Self(os::open(path, flags)?))
    }

    /// The state of the directory itself.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        Ok(convert(&rustix::fs::fstat(&self.0)?))
    }

    /// The state of an entry.
    pub(crate) fn lstat(&self, name: &[u8]) -> io::Result<Stat> {
        let name = OsStr::from_bytes(name);
        Ok(convert(&rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Calls `each` for every entry, with its kind where the file system tells it for free. `buffer` is
    /// scratch space of at least 4 KiB.
    pub(crate) fn read(
        &self,
        buffer: &mut Vec<u8>,
        each: impl FnMut(&[u8], Option<EntryKind>),
    ) -> io::Result<()> {
        os::entries(&self.0, buffer, each)
    }

    /// The first `limit` bytes of a regular file in the directory.
    pub(crate) fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.0, OsStr::from_bytes(name), flags, Mode::empty())?;
        read_regular(&file, limit)
    }

    /// The kind of file system that the directory is on.
    pub(crate) fn filesystem(&self) -> FileSystem {
        os::filesystem(&self.0)
    }
}

fn read_regular(file: &OwnedFd, limit: usize) -> io::Result<Vec<u8>> {
    let stat = convert(&rustix::fs::fstat(file)?);
    if stat.kind != EntryKind::File {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut bytes = vec![0; limit.min(usize::try_from(stat.size).unwrap_or(limit))];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::io::read(file, &mut bytes[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The whole of a regular file, up to `limit` bytes; a FIFO is never waited for.
pub(crate) fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    read_regular(&rustix::fs::openat(CWD, path, flags, Mode::empty())?, limit)
}

/// The hash of a path's content and its state *after* the reading: of a regular file of at most `limit`
/// bytes, or of where a link leads. `None` for everything else and for what cannot be read.
pub(crate) fn hash(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> Option<(u64, Stat)> {
    let file = match os::open(path, OFlags::NONBLOCK | OFlags::NOFOLLOW) {
        Ok(file) => file,
        Err(rustix::io::Errno::LOOP) => return hash_link(path),
        Err(_) => return None,
    };
    let mut found = None;
    for _ in 0..TRIES {
        let (hash, length, stat) = hash_open(&file, limit, buffer)?;
        found = Some((hash, stat));
        if length == stat.size {
            break;
        }
    }
    found
}

/// So much is read at once.
const PIECE: usize = 64 * 1024;

/// What is not as long as its state says has been written to meanwhile: the bytes of one moment, the state of
/// another. It is read again so often. (In `/proc` a file may be longer than it says.)
const TRIES: usize = 8;

/// The hash and the length of what is in an open file, and its state after that. A pipe, a socket or a terminal is
/// not read from: pread(2) has no place there.
fn hash_open(file: &OwnedFd, limit: u64, buffer: &mut Vec<u8>) -> Option<(u64, u64, Stat)> {
    let mut length = read_piece(file, buffer, 0).ok()?;
    let stat = convert(&rustix::fs::fstat(file).ok()?);
    if stat.kind != EntryKind::File || stat.size > limit {
        return None;
    }
    if length == stat.size {
        // In one piece, as nearly always.
        return Some((xxh3_64(buffer).max(1), length, stat));
    }
    let mut hasher = Xxh3Default::new();
    while !buffer.is_empty() {
        hasher.update(buffer);
        if length > limit {
            return None;
        }
        length += read_piece(file, buffer, length).ok()?;
    }
    let stat = convert(&rustix::fs::fstat(file).ok()?);
    Some((hasher.digest().max(1), length, stat))
}

/// Reads the next piece into an empty buffer, which is not cleared first: that took longer than the reading.
fn read_piece(file: &OwnedFd, buffer: &mut Vec<u8>, at: u64) -> rustix::io::Result<u64> {
    buffer.clear();
    buffer.reserve(PIECE);
    Ok(rustix::io::pread(file, spare_capacity(buffer), at)? as u64)
}

fn hash_link(path: &Path) -> Option<(u64, Stat)> {
    let target = rustix::fs::readlinkat(CWD, path, Vec::new()).ok()?;
    let stat = lstat(path).ok()?;
    (stat.kind == EntryKind::Link).then(|| (xxh3_64(target.as_bytes()).max(1), stat))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_is_neither_read_nor_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(hash(&path, 1 << 20, &mut Vec::new()).is_none());
        assert!(read_file(&path, 100).is_err());
    }

    #[test]
    fn bytes_and_state_are_of_one_moment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let hash_of = |text: &str| xxh3_64(text.as_bytes()).max(1);
        std::fs::write(&path, "two").unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        let ordering = std::sync::atomic::Ordering::Relaxed;
        let torn = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(ordering) {
                    std::fs::write(&path, "two").unwrap();
                }
            });
            let torn = (0..20_000)
                .filter_map(|_| hash(&path, 1 << 20, &mut Vec::new()))
                .filter(|(hash, stat)| *hash != hash_of(if stat.size == 0 { "" } else { "two" }))
                .count();
            done.store(true, ordering);
            torn
        });
        assert_eq!(torn, 0);
    }

    #[test]
    fn a_link_has_the_hash_of_where_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link");
        let hash_of = |target: &str| {
            let _ = rustix::fs::unlink(&path);
            rustix::fs::symlink(target, &path).unwrap();
            hash(&path, 1 << 20, &mut Vec::new()).unwrap().0
        };
        assert_eq!(hash_of("a"), hash_of("a"));
        assert_ne!(hash_of("a"), hash_of("b"));
    }
}
