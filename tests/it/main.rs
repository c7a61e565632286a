//! The one integration binary: the real program on real files and real processes.
//!
//! `cargo test --test it` runs the short form of everything; `cargo test --test it torture_ -- --ignored`
//! the long one. A test is a project (`Project::new()…`), the program started in it (`.start([…])`), and
//! sentences about what it runs and says. At the end of each, nothing that it started may be left.

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

/// The words the tests are written with.
mod harness;

/// `explain` says what a running instance does.
#[cfg(target_os = "linux")]
mod agreement;
/// The same through every source of events.
#[cfg(target_os = "linux")]
mod backends;
/// What the command is told about the changes that caused it.
mod changed_lists;
/// `init`, `check`, `run`: what is typed.
mod cli;
/// Configuration files that are broken, and odd ones that are not.
mod config_errors;
/// `wait`, `status` and the orders.
#[cfg(target_os = "linux")]
mod control;
/// Build daemons; what is replaced on disk while it runs.
#[cfg(target_os = "linux")]
mod daemons;
/// Sudden deaths: of the program, of its shim, of the command.
#[cfg(target_os = "linux")]
mod deaths;
/// vim and sed do what they do: one run each.
mod editors;
/// Every way to end in every state, as the calling shell sees it.
#[cfg(target_os = "linux")]
mod endings;
/// Much output, many reloads, wide trees.
#[cfg(target_os = "linux")]
mod endurance;
/// `explain` and its lines.
#[cfg(target_os = "linux")]
mod explain;
/// Lost events, limits, races at the start.
#[cfg(target_os = "linux")]
mod faults;
/// File systems that send no events, or not all.
#[cfg(target_os = "linux")]
mod filesystems;
/// Programs that have the terminal: `--stdin`.
#[cfg(target_os = "linux")]
mod foreground;
/// git does what it does: one run each.
#[cfg(target_os = "linux")]
mod git;
/// Names that want to be more than names.
#[cfg(target_os = "linux")]
mod hostile;
/// Single keys.
#[cfg(target_os = "linux")]
mod keys;
/// No more watches to be had.
#[cfg(target_os = "linux")]
mod limits;
/// Links, and what they lead to.
#[cfg(target_os = "linux")]
mod links;
/// The configuration changes while everything runs.
#[cfg(target_os = "linux")]
mod live;
/// What is said, and what is not.
mod messages;
/// Random operations against a model.
#[cfg(target_os = "linux")]
mod model;
/// The file of the original works.
mod original;
/// Commands that write into the tree that they are started by.
#[cfg(target_os = "linux")]
mod outputs;
/// `make install` and packages.
mod packages;
/// README, run.
#[cfg(target_os = "linux")]
mod readme;
/// Roots that are replaced.
#[cfg(target_os = "linux")]
mod roots;
/// Which changes count.
mod rules;
/// One save, one run.
mod saves;
/// A very large tree.
#[cfg(target_os = "linux")]
mod scale;
/// The shapes in which people write down a server.
#[cfg(target_os = "linux")]
mod shapes;
/// INT, TERM, HUP, QUIT, and ignored ones.
#[cfg(target_os = "linux")]
mod signals;
/// Commands that cannot start.
#[cfg(target_os = "linux")]
mod start_errors;
/// Storms, slow writers, busy commands.
mod storms;
/// A real terminal.
#[cfg(target_os = "linux")]
mod terminal;
/// Runs as trees of processes.
#[cfg(target_os = "linux")]
mod trees;
