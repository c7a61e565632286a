//! What every Unix has.

pub mod bytes;
pub mod errno;
pub mod local;
pub mod modes;
pub mod output;
pub mod signal;
