//! Linux.

pub(super) mod reopen;
pub mod timer;
