//! Linux: runs below a shim that is a child subreaper.
//!
//! The supervisor's end is [`host`]; [`wire`] is what the two say to each other; [`shim`] is the loop of the
//! other end, [`hosted`] the run in it. [`tree`] and [`keep`] look at processes, [`spawn`] and [`sys`] hold the
//! system calls.

mod host;
mod hosted;
mod keep;
mod link;
mod shim;
mod spawn;
mod sys;
mod tree;
mod wire;

pub use host::Host;

use std::process::ExitCode;

/// Must be the very first thing in `main`: `Some` when this process was started as the shim (it has then
/// done its work and ends with that status). In the program itself it records which signals were ignored
/// when we were started, before anything installs a handler.
pub fn shim_entry() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == shim::NAME) {
        return Some(shim::main(arguments));
    }
    super::signals::remember_ignored();
    None
}
