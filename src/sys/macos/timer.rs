//! tokio's timer, a millisecond fine.

use std::io;
use std::time::Duration;

/// Fires once, after the time that [`Timer::set`] gave it.
pub struct Timer(Option<tokio::time::Instant>);

impl Timer {
    /// A timer that is not set. Must be called inside the tokio runtime.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(None))
    }

    /// Fires after so long; never on `None`.
    pub fn set(&mut self, wait: Option<Duration>) {
        self.0 = wait.map(|wait| tokio::time::Instant::now() + wait);
    }

    /// Waits until it fires. Safe to drop and call again.
    pub async fn fired(&mut self) {
        match self.0 {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}
