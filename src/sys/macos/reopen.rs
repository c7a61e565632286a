//! The name under which an open file can be opened once more: `/dev/fd/2` would be the same open file, so that a
//! terminal is opened by its name, and a pipe can't be.

use std::ffi::CString;
use std::io;
use std::os::fd::BorrowedFd;

/// The name of a terminal.
///
/// # Errors
/// `ENOTTY` for a pipe.
pub(in crate::sys) fn name(fd: BorrowedFd<'_>) -> io::Result<CString> {
    Ok(rustix::termios::ttyname(fd, Vec::new())?)
}
