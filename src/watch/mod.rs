//! What the file system did.

pub mod change;
