//! What every Unix has.

pub mod bytes;
pub mod dispositions;
pub mod errno;
pub mod files;
pub mod local;
pub mod modes;
pub mod open;
pub mod output;
pub mod process;
pub mod readable;
pub mod signal;
pub mod sleep;
pub mod socket;
pub mod spawn;
pub mod stdin;
pub mod terminal;
pub(super) mod thread;
