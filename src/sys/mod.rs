//! The operating system: system calls, and everything that only one platform has. No other room has `unsafe`,
//! `libc`, `rustix`, `std::os` or a `cfg` of a platform; a test holds that.
//!
//! `unix` has what Linux and macOS share. `linux` and `macos` have the same names, each in its own way; another
//! platform becomes a folder beside them.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod macos;
mod unix;

#[cfg(target_os = "linux")]
use linux as os;
#[cfg(not(target_os = "linux"))]
use macos as os;

pub use os::{processes, this, timer};
pub use unix::{
    bytes, dispositions, errno, process, readable, signal, sleep, socket, spawn, stdin, terminal,
};

/// A child by `fork`, to be tested on Linux as well.
#[cfg(all(test, target_os = "linux"))]
#[path = "macos/child.rs"]
#[expect(dead_code, reason = "only the way to make a child is another")]
mod forked;
#[cfg(all(test, not(target_os = "linux")))]
use macos::child as forked;
