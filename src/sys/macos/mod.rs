//! macOS, and every other Unix but Linux.

pub mod stdio;
pub mod timer;
