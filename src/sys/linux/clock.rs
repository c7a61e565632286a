//! The clock of file times.

use rustix::time::ClockId;

use crate::sys::unix::files::nanoseconds;

/// The clock that the kernel stamps files with, in nanoseconds since 1970.
#[must_use]
pub fn of_files() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::RealtimeCoarse);
    nanoseconds(time.tv_sec, time.tv_nsec)
}
