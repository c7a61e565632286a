//! The one timer of the loop. tokio's own is no finer than a millisecond, the settle window is 0.3 ms:
//! on Linux a timerfd waits in the same epoll as everything else, so that there is one waiter.

use std::io;
use std::time::{Duration, Instant};

use crate::sys::timer;

/// Wakes the loop at a deadline.
pub(super) struct Alarm {
    inner: timer::Timer,
    armed: Option<Instant>,
}

impl Alarm {
    /// A timer that is not armed. Must be called inside the tokio runtime.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { inner: timer::Timer::new()?, armed: None })
    }

    /// Moves the deadline; `None` disarms. `now` is the loop's clock.
    pub(super) fn arm(&mut self, deadline: Option<Instant>, now: Instant) {
        if deadline == self.armed {
            return;
        }
        self.armed = deadline;
        // Zero would disarm: a deadline in the past fires after a nanosecond.
        let wait =
            deadline.map(|at| at.saturating_duration_since(now).max(Duration::from_nanos(1)));
        self.inner.set(wait);
    }

    /// Waits for the deadline; for ever while there is none. Safe to drop and call again.
    pub(super) async fn fired(&mut self) {
        self.inner.fired().await;
        self.armed = None;
    }
}
