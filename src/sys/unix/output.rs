//! Standard output and standard error: what they are, and writing to them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::sys::os::reopen;

/// A pipe that says it can be written takes this much at once (4096 on Linux, 512 on macOS).
pub const AT_ONCE: usize = libc::PIPE_BUF;

/// What an output is, as far as waiting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file, `/dev/null`: a write never waits.
    File,
    /// A pipe or a terminal: a write waits until somebody has read.
    PipeOrTerminal,
    /// Anything else.
    Other,
}

/// A way out of the program.
#[derive(Debug)]
pub struct Stream(End);

#[derive(Debug)]
enum End {
    Inherited(BorrowedFd<'static>),
    Own(OwnedFd),
}

/// Standard output.
#[must_use]
pub fn stdout() -> Stream {
    Stream(End::Inherited(rustix::stdio::stdout()))
}

/// Standard error.
#[must_use]
pub fn stderr() -> Stream {
    Stream(End::Inherited(rustix::stdio::stderr()))
}

impl From<OwnedFd> for Stream {
    fn from(fd: OwnedFd) -> Self {
        Self(End::Own(fd))
    }
}

impl Stream {
    fn fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            End::Inherited(fd) => *fd,
            End::Own(fd) => fd.as_fd(),
        }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match rustix::fs::fstat(self.fd()).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Fifo) => Kind::PipeOrTerminal,
            Ok(FileType::CharacterDevice) if self.is_terminal() => Kind::PipeOrTerminal,
            Ok(FileType::RegularFile | FileType::CharacterDevice | FileType::BlockDevice) => {
                Kind::File
            }
            _ => Kind::Other,
        }
    }

    /// Whether it is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        rustix::termios::isatty(self.fd())
    }

    /// The width of the terminal.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        rustix::termios::tcgetwinsize(self.fd()).ok().map(|size| usize::from(size.ws_col))
    }

    /// Opens a pipe or terminal once more for this process alone, so that not to block is its own matter:
    /// `O_NONBLOCK` on the inherited description would hit the command and the shell too.
    ///
    /// # Errors
    /// The system's, where there is no way (for a pipe outside of Linux) or another user made it.
    pub fn open_again(&self) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(reopen::name(self.fd())?, flags, Mode::empty())?;
        Ok(Self::from(fd))
    }

    /// Writes once.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::WouldBlock`] where the output does not block and would have to.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.fd(), bytes)?)
    }

    /// Writes everything, however long it takes.
    ///
    /// # Errors
    /// The system's.
    pub fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(self.fd(), bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(Errno::INTR) => {}
                // The description may be shared with a program that made it non-blocking.
                Err(Errno::AGAIN) => {
                    self.is_ready(None);
                    // A terminal can say "ready" with no room for the character that comes next.
                    thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits until a write is taken or would fail; with no time to wait it only asks.
    pub fn is_ready(&self, wait: Option<Duration>) -> bool {
        let fd = self.fd();
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        matches!(poll(&mut [PollFd::new(&fd, PollFlags::OUT)], wait.as_ref()), Ok(n) if n > 0)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;
    use crate::sys::macos_reopen;

    #[test]
    fn where_there_is_no_proc_a_terminal_is_opened_by_its_name_and_a_pipe_is_not() {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let terminal = rustix::fs::open(&name, flags, Mode::empty()).unwrap();
        assert_eq!(macos_reopen::name(terminal.as_fd()).unwrap(), name);
        let own = Stream::from(terminal).open_again().unwrap();
        assert!(rustix::fs::fcntl_getfl(own.fd()).unwrap().contains(OFlags::NONBLOCK));
        let (_reader, writer) = std::io::pipe().unwrap();
        assert!(macos_reopen::name(writer.as_fd()).is_err());
    }
}
