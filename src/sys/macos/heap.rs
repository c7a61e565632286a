//! The allocator of the C library, which is left alone.

/// Does nothing here.
pub fn share() {}

/// Does nothing here.
pub fn trim() {}
