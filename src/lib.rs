//! A file-watching reload companion: it watches a tree, and when a save is complete it replaces the
//! running command.
//!
//! The modules are one pipeline, to be read in this order: [`cli`] and [`config`] (what was typed and
//! what it means), [`filter`] (which paths count), [`watch`] (what the file system did), [`settle`]
//! (is the save complete), [`supervisor`] (what to do about it), [`process`] (doing it to operating
//! system processes), [`report`] (saying it). [`app`] is the loop that joins them.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "tests play the shell: they read the clock and make files"
    )
)]

pub mod app;
pub mod cli;
pub mod config;
pub mod control;
#[cfg(test)]
mod documents;
pub mod explain;
pub mod filter;
pub mod model;
pub mod outputs;
pub mod process;
pub mod report;

#[cfg(test)]
mod rooms;
pub mod settle;
pub mod supervisor;
pub mod sys;
pub mod watch;

use std::process::ExitCode;

/// Runs the program with the arguments of this process and returns its exit status.
pub fn run() -> ExitCode {
    app::main()
}
