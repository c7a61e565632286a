//! What every Unix has.

pub mod bytes;
pub mod errno;
pub mod modes;
pub mod signal;
