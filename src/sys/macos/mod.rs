//! macOS, and every other Unix but Linux.

pub(super) mod child;
pub mod processes;
pub mod this;
pub mod timer;
