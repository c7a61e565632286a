//! What every Unix has.

pub mod bytes;
pub mod errno;
pub mod files;
pub mod signal;
