//! macOS's files that Linux can compile, for their tests.
#![expect(dead_code, unreachable_pub, reason = "only their tests run here")]

#[path = "clock.rs"]
mod clock;
#[path = "filesystem.rs"]
mod filesystem;
#[path = "listing.rs"]
mod listing;
