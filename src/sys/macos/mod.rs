//! macOS, and every other Unix but Linux.

pub mod clock;
pub mod events;
pub(super) mod filesystem;
pub mod heap;
pub(super) mod listing;
pub mod mounts;
pub(super) mod reopen;
pub mod stdio;
pub mod thread;
pub mod timer;
