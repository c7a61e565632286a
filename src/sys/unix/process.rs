//! Processes by their numbers: who this one is, signalling others, waiting for children.
//!
//! A number that stands for many processes (0, negative; 1 as a group) is signalled by no function here.
#![expect(
    unsafe_code,
    reason = "the safe wrappers refuse numbers that occur: group 0, real-time signals"
)]

use rustix::process::{Pid, WaitOptions, WaitStatus};

use crate::model::Ended;

/// What the system tells about a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// `R`, `S`, `D`, `T`, `Z`, …
    pub state: u8,
    /// How many threads it has.
    pub threads: u32,
    /// When it started, in clock ticks since boot: with the number, the identity of a process.
    pub start: u64,
    /// The name of its program.
    pub name: Vec<u8>,
}

/// The number of this process.
#[must_use]
pub fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// The process group of this process; 0 when its leader is outside this PID namespace.
#[must_use]
pub fn own_group() -> i32 {
    // SAFETY: a plain call that cannot fail.
    unsafe { libc::getpgrp() }
}

/// The session of this process; 0 when its leader is outside this PID namespace.
#[must_use]
pub fn own_session() -> i32 {
    // SAFETY: a plain call.
    unsafe { libc::getsid(0) }
}

/// Sends a signal to a process. What has ended meanwhile needs none.
pub fn kill(pid: i32, signal: i32) {
    if pid > 0 {
        // SAFETY: a plain call.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Sends a signal to every member of a process group.
pub fn kill_group(group: i32, signal: i32) {
    if group > 1 {
        // SAFETY: a plain call.
        unsafe { libc::kill(-group, signal) };
    }
}

/// Whether a process group has a member whom this process may signal. (On macOS one of zombies has none.)
#[must_use]
pub fn group_lives(group: i32) -> bool {
    // SAFETY: a plain call; signal 0 is none.
    group > 1 && unsafe { libc::kill(-group, 0) } == 0
}

/// Sends a signal to the process group of this process.
pub fn kill_own_group(signal: i32) {
    // SAFETY: a plain call.
    unsafe { libc::kill(0, signal) };
}

/// What `waitpid` has to say about the children of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// This one was stopped by a signal.
    Stopped(i32, i32),
    /// This one has ended and is no more.
    Ended(i32, Ended),
    /// There are children, with no news.
    NoNews,
    /// There is no child.
    None,
}

/// The next news of any child, without waiting for it.
#[must_use]
pub fn child() -> Child {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(Some((pid, status))) => {
                let pid = pid.as_raw_nonzero().get();
                return match status.stopping_signal() {
                    Some(signal) => Child::Stopped(pid, signal),
                    None => Child::Ended(pid, ended(status)),
                };
            }
            Ok(None) => return Child::NoNews,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Child::None,
        }
    }
}

fn ended(status: WaitStatus) -> Ended {
    let killed = status.terminating_signal().map(Ended::Signal);
    killed.unwrap_or(Ended::Exit(status.exit_status().unwrap_or(0)))
}

/// Waits until this child has ended.
pub fn wait_for(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid.max(0)) {
        let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
    }
}
