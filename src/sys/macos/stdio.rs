//! What standard output and standard error lead to.

use std::path::PathBuf;

/// The paths of standard output and standard error.
#[cfg(target_vendor = "apple")]
pub fn paths() -> impl Iterator<Item = PathBuf> {
    let outputs = [rustix::stdio::stdout(), rustix::stdio::stderr()];
    outputs.into_iter().filter_map(|output| {
        let path = rustix::fs::getpath(output).ok()?.into_bytes();
        Some(PathBuf::from(crate::sys::bytes::os_string(path)))
    })
}

/// The paths of standard output and standard error: not to be had.
#[cfg(not(target_vendor = "apple"))]
pub fn paths() -> impl Iterator<Item = PathBuf> {
    std::iter::empty()
}
