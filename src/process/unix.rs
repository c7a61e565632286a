//! The system calls of every Unix that have no safe wrapper (or one that forbids what really happens).
#![expect(unsafe_code, reason = "dispositions, masks, raising: no safe wrappers exist")]

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Whether the signal's present disposition is to be ignored.
pub(super) fn is_ignored(number: i32) -> bool {
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: only reads the disposition; on success the kernel has filled it in.
    unsafe {
        libc::sigaction(number, std::ptr::null(), old.as_mut_ptr()) == 0
            && old.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Ignores the signal.
pub(super) fn ignore(number: i32) {
    // SAFETY: SIG_IGN runs no code of ours.
    unsafe { libc::signal(number, libc::SIG_IGN) };
}

/// Unblocks the signals for the calling thread.
pub(super) fn unblock(numbers: &[i32]) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set; the rest are plain calls on it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for &number in numbers {
            libc::sigaddset(&mut set, number);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
    }
}

/// Does what the signal does by default. Returns where that is nothing.
pub(super) fn die_of(number: i32) {
    // SAFETY: SIG_DFL runs no code of ours; raise is a plain call.
    unsafe {
        libc::signal(number, libc::SIG_DFL);
        unblock(&[number]);
        libc::raise(number);
    }
}

/// Does what SIGTSTP does by default, although it is handled: returns when we are continued.
pub(super) fn suspend() {
    // SAFETY: SIG_DFL runs no code of ours, and the handler that is set back is the one that was there.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut handler = MaybeUninit::<libc::sigaction>::uninit();
        if libc::sigaction(libc::SIGTSTP, &default, handler.as_mut_ptr()) == 0 {
            libc::raise(libc::SIGTSTP);
            libc::sigaction(libc::SIGTSTP, handler.as_ptr(), std::ptr::null_mut());
        }
    }
}

/// Our process group; 0 when its leader is outside our PID namespace (which the safe wrapper holds to be
/// impossible).
pub(super) fn own_group() -> i32 {
    // SAFETY: a plain call that cannot fail.
    unsafe { libc::getpgrp() }
}

/// Registers a descriptor with the runtime, which then owns it.
pub(super) fn register(fd: OwnedFd, interest: Interest) -> Option<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays open and the same until it is dropped, after its registration.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.ok()
}
