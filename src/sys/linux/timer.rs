//! A timerfd in the loop's own epoll.
#![expect(unsafe_code, reason = "AsyncFd wants a promise that the descriptor stays open")]

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Fires once, after the time that [`Timer::set`] gave it.
pub struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    /// A timer that is not set. Must be called inside the tokio runtime.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // SAFETY: the descriptor is open, owned by the AsyncFd from here on, and never replaced.
        Ok(Self(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE)? }))
    }

    /// Fires after so long; never on `None`.
    pub fn set(&mut self, wait: Option<Duration>) {
        let value = wait.unwrap_or(Duration::ZERO);
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec {
                tv_sec: i64::try_from(value.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(value.subsec_nanos()),
            },
        };
        // Cannot fail: the descriptor is ours and the times are in range (timerfd_settime(2)).
        let _ = timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once);
    }

    /// Waits until it fires. Safe to drop and call again.
    pub async fn fired(&mut self) {
        loop {
            let Ok(mut ready) = self.0.readable().await else { return };
            let mut expirations = [0_u8; 8];
            let read = rustix::io::read(self.0.get_ref(), &mut expirations);
            ready.clear_ready();
            if read.is_ok() {
                return;
            }
        }
    }
}
