//! The one timer of the loop. tokio's own is no finer than a millisecond, the settle window is 0.3 ms:
//! on Linux a timerfd waits in the same epoll as everything else, so that there is one waiter.

use std::io;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use linux as os;
#[cfg(not(target_os = "linux"))]
use portable as os;

/// Wakes the loop at a deadline.
pub(super) struct Timer {
    inner: os::Timer,
    armed: Option<Instant>,
}

impl Timer {
    /// A timer that is not armed. Must be called inside the tokio runtime.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { inner: os::Timer::new()?, armed: None })
    }

    /// Moves the deadline; `None` disarms. `now` is the loop's clock.
    pub(super) fn arm(&mut self, deadline: Option<Instant>, now: Instant) {
        if deadline == self.armed {
            return;
        }
        self.armed = deadline;
        // Zero would disarm: a deadline in the past fires after a nanosecond.
        let wait = deadline.map(|at| at.saturating_duration_since(now).max(Duration::from_nanos(1)));
        self.inner.set(wait);
    }

    /// Waits for the deadline; for ever while there is none. Safe to drop and call again.
    pub(super) async fn fired(&mut self) {
        self.inner.fired().await;
        self.armed = None;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(AsyncFd::register_with_interest(fd, Interest::READABLE)?))
        }

        pub(super) fn set(&mut self, wait: Option<Duration>) {
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

        pub(super) async fn fired(&mut self) {
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
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::io;
    use std::time::Duration;

    pub(super) struct Timer(Option<tokio::time::Instant>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(None))
        }

        pub(super) fn set(&mut self, wait: Option<Duration>) {
            self.0 = wait.map(|wait| tokio::time::Instant::now() + wait);
        }

        pub(super) async fn fired(&mut self) {
            match self.0 {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        }
    }
}
