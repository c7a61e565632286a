//! tokio's timer, a millisecond fine.

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
