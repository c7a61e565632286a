//! What standard output and standard error lead to.

use std::path::PathBuf;

/// The paths of standard output and standard error.
#[cfg(target_vendor = "apple")]
pub fn paths() -> impl Iterator<Item = PathBuf> {
    use crate::sys::bytes::os_string;
    let outputs = [rustix::stdio::stdout(), rustix::stdio::stderr()];
    let path = |output| Some(os_string(rustix::fs::getpath(output).ok()?.into_bytes()).into());
    outputs.into_iter().filter_map(path)
}

/// The paths of standard output and standard error: not to be had.
#[cfg(not(target_vendor = "apple"))]
pub fn paths() -> impl Iterator<Item = PathBuf> {
    std::iter::empty()
}
