//! Runs as process trees: starting them, ending all of them, signals and the terminal.
//!
//! A [`Host`] starts a small long-lived child of this program, the *shim*, which hosts run after run and outlives
//! the program if that is killed. `link` is the connection between the two and `wire` what they say on it. In the shim, `shim` is the
//! loop, `hosted` the run, `tree` what belongs to the run, `keep` what does not although the run has started it.

mod encoding;
mod host;
mod hosted;
mod keep;
mod keys;
mod launch;
mod link;
mod shim;
mod signals;
mod terminal;
mod tree;
mod wire;

pub use host::Host;
pub use keys::{Key, Keys};
pub use launch::Launch;
pub use signals::{Signals, raise_again};
pub use tree::Shape;

use std::process::ExitCode;

/// Must be the very first thing in `main`: `Some` when this process was started as the shim (it has then
/// done its work and ends with that status). In the program itself it records which signals were ignored
/// when we were started, before anything installs a handler.
pub fn shim_entry() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == shim::NAME) {
        return Some(shim::main(arguments));
    }
    signals::remember_ignored();
    None
}
