//! Linux.

pub mod timer;
