//! The operating system: system calls, and everything that only one platform has. No other room has `unsafe`,
//! `libc`, `rustix`, `std::os` or a `cfg` of a platform; a test holds that.
//!
//! `unix` has what Linux and macOS share. `linux` and `macos` have the same names, each in its own way; another
//! platform becomes a folder beside them.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod macos;
#[cfg(all(test, target_os = "linux"))]
#[path = "macos/files_here.rs"]
mod macos_here;
mod unix;

/// The other platforms' way, to be tested here as well.
#[cfg(all(test, target_os = "linux"))]
#[path = "macos/reopen.rs"]
mod macos_reopen;

#[cfg(target_os = "linux")]
use linux as os;
#[cfg(not(target_os = "linux"))]
use macos as os;

pub use os::clock;
pub use os::events;
pub use os::heap;
pub use os::mounts;
pub use os::processes;
pub use os::stdio;
pub use os::this;
pub use os::thread;
pub use os::timer;
pub use unix::bytes;
pub use unix::dispositions;
pub use unix::errno;
pub use unix::files;
pub use unix::local;
pub use unix::modes;
pub use unix::open;
pub use unix::output;
pub use unix::process;
pub use unix::readable;
pub use unix::signal;
pub use unix::sleep;
pub use unix::socket;
pub use unix::spawn;
pub use unix::stdin;
pub use unix::terminal;

/// A child by `fork`, to be tested on Linux as well.
#[cfg(all(test, target_os = "linux"))]
#[path = "macos/child.rs"]
#[expect(dead_code, reason = "only the way to make a child is another")]
mod forked;
#[cfg(all(test, not(target_os = "linux")))]
use macos::child as forked;
