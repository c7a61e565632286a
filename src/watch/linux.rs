//! The system calls of the engine on Linux: directories are read with `getdents`, their entries are looked
//! at relative to the directory's descriptor.
#![cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "no crate wraps mallopt and malloc_trim")
)]

use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::time::ClockId;
use xxhash_rust::xxh3::Xxh3Default;

use tokio::sync::mpsc::UnboundedSender;

use super::filesystem::FileSystem;
use super::message::{Inner, Message};
use super::stat::Stat;
use crate::filter::EntryKind;

/// The clock that the kernel stamps files with, in nanoseconds since 1970.
pub(crate) fn file_clock() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::RealtimeCoarse);
    nanoseconds(time.tv_sec, time.tv_nsec)
}

fn nanoseconds(seconds: i64, nanos: i64) -> i64 {
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

/// Opens for reading, leaving no trace in the access time where that is allowed (for the owner).
fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | flags;
    match rustix::fs::openat(CWD, path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(rustix::io::Errno::PERM) => rustix::fs::openat(CWD, path, flags, Mode::empty()),
        result => result,
    }
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
        Ok(Self(open(path, flags)?))
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
        mut each: impl FnMut(&[u8], Option<EntryKind>),
    ) -> io::Result<()> {
        buffer.clear();
        buffer.reserve(32 * 1024);
        let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
        let mut entries = RawDir::new(&self.0, spare);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            let name = name.to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => None,
                kind => Some(kind_of(kind)),
            };
            each(name, kind);
        }
        Ok(())
    }

    /// The first `limit` bytes of a regular file in the directory.
    pub(crate) fn read_file(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.0, OsStr::from_bytes(name), flags, Mode::empty())?;
        read_regular(&file, limit)
    }

    /// The kind of file system that the directory is on.
    pub(crate) fn filesystem(&self) -> FileSystem {
        rustix::fs::fstatfs(&self.0)
            .map_or(FileSystem::Local, |info| FileSystem::from_magic(info.f_type as u64))
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
    let file = match open(path, OFlags::NONBLOCK | OFlags::NOFOLLOW) {
        Ok(file) => file,
        Err(rustix::io::Errno::LOOP) => return hash_link(path),
        Err(_) => return None,
    };
    let before = convert(&rustix::fs::fstat(&file).ok()?);
    if before.kind != EntryKind::File || before.size > limit {
        return None;
    }
    buffer.resize(64 * 1024, 0);
    let mut hasher = Xxh3Default::new();
    let mut total = 0;
    loop {
        match rustix::io::read(&file, buffer.as_mut_slice()).ok()? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
        total += buffer.len() as u64;
        if total > limit.saturating_add(buffer.len() as u64) {
            return None;
        }
    }
    let after = convert(&rustix::fs::fstat(&file).ok()?);
    Some((hasher.digest().max(1), after))
}

fn hash_link(path: &Path) -> Option<(u64, Stat)> {
    let target = rustix::fs::readlinkat(CWD, path, Vec::new()).ok()?;
    let stat = lstat(path).ok()?;
    (stat.kind == EntryKind::Link)
        .then(|| (xxhash_rust::xxh3::xxh3_64(target.as_bytes()).max(1), stat))
}

/// The kernel's limits for event watches: what is allowed, by the sysctl of that name.
pub(crate) fn watch_limit() -> Option<u64> {
    let paths = ["/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"];
    paths.iter().filter_map(|path| number(path)).min()
}

/// The kernel's limit for event queues of one user.
pub(crate) fn instance_limit() -> Option<u64> {
    let paths = ["/proc/sys/fs/inotify/max_user_instances", "/proc/sys/user/max_inotify_instances"];
    paths.iter().filter_map(|path| number(path)).min()
}

/// The event watches that a process holds; without one, all processes of this user that can be looked at.
pub(crate) fn watches_held(pid: Option<u32>) -> Option<u64> {
    match pid {
        Some(pid) => watches_of(Path::new(&format!("/proc/{pid}"))),
        None => {
            let ours = rustix::process::geteuid().as_raw();
            let mut total = 0;
            Directory::open(Path::new("/proc"), false)
                .ok()?
                .read(&mut Vec::new(), |name, _| {
                    let path = Path::new("/proc").join(OsStr::from_bytes(name));
                    let process = name.iter().all(u8::is_ascii_digit)
                        && rustix::fs::statat(CWD, &path, AtFlags::empty())
                            .is_ok_and(|stat| stat.st_uid == ours);
                    total += process.then(|| watches_of(&path)).flatten().unwrap_or(0);
                })
                .ok()?;
            Some(total)
        }
    }
}

/// proc_pid_fdinfo(5): one line `inotify wd:…` for each watch.
fn watches_of(process: &Path) -> Option<u64> {
    let descriptors = process.join("fd");
    let mut count = 0;
    let mut each = |name: &[u8], _| {
        let name = OsStr::from_bytes(name);
        let target = rustix::fs::readlinkat(CWD, descriptors.join(name), Vec::new());
        if target.is_ok_and(|target| target.as_bytes() == b"anon_inode:inotify") {
            let text = read_whole(&process.join("fdinfo").join(name));
            let lines = text.split(|byte| *byte == b'\n');
            count += lines.filter(|line| line.starts_with(b"inotify ")).count() as u64;
        }
    };
    Directory::open(&descriptors, false).ok()?.read(&mut Vec::new(), &mut each).ok()?;
    Some(count)
}

/// The length of an event queue.
pub(crate) fn queue_length() -> Option<u64> {
    number("/proc/sys/fs/inotify/max_queued_events")
}

fn number(path: &str) -> Option<u64> {
    let fd = rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut buffer = [0u8; 32];
    let n = rustix::io::read(&fd, &mut buffer[..]).ok()?;
    std::str::from_utf8(&buffer[..n]).ok()?.trim().parse().ok()
}

/// Keeps the threads of the walk from taking a heap each: at 20,000 directories that is 3 MB of 20.
pub(crate) fn share_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number that the allocator reads when a thread allocates for the first time; it takes
    // its own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives back what a large walk has freed.
pub(crate) fn trim_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes the allocator's own locks and touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Lets everything else go first.
pub(crate) fn lower_priority() {
    // Refused: then it runs like everything else.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
}

/// Ends the thread that watches the mounts when it is dropped.
#[derive(Debug)]
pub(crate) struct MountGuard {
    _end: OwnedFd,
}

/// Sends a message whenever the table of mounts changes. No wake-ups otherwise.
pub(crate) fn watch_mounts(to: UnboundedSender<Message>) -> Option<MountGuard> {
    use rustix::event::{PollFd, PollFlags, poll};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let table = rustix::fs::openat(CWD, "/proc/self/mountinfo", flags, Mode::empty()).ok()?;
    let (ended, end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok()?;
    let work = move || {
        loop {
            let mut fds =
                [PollFd::new(&table, PollFlags::PRI), PollFd::new(&ended, PollFlags::empty())];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            if !fds[1].revents().is_empty() {
                return;
            }
            let changed = fds[0].revents().intersects(PollFlags::PRI | PollFlags::ERR);
            if changed && to.send(Message(Inner::Mounts)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("gw-mounts".into()).spawn(work).ok()?;
    Some(MountGuard { _end: end })
}

/// All mounts: their numbers and where they are.
pub(crate) fn mounts() -> Vec<(u64, PathBuf)> {
    let text = read_whole(Path::new("/proc/self/mountinfo"));
    text.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// What there is to read in a file that does not know its size; nothing where there is none.
fn read_whole(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(CWD, path, flags, Mode::empty()) else { return text };
    let mut buffer = [0u8; 4096];
    while let Ok(n) = rustix::io::read(&file, &mut buffer[..]) {
        if n == 0 {
            break;
        }
        text.extend_from_slice(&buffer[..n]);
    }
    text
}

/// One line: `36 35 98:0 /mnt1 /mnt2 rw,noatime …`; the fifth field is where it is, with octal escapes.
fn mount(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let escaped = fields.nth(3)?;
    let mut point = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = (byte == b'\\').then(|| after.get(..3)).flatten();
        let value = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match value {
            Some(value) => {
                point.push(value);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                point.push(byte);
                rest = after;
            }
        }
    }
    Some((number, PathBuf::from(OsStr::from_bytes(&point))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_with_its_escapes() {
        let line = b"36 35 98:0 /mnt1 /a\\040b\\012c\\134 rw,noatime master:1 - ext3 /dev/root rw";
        assert_eq!(mount(line), Some((36, PathBuf::from("/a b\nc\\"))));
        assert_eq!(mount(b""), None);
    }

    #[test]
    fn a_fifo_is_neither_read_nor_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(hash(&path, 1 << 20, &mut Vec::new()).is_none());
        assert!(read_file(&path, 100).is_err());
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
