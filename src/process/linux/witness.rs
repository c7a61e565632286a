//! Who writes a file: the kernel tells that somebody opens it (a lease, fcntl(2)), `/proc` tells who.
//!
//! A read lease makes whoever opens the file for writing wait until we give it up; that moment is used to
//! look which process of the run waits. Files that are made anew and renamed cannot be leased: there the
//! descriptors of the run's processes are looked at, again and again for a short while.
#![expect(unsafe_code, reason = "leases have no safe wrapper")]

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags};
use tokio::signal::unix::Signal as Stream;

use super::hunt::{self, Hunt};
use super::tree::{self, Process};
use crate::process::{LeftOver, Opener, signals, unix};

/// The kernel tells us just before it lets the opener wait.
const ASLEEP: Duration = Duration::from_micros(200);
/// So many looks until it is said that nobody of the run waits …
const LOOKS: u32 = 2;
/// … and so many while some of its processes are awake: on a busy machine the opener may be one of them, which
/// has not come to wait yet.
const PATIENT_LOOKS: u32 = 10;

/// Whoever opens its file for writing waits for us.
#[derive(Debug)]
struct Lease {
    fd: OwnedFd,
    given_up: AtomicBool,
}

/// Every lease of this process.
static LEASES: Mutex<Vec<Weak<Lease>>> = Mutex::new(Vec::new());

/// We are about to be stopped (Ctrl-Z) and could let nobody go on who opens a leased file: without this, an
/// editor would hang until the kernel breaks the lease (45 s).
pub(in crate::process) fn give_up_leases() {
    let mut leases = LEASES.lock().unwrap_or_else(PoisonError::into_inner);
    for lease in leases.drain(..).filter_map(|lease| lease.upgrade()) {
        lease.given_up.store(true, Ordering::Relaxed);
        // SAFETY: a plain call on a descriptor of ours.
        unsafe { libc::fcntl(lease.fd.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
    }
}

/// Sees who writes some files.
#[derive(Debug, Default)]
pub struct Witness {
    leases: HashMap<Arc<Path>, Arc<Lease>>,
    signal: Option<Stream>,
    hunt: Arc<Hunt>,
}

impl Witness {
    /// From now on it is seen who opens the file for writing; that process waits until
    /// [`Witness::testimony`] is called. False when it can't be seen: there is no such file, it is not
    /// ours, or somebody has it open for writing already.
    pub fn watch(&mut self, path: &Arc<Path>) -> bool {
        if self.signal.is_none() {
            self.signal = signals::stream(libc::SIGIO);
            unix::unblock(&[libc::SIGIO]);
        }
        self.leases.remove(path);
        // Without a handler the signal would end us.
        let lease = self.signal.as_ref().and_then(|_| lease(path));
        lease.is_some_and(|lease| self.leases.insert(Arc::clone(path), lease).is_none())
    }

    /// Nobody waits for us at this file any more.
    pub fn release(&mut self, path: &Path) {
        self.leases.remove(path);
    }

    /// Nobody waits for us at any file any more, and no file system is kept from being unmounted.
    pub fn release_all(&mut self) {
        self.leases.clear();
    }

    /// Another run: nothing is watched, nothing has been found.
    pub fn begin(&mut self) {
        self.end();
        self.hunt = Arc::default();
    }

    /// Nothing of the run is left. What has been found is kept.
    pub fn end(&mut self) {
        self.release_all();
        self.hunt.end();
    }

    /// Somebody opened a watched file: call [`Witness::testimony`]. Cancel-safe.
    pub async fn disturbed(&mut self) {
        signals::next(&mut self.signal).await;
    }

    /// Who waits at watched files, which are then no longer watched. `root` is the process below which
    /// the run lives.
    pub fn testimony(&mut self, root: Option<u32>) -> Vec<(Arc<Path>, Opener)> {
        self.leases.retain(|_, lease| !lease.given_up.load(Ordering::Relaxed));
        let broken: Vec<Arc<Path>> = self
            .leases
            .iter()
            .filter(|(_, lease)| is_broken(&lease.fd))
            .map(|(path, _)| Arc::clone(path))
            .collect();
        if broken.is_empty() {
            return Vec::new();
        }
        let opener = blocked_below(root);
        broken
            .into_iter()
            .map(|path| {
                self.leases.remove(&path);
                (path, opener.clone())
            })
            .collect()
    }

    /// The process of the run that has the file open for writing now.
    pub fn writer(&self, path: &Path, root: Option<u32>) -> Option<LeftOver> {
        hunt::writer(path, root)
    }

    /// The process of the run that a hunt has seen writing what is this file now.
    pub fn caught(&self, path: &Path) -> Option<LeftOver> {
        self.hunt.caught(path)
    }

    /// Whether a hunt has seen anybody.
    pub fn has_caught(&self) -> bool {
        self.hunt.has_caught()
    }

    /// Looks once at what the run's processes have open.
    pub fn look(&mut self, root: Option<u32>) {
        self.hunt.look(root);
    }

    /// Looks at what the run's processes have open, beginning after some time and for so long.
    pub fn hunt(&mut self, root: Option<u32>, after: Duration, length: Duration) {
        let hunt = Arc::clone(&self.hunt);
        let looks = move || {
            std::thread::sleep(after);
            hunt.look_on(root, length);
        };
        // Without a thread nothing is seen, and nothing is concluded from that.
        let _ = std::thread::Builder::new().name("hunt".into()).spawn(looks);
    }

    /// Whether what the run does can be looked at: not when it belongs to somebody else.
    pub fn can_see(&self, root: Option<u32>) -> bool {
        !tree::of_run(root).iter().any(is_hidden)
    }
}

/// A read lease: broken by whoever opens the file for writing, or truncates it.
fn lease(path: &Path) -> Option<Arc<Lease>> {
    // To open a pipe or a device has effects.
    let stat = rustix::fs::lstat(path).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let fd = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    // SAFETY: plain calls on a descriptor of ours.
    let held = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) } == 0;
    let lease = held.then(|| Arc::new(Lease { fd, given_up: AtomicBool::new(false) }))?;
    let mut leases = LEASES.lock().unwrap_or_else(PoisonError::into_inner);
    leases.retain(|lease| lease.strong_count() > 0);
    leases.push(Arc::downgrade(&lease));
    Some(lease)
}

/// While a lease is being broken, its type is the one that it has to become.
fn is_broken(fd: &OwnedFd) -> bool {
    // SAFETY: a plain call on a descriptor of ours.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETLEASE) == libc::F_UNLCK }
}

/// The process of the run that waits for a lease.
fn blocked_below(root: Option<u32>) -> Opener {
    let mut awake = false;
    for look in 0..PATIENT_LOOKS {
        if look >= LOOKS && !awake {
            return Opener::Outside;
        }
        if look > 0 {
            std::thread::sleep(ASLEEP);
        }
        let processes = tree::of_run(root);
        if let Some(process) = processes.iter().find(|process| waits_for_lease(process)) {
            return Opener::Run(process.named());
        }
        if processes.iter().any(is_hidden) {
            return Opener::Unseen;
        }
        awake = processes.iter().any(is_awake);
    }
    if awake { Opener::Unclear } else { Opener::Outside }
}

fn waits_for_lease(process: &Process) -> bool {
    let pid = process.pid;
    let waits = |task: i32| {
        let at = tree::read(&format!("/proc/{pid}/task/{task}/wchan"));
        at.is_some_and(|at| at.ends_with(b"break_lease"))
    };
    tree::tasks(pid, process.threads).into_iter().any(waits)
}

/// Whether it, or a thread of it, is not asleep: it runs, or it is about to when it gets a processor. The
/// state in `stat` does not tell: one that is about to wait is `S` there already, and not in the kernel's queue.
fn is_awake(process: &Process) -> bool {
    let pid = process.pid;
    let awake = |task: i32| {
        tree::read(&format!("/proc/{pid}/task/{task}/wchan")).is_some_and(|at| at == b"0")
    };
    process.state != b'Z' && tree::tasks(pid, process.threads).into_iter().any(awake)
}

/// Whether it belongs to somebody else (`sudo`).
fn is_hidden(process: &Process) -> bool {
    let opened = tree::open_directory(&format!("/proc/{}/fd", process.pid));
    matches!(opened, Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM))
}
