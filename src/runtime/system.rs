//! What the loop asks the system about processes and open files, where not every system has an answer.

#[cfg(target_os = "linux")]
#[path = "system/linux.rs"]
mod os;
#[cfg(not(target_os = "linux"))]
#[path = "system/portable.rs"]
mod os;

pub(super) use os::{SEES_PROCESSES, git_process, path_of};
