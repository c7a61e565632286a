//! The calling thread.
#![expect(unsafe_code, reason = "no crate wraps getrusage")]

use std::mem::MaybeUninit;

pub use crate::sys::unix::thread::cpu_time;

/// How often the calling thread has gone to sleep by itself (`ru_nvcsw`, getrusage(2)).
#[must_use]
pub fn sleeps() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: writes to a structure of ours that is all numbers, for which zeroes are a value.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    u64::try_from(usage.ru_nvcsw).unwrap_or(0)
}

/// Lets everything else go before the calling thread.
pub fn lower_priority() {
    // Refused: then it runs like everything else.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
}
