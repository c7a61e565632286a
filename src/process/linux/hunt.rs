//! Who has a file open for writing, as `/proc` shows it from moment to moment.
//!
//! A file that is made anew is open for some 30 µs, so a hunt looks every few. What is held open makes
//! that possible: a list of children is read in half a microsecond, opened first in seven; a descriptor
//! is looked at in two, found by listing its directory in ten.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::aside::Aside;
use super::shim::now;
use super::tree::{self, Process};
use crate::process::LeftOver;

/// Between two looks while no process of the run lives.
const PAUSE: Duration = Duration::from_micros(50);
/// The whole tree is looked through so often; in between, when a process has another child.
const WHO_LIVES: Duration = Duration::from_millis(5);
/// What a process opens gets the lowest number that is free (open(2)): so many of them are looked at.
const NEXT: usize = 2;
/// Of so many processes, the youngest, descriptors are held …
const HELD: usize = 64;
/// … and of so many threads of each: a process may have 1,024 descriptors and needs some for its own work.
const HELD_THREADS: usize = 8;

/// What is looked for in the background, and what was found.
#[derive(Debug, Default)]
pub(super) struct Hunt {
    over: AtomicBool,
    /// Until when it is looked, in monotonic time, while somebody looks.
    until: Mutex<Option<Duration>>,
    found: Mutex<HashMap<FileId, (PathBuf, LeftOver)>>,
}

/// Device and inode.
type FileId = (u64, u64);

/// A descriptor that can write a file.
struct Writing {
    file: FileId,
    path: PathBuf,
    process: LeftOver,
}

impl Hunt {
    /// Nothing is looked for any more. What has been found is kept.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Looks once at what the processes below `root` have open.
    pub(super) fn look(&self, root: Option<u32>) {
        holders(root).for_each(|holder| self.look_at([&holder]));
    }

    /// Looks again and again, for so long. Where somebody does so already, he goes on for longer instead: a
    /// second one would take another processor for the same.
    pub(super) fn look_on(&self, root: Option<u32>, length: Duration) {
        if self.is_extended(now() + length) {
            return;
        }
        // What is being created wakes us, and may do so on this very processor.
        let _aside = Aside::new();
        while self.goes_on() {
            let living = youngest(root);
            self.look_at(&living);
            if living.is_empty() {
                std::thread::sleep(PAUSE);
                continue;
            }
            let counted = now();
            while now() - counted < WHO_LIVES && !living.iter().any(Holder::has_other_children) {
                self.look_at(living.iter().filter(|holder| holder.is_leaf()));
            }
        }
    }

    /// It is to be looked until then; whether somebody does already.
    fn is_extended(&self, end: Duration) -> bool {
        let mut until = self.until();
        let looks = until.is_some();
        *until = (*until).max(Some(end));
        looks
    }

    /// Whether it is still looked; if not, the next one may begin.
    fn goes_on(&self) -> bool {
        let mut until = self.until();
        if self.over.load(Ordering::Relaxed) {
            *until = None;
        }
        *until = until.filter(|until| now() < *until);
        until.is_some()
    }

    fn until(&self) -> MutexGuard<'_, Option<Duration>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at<'a>(&self, holders: impl IntoIterator<Item = &'a Holder>) {
        for writing in holders.into_iter().flat_map(Holder::writes) {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.insert(writing.file, (writing.path, writing.process));
        }
    }

    pub(super) fn has_caught(&self) -> bool {
        !self.found.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The process that was seen writing what is this file now.
    pub(super) fn caught(&self, path: &Path) -> Option<LeftOver> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, process) = found.get(&file_id(path)?)?;
        // Numbers of files are used again: it was written in the same directory, under whatever name.
        (seen.parent() == path.parent()).then(|| process.clone())
    }
}

/// The process below `root` that has the file open for writing now.
pub(super) fn writer(path: &Path, root: Option<u32>) -> Option<LeftOver> {
    let file = file_id(path)?;
    let writing = |holder: Holder| holder.writes().find(|writing| writing.file == file);
    holders(root).find_map(writing).map(|writing| writing.process)
}

fn file_id(path: &Path) -> Option<FileId> {
    let stat = rustix::fs::lstat(path).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// The processes of a run that can be looked at, one after the other.
fn holders(root: Option<u32>) -> impl Iterator<Item = Holder> {
    tree::of_run(root).into_iter().filter_map(Holder::of)
}

/// Those that began last, to be looked at again and again.
fn youngest(root: Option<u32>) -> Vec<Holder> {
    let mut processes = tree::of_run(root);
    processes.sort_by_key(|process| std::cmp::Reverse(process.start));
    processes.into_iter().take(HELD).filter_map(Holder::of).collect()
}

/// A process with the descriptors at which it holds files, or would hold the next ones.
struct Holder {
    process: Process,
    /// `/proc/PID/fd`.
    directory: OwnedFd,
    /// Names in it.
    numbers: Vec<String>,
    /// The lists of its threads' children, with what they held.
    children: Vec<(OwnedFd, Vec<u8>)>,
}

impl Holder {
    fn of(process: Process) -> Option<Holder> {
        let directory = tree::open_directory(&format!("/proc/{}/fd", process.pid)).ok()?;
        let taken: BTreeSet<i32> = tree::numbers_in(&directory).into_iter().collect();
        let free = (0..).filter(|number| !taken.contains(number)).take(NEXT);
        let is_file = |number: &&i32| {
            rustix::fs::statat(&directory, number.to_string(), AtFlags::empty())
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
        };
        let numbers = taken.iter().filter(is_file).copied().chain(free);
        let numbers = numbers.map(|number| number.to_string()).collect();
        let tasks = tree::tasks(process.pid, process.threads).into_iter().take(HELD_THREADS);
        let children = tasks.filter_map(|task| {
            let path = tree::children_file(process.pid, task);
            let list =
                rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
            let held = read_again(&list)?;
            Some((list, held))
        });
        let children = children.collect();
        Some(Holder { process, directory, numbers, children })
    }

    fn has_other_children(&self) -> bool {
        self.children.iter().any(|(list, held)| read_again(list).as_ref() != Some(held))
    }

    /// Whether it has no children. One that has mostly waits for them.
    fn is_leaf(&self) -> bool {
        self.children.iter().all(|(_, held)| held.is_empty())
    }

    /// What it is called now: a shell's child has the shell's name until it executes something.
    fn named(&self) -> LeftOver {
        let now = tree::process(self.process.pid).filter(|now| now.start == self.process.start);
        now.as_ref().unwrap_or(&self.process).named()
    }

    /// The regular files that it can write now.
    fn writes(&self) -> impl Iterator<Item = Writing> {
        self.numbers.iter().filter_map(|number| self.writing(number))
    }

    fn writing(&self, number: &str) -> Option<Writing> {
        // The mode of the link is the mode of the descriptor (proc(5)).
        let link = rustix::fs::statat(&self.directory, number, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let writable = link.st_mode & 0o200 != 0;
        let path = writable
            .then(|| rustix::fs::readlinkat(&self.directory, number, Vec::new()).ok())??;
        let stat = rustix::fs::statat(&self.directory, number, AtFlags::empty()).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then(|| Writing {
            file: (stat.st_dev, stat.st_ino),
            path: PathBuf::from(OsStr::from_bytes(path.as_bytes())),
            process: self.named(),
        })
    }
}

/// The first children are enough to see that there are others.
fn read_again(list: &OwnedFd) -> Option<Vec<u8>> {
    let mut text = [0; 256];
    let length = rustix::io::pread(list, &mut text, 0).ok()?;
    text.get(..length).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::super::aside::ALONE;
    use super::*;

    /// What a shell of ours does in a directory is hunted for; what was found of `name` afterwards.
    fn hunted(script: &str, name: &str) -> Option<String> {
        let _alone = ALONE.lock();
        let directory = tempfile::tempdir().unwrap();
        let me = std::process::id();
        let hunt = Hunt::default();
        std::thread::scope(|scope| {
            scope.spawn(|| hunt.look_on(Some(me), Duration::from_secs(60)));
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).current_dir(&directory).stdout(Stdio::null());
            assert!(shell.status().unwrap().success());
            hunt.end();
        });
        let process = hunt.caught(&directory.path().join(name))?;
        Some(process.name.to_string_lossy().into_owned())
    }

    #[test]
    fn who_wrote_what_was_renamed_is_seen() {
        // In a child that did not live when the hunt began, at a number that was free.
        let made = "sleep 0.05; (exec 7> new.tmp; sleep 0.05); mv new.tmp new";
        assert!(matches!(hunted(made, "new").as_deref(), Some("sh" | "sleep")));
        assert_eq!(hunted("exec 3> new.tmp; sleep 0.05; exec 3>&-; mv new.tmp new", "other"), None);
    }

    #[test]
    fn who_only_reads_is_no_writer() {
        assert_eq!(hunted("echo > old; exec 3< old; sleep 0.05", "none"), None);
        let read = "cp /dev/null old; sleep 0.02; exec 4< old; sleep 0.05";
        assert!(hunted(read, "old").is_none_or(|name| name == "cp"));
    }

    #[test]
    fn it_does_not_take_all_descriptors() {
        let mut shell = Command::new("sh")
            .args(["-c", "for i in $(seq 80); do sleep 60 & done; wait"])
            .spawn()
            .unwrap();
        let root = Some(shell.id());
        while tree::of_run(root).len() < 80 {
            std::thread::sleep(PAUSE);
        }
        assert_eq!(youngest(root).len(), HELD);
        assert_eq!(holders(root).count(), 80);
        for process in tree::of_run(root) {
            let pid = rustix::process::Pid::from_raw(process.pid).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        shell.wait().unwrap();
    }

    #[test]
    fn it_ends_when_its_time_is_over() {
        let _alone = ALONE.lock();
        Hunt::default().look_on(Some(std::process::id()), Duration::from_millis(5));
        Hunt::default().look_on(None, Duration::from_millis(5));
    }
}
