//! Sleeping until a signal, a socket or a time wakes a process that blocks every signal.
#![expect(unsafe_code, reason = "handlers and pselect have no safe wrapper")]

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::dispositions::all_but;

static TERMINATED: AtomicBool = AtomicBool::new(false);

extern "C" fn note(number: libc::c_int) {
    if number == libc::SIGTERM {
        TERMINATED.store(true, Ordering::Relaxed);
    }
}

/// Handles SIGCHLD and SIGTERM: they end a [`sleep`]. Elsewhere they stay blocked.
pub fn handle_signals() {
    // SAFETY: an empty set of flags and a mask of zeros are valid; the handler only stores to an atomic.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as *const () as libc::sighandler_t;
        libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut());
        libc::sigaction(libc::SIGTERM, &raw const action, std::ptr::null_mut());
    }
}

/// Whether SIGTERM has come since the last call.
pub fn terminated() -> bool {
    TERMINATED.swap(false, Ordering::Relaxed)
}

/// What a [`sleep`] watches beside the signals.
#[derive(Clone, Copy)]
pub struct Until<'a> {
    /// Something can be read from this one.
    pub readable: Option<BorrowedFd<'a>>,
    /// Something can be written to this one.
    pub writable: Option<BorrowedFd<'a>>,
    /// So much time is over.
    pub time: Option<Duration>,
}

/// Sleeps until SIGCHLD or SIGTERM arrives (or has arrived) or what is named happens.
pub fn sleep(until: Until<'_>) {
    let mask = all_but(&[libc::SIGCHLD, libc::SIGTERM]);
    let (mut readable, mut writable) = (set_of(until.readable), set_of(until.writable));
    let timeout = until.time.map(|time| libc::timespec {
        tv_sec: time.as_secs().min(1 << 30) as libc::time_t,
        tv_nsec: time.subsec_nanos().into(),
    });
    let highest = [until.readable, until.writable].into_iter().flatten().map(|fd| fd.as_raw_fd());
    // SAFETY: the sets, the time and the mask are initialised and live across the call.
    unsafe {
        libc::pselect(
            highest.max().map_or(0, |highest| highest + 1),
            &raw mut readable,
            &raw mut writable,
            std::ptr::null_mut(),
            timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            &raw const mask,
        );
    }
}

fn set_of(fd: Option<BorrowedFd<'_>>) -> libc::fd_set {
    let mut set = MaybeUninit::uninit();
    // SAFETY: FD_ZERO initialises the set; FD_SET stays within it, as the number is checked.
    unsafe {
        libc::FD_ZERO(set.as_mut_ptr());
        if let Some(fd) = fd.map(|fd| fd.as_raw_fd()).filter(|&fd| (fd as usize) < libc::FD_SETSIZE)
        {
            libc::FD_SET(fd, set.as_mut_ptr());
        }
        set.assume_init()
    }
}
