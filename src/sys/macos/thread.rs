//! The calling thread.

pub use crate::sys::unix::thread::cpu_time;

/// How often a thread has slept is not told here.
#[must_use]
pub fn sleeps() -> u64 {
    0
}

/// One thread's priority can't be lowered here.
pub fn lower_priority() {}
