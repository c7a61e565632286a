//! The clocks, and the process clock of another process.

use rustix::time::{ClockId, clock_gettime};

/// A point in time: nanoseconds of `CLOCK_MONOTONIC`, the clock that the stamp program reads too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) i64);

impl Nanos {
    /// Now.
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        Self(now.tv_sec * 1_000_000_000 + now.tv_nsec)
    }

    /// Milliseconds from `earlier` to here; negative when `earlier` is later.
    pub(crate) fn ms_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }
}

/// Whether two processes have one and the same address space (kcmp(2)); false when that can't be told.
#[expect(unsafe_code, reason = "no crate wraps kcmp")]
pub(crate) fn share_memory(a: i32, b: i32) -> bool {
    const KCMP_VM: libc::c_int = 1;
    // SAFETY: the call compares two processes and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0 }
}

/// CPU time of a process since it began, in nanoseconds, threads that have ended included. `None` when
/// it is gone. (`/proc/PID/stat` counts in ticks of 10 ms, which is 10 ms too coarse.)
#[expect(unsafe_code, reason = "no safe wrapper offers the CPU clock of another process")]
pub(crate) fn cpu_of(pid: i32) -> Option<i64> {
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write to the local variables that they are given and keep nothing.
    let read = unsafe {
        libc::clock_getcpuclockid(pid, &raw mut clock) == 0
            && libc::clock_gettime(clock, &raw mut time) == 0
    };
    read.then(|| time.tv_sec * 1_000_000_000 + time.tv_nsec)
}
