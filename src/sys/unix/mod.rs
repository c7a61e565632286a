//! What every Unix has.

pub mod bytes;
pub mod errno;
pub mod open;
pub mod signal;
