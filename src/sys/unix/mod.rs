//! What every Unix has.

pub mod bytes;
pub mod errno;
pub mod files;
pub mod local;
pub mod modes;
pub mod open;
pub mod output;
pub mod signal;
pub(super) mod thread;
