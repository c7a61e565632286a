//! What a new process can have as its standard input.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

/// An input, open as long as this lives.
#[derive(Debug)]
pub enum Input {
    /// `/dev/null`, or a pipe to which nothing can be written.
    Null(OwnedFd),
    /// A pipe to which nothing is written.
    Endless(PipeReader, PipeWriter),
}

impl Input {
    /// The descriptor. No program inherits it unless it is told to.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Input::Null(null) => null.as_fd(),
            Input::Endless(read, _) => read.as_fd(),
        }
    }
}

/// An input that is at its end: `/dev/null`, and where there is none (a bare chroot) a pipe without a writer.
///
/// # Errors
/// When there is no descriptor left.
pub fn null() -> io::Result<Input> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    match rustix::fs::open("/dev/null", flags, Mode::empty()) {
        Ok(null) => Ok(Input::Null(null)),
        Err(_) => io::pipe().map(|(read, _)| Input::Null(read.into())),
    }
}

/// An input that has nothing and never ends.
///
/// # Errors
/// When there is no descriptor left.
pub fn endless() -> io::Result<Input> {
    io::pipe().map(|(read, write)| Input::Endless(read, write))
}
