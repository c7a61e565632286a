//! Linux.

pub(super) mod child;
pub mod clock;
pub mod events;
pub(super) mod filesystem;
pub mod heap;
pub(super) mod listing;
pub mod mounts;
pub mod processes;
pub(super) mod reopen;
pub mod stdio;
pub mod this;
pub mod thread;
pub mod timer;
mod whole;
