//! Without `/proc`.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::Holder;

/// The path of an open file.
#[cfg(target_vendor = "apple")]
pub(in crate::app) fn path_of(file: BorrowedFd<'_>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let path = rustix::fs::getpath(file).ok()?.into_bytes();
    Some(PathBuf::from(std::ffi::OsString::from_vec(path)))
}

/// The path of an open file: not to be had.
#[cfg(not(target_vendor = "apple"))]
pub(in crate::app) fn path_of(_file: BorrowedFd<'_>) -> Option<PathBuf> {
    None
}

/// Where other processes work is not told.
pub(in crate::app) fn holder(_lock: &Path) -> Holder {
    Holder::Unknown
}
