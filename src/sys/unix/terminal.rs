//! The terminal at standard input; termios(3).

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios};
use rustix::termios::{isatty, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};

use super::readable::Readable;

/// Whether standard input is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    isatty(stdin())
}

/// Its foreground process group; `None` when this session has lost it, or never had it.
#[must_use]
pub fn foreground() -> Option<i32> {
    tcgetpgrp(stdin()).ok().map(|group| group.as_raw_nonzero().get())
}

/// Makes a process group its foreground. Whether that worked.
pub fn set_foreground(group: i32) -> bool {
    Pid::from_raw(group.max(0)).is_some_and(|group| tcsetpgrp(stdin(), group).is_ok())
}

/// Its modes.
#[derive(Clone, Debug)]
pub struct Modes(Termios);

impl Modes {
    /// The modes of now.
    #[must_use]
    pub fn now() -> Option<Modes> {
        tcgetattr(stdin()).ok().map(Modes)
    }

    /// The modes that give single keys without echo; `None` when these modes do already.
    #[must_use]
    pub fn single_keys(&self) -> Option<Modes> {
        let wanted = LocalModes::ICANON | LocalModes::ECHO;
        let mut keys = self.0.clone();
        keys.local_modes.remove(wanted);
        self.0.local_modes.intersects(wanted).then_some(Modes(keys))
    }

    /// Sets the terminal to these.
    pub fn set(&self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

/// The terminal opened anew: not blocking is a matter of the open file, which this process shares with its shell.
/// `None` when standard input is no terminal. Must be called inside the tokio runtime.
#[must_use]
pub fn open_again() -> Option<Readable> {
    opened().ok().and_then(Readable::new)
}

fn opened() -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |name: &std::ffi::CStr| rustix::fs::open(name, flags, Mode::empty());
    if !is_terminal() {
        return Err(rustix::io::Errno::NOTTY.into());
    }
    let by_name = rustix::termios::ttyname(stdin(), Vec::new()).and_then(|name| open(&name));
    // After `su` the terminal may belong to somebody else, and without /proc it has no name.
    Ok(by_name.or_else(|_| open(c"/dev/tty"))?)
}
