//! The few system calls that have no safe wrapper: signal masks and dispositions, signalfd, the name of a
//! process.
#![expect(unsafe_code, reason = "signal masks, dispositions and signalfd have no safe wrapper")]

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::process::Signal;

/// A signal by its number; `None` when there is none of this number.
pub(super) fn signal(number: i32) -> Option<Signal> {
    // SAFETY: the kernel knows exactly the numbers 1 to 64; the value is only handed back to it.
    (1..=64).contains(&number).then(|| unsafe { Signal::from_raw_unchecked(number) })
}

/// A set of all signals or of none.
fn full_or_empty(full: bool) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: both functions initialise the set that they are given and cannot fail.
    unsafe {
        if full {
            libc::sigfillset(set.as_mut_ptr())
        } else {
            libc::sigemptyset(set.as_mut_ptr())
        };
        set.assume_init()
    }
}

/// Every signal blocked for the calling thread until dropped.
pub(super) struct Blocked(libc::sigset_t);

/// Blocks every signal for the calling thread.
pub(super) fn block_all() -> Blocked {
    let all = full_or_empty(true);
    let mut old = full_or_empty(false);
    // SAFETY: both sets are initialised and live across the call.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old) };
    Blocked(old)
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set was filled by the kernel.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

/// A descriptor that becomes readable when one of the signals is pending. They must be blocked.
pub(super) fn signal_descriptor(signals: &[i32]) -> io::Result<OwnedFd> {
    let mut set = full_or_empty(false);
    // SAFETY: the set is initialised; signalfd returns a new descriptor that nobody else owns, or -1.
    unsafe {
        for &number in signals {
            libc::sigaddset(&mut set, number);
        }
        let fd = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// The number of the next pending signal of a [`signal_descriptor`].
pub(super) fn next_signal(fd: &OwnedFd) -> Option<i32> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the kernel writes at most `size` bytes, and it writes whole records only.
    unsafe {
        let count = libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), size);
        (count == size as isize).then(|| info.assume_init().ssi_signo as i32)
    }
}

/// Sets the signal back to its default action.
pub(super) fn set_default(number: i32) {
    // SAFETY: SIG_DFL needs no code of ours.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}

/// Names the calling process in `ps`.
pub(super) fn set_name(name: &CStr) {
    // SAFETY: the string is terminated; the kernel copies at most 16 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) };
}

/// Takes over a descriptor that our parent left for us under a fixed number.
pub(super) fn inherited(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: fcntl fails harmlessly when there is no such descriptor; when there is one, it was made for
    // us by our parent and nothing else in this process knows it.
    unsafe {
        if libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(number))
    }
}

/// Our session; 0 when its leader is outside our PID namespace (which the safe wrapper holds to be
/// impossible).
pub(super) fn own_session() -> i32 {
    // SAFETY: a plain call.
    unsafe { libc::getsid(0) }
}
