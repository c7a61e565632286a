//! Files and directories: states, listings, contents. Entries are looked at relative to their directory's
//! descriptor, and a FIFO is never waited for.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use xxhash_rust::xxh3::xxh3_64;

use crate::model::EntryKind;
use crate::sys::os::{filesystem, listing};

/// The state of one path at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: EntryKind,
    /// Its length in bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i64,
    /// Change time, nanoseconds since 1970. It moves also when the mtime is set back or kept (`mv`, `cp -p`).
    pub ctime: i64,
    /// The number of the file on its device.
    pub ino: u64,
    /// The device.
    pub dev: u64,
    /// Number of hard links.
    pub links: u64,
}

impl Stat {
    /// A fingerprint of everything that differs when the path was changed or replaced.
    #[must_use]
    pub fn print(&self) -> u32 {
        let mut bytes = [0u8; 40];
        let fields = [self.size, self.mtime as u64, self.ctime as u64, self.ino, self.kind as u64];
        for (slot, field) in bytes.chunks_exact_mut(8).zip(fields) {
            slot.copy_from_slice(&field.to_le_bytes());
        }
        xxh3_64(&bytes) as u32
    }

    /// Device and inode: which file it is.
    #[must_use]
    pub fn id(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == EntryKind::Directory
    }
}

/// A time of the system in nanoseconds.
pub(in crate::sys) fn nanoseconds(seconds: i64, nanos: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
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
pub(in crate::sys) fn known_kind(kind: FileType) -> Option<EntryKind> {
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
///
/// # Errors
/// See lstat(2).
pub fn lstat(path: &Path) -> io::Result<Stat> {
    Ok(convert(&rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?))
}

/// The state of what a path leads to.
///
/// # Errors
/// See stat(2).
pub fn stat(path: &Path) -> io::Result<Stat> {
    Ok(convert(&rustix::fs::statat(CWD, path, AtFlags::empty())?))
}

/// Whether a directory can be listed and its entries be looked at.
#[must_use]
pub fn can_list(path: &Path) -> bool {
    rustix::fs::accessat(CWD, path, Access::READ_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// Where a link points; `None` for everything else.
#[must_use]
pub fn link_target(path: &Path) -> Option<Vec<u8>> {
    rustix::fs::readlinkat(CWD, path, Vec::new()).ok().map(std::ffi::CString::into_bytes)
}

/// An open directory.
#[derive(Debug)]
pub struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory; a link to one only when `follow`.
    ///
    /// # Errors
    /// See open(2).
    pub fn open(path: &Path, follow: bool) -> io::Result<Self> {
        let mut flags = OFlags::DIRECTORY;
        if !follow {
            flags |= OFlags::NOFOLLOW;
        }
        Ok(Self(listing::open(path, flags)?))
    }

    /// The state of the directory itself.
    ///
    /// # Errors
    /// See fstat(2).
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(convert(&rustix::fs::fstat(&self.0)?))
    }

    /// The state of an entry.
    ///
    /// # Errors
    /// See lstat(2).
    pub fn lstat(&self, name: &[u8]) -> io::Result<Stat> {
        let name = OsStr::from_bytes(name);
        Ok(convert(&rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Calls `each` for every entry, with its kind where the file system tells it for free. `buffer` is
    /// scratch space.
    ///
    /// # Errors
    /// See getdents(2).
    pub fn read(
        &self,
        buffer: &mut Vec<u8>,
        each: impl FnMut(&[u8], Option<EntryKind>),
    ) -> io::Result<()> {
        listing::entries(&self.0, buffer, each)
    }

    /// The first `limit` bytes of a regular file in the directory.
    ///
    /// # Errors
    /// When it can't be read or is no regular file.
    pub fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.0, OsStr::from_bytes(name), flags, Mode::empty())?;
        read_regular(&file, limit)
    }

    /// The file system that the directory is on, when it is one that may not tell of every change.
    #[must_use]
    pub fn filesystem(&self) -> Option<&'static str> {
        filesystem::name(&self.0)
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

/// The first `limit` bytes of a regular file.
///
/// # Errors
/// When it can't be read or is no regular file.
pub fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    read_regular(&rustix::fs::openat(CWD, path, flags, Mode::empty())?, limit)
}

/// What was found where a file was to be opened.
#[derive(Debug)]
pub enum Opened {
    /// Something that can be opened.
    File(File),
    /// A link, which is not followed.
    Link,
}

/// A file that is open for reading, or a pipe, a socket, a terminal.
#[derive(Debug)]
pub struct File(OwnedFd);

impl File {
    /// Opens without waiting; a link is not followed.
    ///
    /// # Errors
    /// See open(2).
    pub fn open(path: &Path) -> io::Result<Opened> {
        match listing::open(path, OFlags::NONBLOCK | OFlags::NOFOLLOW) {
            Ok(file) => Ok(Opened::File(Self(file))),
            Err(Errno::LOOP) => Ok(Opened::Link),
            Err(error) => Err(error.into()),
        }
    }

    /// Its state.
    ///
    /// # Errors
    /// See fstat(2).
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(convert(&rustix::fs::fstat(&self.0)?))
    }

    /// Reads up to `most` bytes from a place into the emptied buffer, which is not cleared first: that takes longer
    /// than the reading. Only regular files have places: from others nothing is taken.
    ///
    /// # Errors
    /// See pread(2).
    pub fn read_at(&self, at: u64, most: usize, buffer: &mut Vec<u8>) -> io::Result<u64> {
        buffer.clear();
        buffer.reserve(most);
        Ok(rustix::io::pread(&self.0, spare_capacity(buffer), at)? as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_tells_a_change_is_in_the_fingerprint() {
        let base =
            Stat { kind: EntryKind::File, size: 1, mtime: 2, ctime: 3, ino: 4, dev: 5, links: 1 };
        let others = [
            Stat { size: 2, ..base },
            Stat { mtime: 3, ..base },
            Stat { ctime: 4, ..base },
            Stat { ino: 5, ..base },
            Stat { kind: EntryKind::Link, ..base },
        ];
        for other in others {
            assert_ne!(base.print(), other.print(), "{other:?}");
        }
        assert_eq!(base.print(), Stat { links: 2, ..base }.print());
    }
}
