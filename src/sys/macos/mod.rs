//! macOS, and every other Unix but Linux.

pub mod timer;
