//! macOS, and every other Unix but Linux.

pub(super) mod reopen;
pub mod timer;
