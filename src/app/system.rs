//! What the loop asks the system about processes and open files, where not every system has an answer.

#[cfg(target_os = "linux")]
#[path = "system/linux.rs"]
mod os;
#[cfg(not(target_os = "linux"))]
#[path = "system/portable.rs"]
mod os;

pub(super) use os::{holder, path_of};

use crate::model::LeftOver;

/// Who holds a lock file of git.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nobody can be named there"))]
pub(super) enum Holder {
    /// This process.
    Process(LeftOver),
    /// No process: it was left behind.
    Nobody,
    /// That cannot be told.
    Unknown,
}
