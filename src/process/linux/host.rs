//! The supervisor's end of the shim.

use std::io;

use crate::process::{Launch, LeftOver};
use crate::supervisor::{Event, RunId, Signal};

/// Starts and ends runs. One per supervisor; hosts one run at a time.
///
/// Orders never block and never fail: what becomes of them comes back as events.
#[derive(Debug)]
pub struct Host {}

impl Host {
    /// Starts the shim. Call it on the main thread (the shim's life is tied to the thread that starts it),
    /// as early as possible; it needs no runtime yet. Only [`Host::next`] does.
    ///
    /// # Errors
    /// When the process or its socket can't be made.
    pub fn start() -> io::Result<Host> {
        Ok(Host {})
    }

    /// Names of daemons that are left alone (`stop.keep`).
    pub fn settings(&mut self, stop_keep: &[String]) {
        let _ = stop_keep;
    }

    /// Starts a run: `Started` or `SpawnFailed` follows, then `Exited`, then `Gone`.
    pub fn launch(&mut self, launch: &Launch) {
        let _ = launch;
    }

    /// Sends the stop signal to the whole tree of the run, then SIGCONT. `Gone` follows when nothing is
    /// left of it (at once when the run is already gone).
    pub fn stop(&mut self, run: RunId, signal: Signal) {
        let _ = (run, signal);
    }

    /// SIGKILL to everything of the run, again until nothing is left; `Gone` follows.
    pub fn kill(&mut self, run: RunId) {
        let _ = run;
    }

    /// Sends a signal to the run's process group and lets it live.
    pub fn signal(&mut self, run: RunId, signal: Signal) {
        let _ = (run, signal);
    }

    /// What still lives of the current run, its leader first; for the line about a slow stop.
    pub fn remaining(&self) -> Vec<LeftOver> {
        Vec::new()
    }

    /// Process id of the shim, when it lives.
    pub fn shim(&self) -> Option<u32> {
        None
    }

    /// The next event of a run. Cancel-safe.
    pub async fn next(&mut self) -> Event {
        std::future::pending().await
    }

    /// Ends the shim; call it after the last `Gone`. What should still live is killed. Dropping the host
    /// does the same without waiting.
    pub async fn shutdown(self) {}
}
