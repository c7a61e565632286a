//! Linux.

pub mod stdio;
pub mod timer;
