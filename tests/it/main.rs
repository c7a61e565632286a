//! The one integration binary: the real program on real files and real processes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests: a failure is a panic, and the real file system, processes and clock are the point"
)]
#![allow(
    dead_code,
    reason = "the harness is a vocabulary; not every word is used on every platform"
)]

mod editors;
mod harness;
mod original;
mod rules;
mod saves;
mod storms;
