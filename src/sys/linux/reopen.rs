//! The name under which an open file can be opened once more; proc_pid_fd(5).

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A name that leads to what is open, also to a pipe.
///
/// # Errors
/// Never here; where a pipe has no name.
pub(in crate::sys) fn name(fd: BorrowedFd<'_>) -> io::Result<CString> {
    Ok(CString::new(format!("/proc/self/fd/{}", fd.as_raw_fd()))?)
}
