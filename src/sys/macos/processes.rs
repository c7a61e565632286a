//! What other processes are is not asked here.

use crate::sys::process::{self as by_number, Process};

/// Whether the system lists its processes for this one.
#[must_use]
pub fn are_listed() -> bool {
    false
}

/// Why processes are not listed, where they usually are.
#[must_use]
pub fn missing() -> Option<&'static str> {
    None
}

/// One process.
#[must_use]
pub fn process(_pid: i32) -> Option<Process> {
    None
}

/// The command line of a process.
#[must_use]
pub fn command_line(_pid: i32) -> Vec<u8> {
    Vec::new()
}

/// All living descendants.
#[must_use]
pub fn descendants(_root: i32) -> Vec<Process> {
    Vec::new()
}

/// Whether a process holds a terminal open beyond output and errors.
#[must_use]
pub fn has_opened_terminal(_pid: i32) -> bool {
    false
}

/// Sends a signal to a process.
pub fn send(process: &Process, signal: i32) {
    by_number::kill(process.pid, signal);
}
