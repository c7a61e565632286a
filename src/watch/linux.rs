//! What the engine asks of Linux beyond what every Unix has: `getdents`, inotify's limits, the table of mounts.
#![expect(unsafe_code, reason = "no crate wraps getrusage, mallopt and malloc_trim")]

use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir};
use rustix::time::ClockId;

use super::filesystem::FileSystem;
use super::unix::{self, known_kind};
use crate::filter::EntryKind;

#[path = "linux/magic.rs"]
mod magic;
#[path = "linux/mountinfo.rs"]
mod mountinfo;

pub(crate) use unix::{Directory, can_list, hash, lstat, read_file, stat, thread_time};

/// Events come by inotify: one watch for each directory. (Elsewhere they come for whole trees.)
pub(crate) const BY_DIRECTORY: bool = true;

/// The clock that the kernel stamps files with, in nanoseconds since 1970.
pub(crate) fn file_clock() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::RealtimeCoarse);
    unix::nanoseconds(time.tv_sec, time.tv_nsec)
}

/// Opens for reading, leaving no trace in the access time where that is allowed (for the owner).
pub(super) fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | flags;
    match rustix::fs::openat(CWD, path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(rustix::io::Errno::PERM) => rustix::fs::openat(CWD, path, flags, Mode::empty()),
        result => result,
    }
}

/// Calls `each` for every entry of a directory, with its kind where the file system tells it for free.
/// `buffer` is scratch space.
pub(super) fn entries(
    directory: &OwnedFd,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], Option<EntryKind>),
) -> io::Result<()> {
    buffer.clear();
    buffer.reserve(32 * 1024);
    let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
    let mut entries = RawDir::new(directory, spare);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        let name = name.to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        each(name, known_kind(entry.file_type()));
    }
    Ok(())
}

/// The kind of file system that something open is on.
pub(super) fn filesystem(fd: &OwnedFd) -> FileSystem {
    rustix::fs::fstatfs(fd).map_or(FileSystem::Local, |info| magic::filesystem(info.f_type as u64))
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

/// How often the calling thread has gone to sleep by itself (`ru_nvcsw`, getrusage(2)).
pub(super) fn sleeps() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: writes to a structure of ours that is all numbers, for which zeroes are a value.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    u64::try_from(usage.ru_nvcsw).unwrap_or(0)
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

/// Calls `tell` whenever the table of mounts changes, until it returns `false`. No wake-ups otherwise.
pub(crate) fn watch_mounts(mut tell: impl FnMut() -> bool + Send + 'static) -> Option<MountGuard> {
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
            if changed && !tell() {
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
    text.split(|byte| *byte == b'\n').filter_map(mountinfo::read).collect()
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
