//! What a signal does to this process: ignored, blocked, handled, deadly. None of it has a safe wrapper.
#![expect(unsafe_code, reason = "dispositions, masks, raising: no safe wrappers exist")]

use std::io;
use std::mem::MaybeUninit;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Tells each time that one signal has arrived.
pub type Stream = Signal;

/// Handles a signal. Must be called inside the tokio runtime.
///
/// # Errors
/// When there is no such signal, or no handler to be had for it.
pub fn stream(number: i32) -> io::Result<Stream> {
    signal(SignalKind::from_raw(number))
}

/// Whether the signal is ignored at present.
#[must_use]
pub fn is_ignored(number: i32) -> bool {
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: only reads the disposition; on success the kernel has filled it in.
    unsafe {
        libc::sigaction(number, std::ptr::null(), old.as_mut_ptr()) == 0
            && old.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Ignores the signal.
pub fn ignore(number: i32) {
    // SAFETY: SIG_IGN runs no code of ours.
    unsafe { libc::signal(number, libc::SIG_IGN) };
}

/// Sets the signal back to its default action.
pub fn set_default(number: i32) {
    // SAFETY: SIG_DFL runs no code of ours.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}

/// A set of all signals but these.
pub(in crate::sys) fn all_but(numbers: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset initialises the set and cannot fail; the rest are plain calls on it.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for &number in numbers {
            libc::sigdelset(&raw mut set, number);
        }
        set
    }
}

/// Unblocks the signals for the calling thread.
pub fn unblock(numbers: &[i32]) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set; the rest are plain calls on it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for &number in numbers {
            libc::sigaddset(&raw mut set, number);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// Every signal is blocked for the calling thread, until this is dropped.
pub struct Blocked(libc::sigset_t);

/// Blocks every signal for the calling thread.
#[must_use]
pub fn block_all() -> Blocked {
    let all = all_but(&[]);
    let mut old = all;
    // SAFETY: both sets are initialised and live across the call.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old) };
    Blocked(old)
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set was filled by the kernel.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut());
        }
    }
}

/// Does what the signal does by default, without a core dump. Returns where that is nothing.
pub fn die_of(number: i32) {
    let none = Rlimit { current: Some(0), maximum: getrlimit(Resource::Core).maximum };
    let _ = setrlimit(Resource::Core, none);
    set_default(number);
    unblock(&[number]);
    // SAFETY: a plain call.
    unsafe { libc::raise(number) };
}

/// Does what SIGTSTP does by default, although it is handled: returns when this process is continued.
pub fn suspend() {
    // SAFETY: SIG_DFL runs no code of ours, and the handler that is set back is the one that was there.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut handler = MaybeUninit::<libc::sigaction>::uninit();
        if libc::sigaction(libc::SIGTSTP, &raw const default, handler.as_mut_ptr()) == 0 {
            libc::raise(libc::SIGTSTP);
            libc::sigaction(libc::SIGTSTP, handler.as_ptr(), std::ptr::null_mut());
        }
    }
}
