//! Files that a person named, opened without waiting for the other end of a FIFO and without becoming the owner of a
//! terminal.
#![expect(clippy::disallowed_types, reason = "config opens its files by it")]

use std::fs::{File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// A FIFO that has no other end would block an ordinary open for ever.
const NO_WAIT: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

/// Opens a file for reading. Its kind is to be looked at before the first read.
///
/// # Errors
/// What open(2) gives.
pub fn reader(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path)
}

/// Opens a new file for writing; with `over` also one that exists.
///
/// # Errors
/// What open(2) gives.
pub fn writer(path: &Path, over: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create(over).create_new(!over).custom_flags(NO_WAIT).open(path)
}

/// Whether a file could not be opened because it is a socket. (macOS has a word of its own for it.)
#[must_use]
pub fn is_socket(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENXIO | libc::EOPNOTSUPP))
}

/// Whether a file is a FIFO.
#[must_use]
pub fn is_fifo(kind: FileType) -> bool {
    kind.is_fifo()
}

/// Whether we may execute a file; access(2).
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
