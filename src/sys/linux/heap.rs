//! The allocator of the C library.
#![cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "no crate wraps mallopt and malloc_trim")
)]

/// Keeps threads from taking a heap each: in a walk of 20,000 directories that is 3 MB of 20.
pub fn share() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number that the allocator reads when a thread allocates for the first time; it takes
    // its own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives freed memory back to the system.
pub fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes the allocator's own locks and touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
}
