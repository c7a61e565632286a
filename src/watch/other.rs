//! The system calls of the engine elsewhere than on Linux, with the standard library. The names are those of
//! the Linux file.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the engine's access to the file system on this platform"
)]

use std::ffi::OsStr;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::UnboundedSender;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::filesystem::FileSystem;
use super::message::Message;
use super::stat::Stat;
use crate::filter::EntryKind;

/// The clock that the system stamps files with, in nanoseconds since 1970. A margin, because a file's time
/// may come from a coarser clock and be a little older.
pub(crate) fn file_clock() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX).saturating_sub(10_000_000)
}

fn kind_of(kind: FileType) -> EntryKind {
    if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_file() {
        EntryKind::File
    } else if kind.is_symlink() {
        EntryKind::Link
    } else {
        EntryKind::Other
    }
}

fn convert(metadata: &Metadata) -> Stat {
    let nanoseconds =
        |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
    Stat {
        kind: kind_of(metadata.file_type()),
        size: metadata.size(),
        mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        ino: metadata.ino(),
        dev: metadata.dev(),
        links: metadata.nlink(),
    }
}

/// The state of a path; a link itself, not what it leads to.
pub(crate) fn lstat(path: &Path) -> io::Result<Stat> {
    Ok(convert(&std::fs::symlink_metadata(path)?))
}

/// The state of what a path leads to.
pub(crate) fn stat(path: &Path) -> io::Result<Stat> {
    Ok(convert(&std::fs::metadata(path)?))
}

/// Whether a directory can be listed.
pub(crate) fn can_list(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok()
}

/// A directory, by its path.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// A directory; a link to one only when `follow`.
    pub(crate) fn open(path: &Path, follow: bool) -> io::Result<Self> {
        let stat = if follow { stat(path)? } else { lstat(path)? };
        if stat.is_dir() {
            Ok(Self(path.to_path_buf()))
        } else {
            Err(io::Error::from_raw_os_error(libc::ENOTDIR))
        }
    }

    /// The state of the directory itself.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        stat(&self.0)
    }

    /// The state of an entry.
    pub(crate) fn lstat(&self, name: &[u8]) -> io::Result<Stat> {
        lstat(&self.0.join(OsStr::from_bytes(name)))
    }

    /// Calls `each` for every entry, with its kind where the file system tells it for free.
    pub(crate) fn read(
        &self,
        _buffer: &mut Vec<u8>,
        mut each: impl FnMut(&[u8], Option<EntryKind>),
    ) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            each(entry.file_name().as_bytes(), entry.file_type().ok().map(kind_of));
        }
        Ok(())
    }

    /// The first `limit` bytes of a regular file in the directory.
    pub(crate) fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        read_file(&self.0.join(OsStr::from_bytes(name)), limit)
    }

    /// The kind of file system that the directory is on: the system's own events are relied on.
    pub(crate) fn filesystem(&self) -> FileSystem {
        FileSystem::Local
    }
}

/// The whole of a regular file, up to `limit` bytes; a FIFO is never waited for.
pub(crate) fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_fifo() || !kind.is_file() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The hash of a path's content and its state *after* the reading: of a regular file of at most `limit`
/// bytes, or of where a link leads. `None` for everything else and for what cannot be read.
pub(crate) fn hash(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> Option<(u64, Stat)> {
    let before = lstat(path).ok()?;
    if before.kind == EntryKind::Link {
        let target = std::fs::read_link(path).ok()?;
        return Some((xxh3_64(target.as_os_str().as_bytes()).max(1), before));
    }
    if before.kind != EntryKind::File || before.size > limit {
        return None;
    }
    let mut file = File::open(path).ok()?.take(limit.saturating_add(1));
    buffer.resize(64 * 1024, 0);
    let mut hasher = Xxh3Default::new();
    loop {
        match file.read(buffer.as_mut_slice()).ok()? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    let after = convert(&file.into_inner().metadata().ok()?);
    (after.size <= limit).then(|| (hasher.digest().max(1), after))
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

/// Mounts are not watched here.
pub(crate) fn watch_mounts(_to: UnboundedSender<Message>) -> Option<MountGuard> {
    None
}

/// Mounts are not known here.
pub(crate) fn mounts() -> Vec<(u64, PathBuf)> {
    Vec::new()
}
