//! Opening standard error once more elsewhere: `/dev/fd/2` would be the same open file, so that a terminal
//! is opened by its name, and a pipe can't be.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// A terminal, opened for ourselves, not blocking. Fails for a pipe (`ENOTTY`).
pub(super) fn open_again(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(rustix::termios::ttyname(fd, Vec::new())?, flags, Mode::empty())
}
