//! Linux: runs below a shim that is a child subreaper.

mod host;

pub use host::Host;

use std::process::ExitCode;

/// Must be the very first thing in `main`: `Some` when this process was started as the shim (it has then
/// done its work and ends with that status). In the program itself it records which signals were ignored
/// when we were started, before anything installs a handler.
pub fn shim_entry() -> Option<ExitCode> {
    None
}
