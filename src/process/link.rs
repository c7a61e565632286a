//! The host's connection to one shim.

use std::ffi::{CString, OsString};
use std::io;
use std::time::Duration;

use super::tree::Shape;
use super::wire::{self, Order, Report};
use super::{shim, signals};
use crate::sys::dispositions::block_all;
use crate::sys::signal::SIGCONT;
use crate::sys::socket::{Received, Socket};
use crate::sys::spawn::{self, Plan};
use crate::sys::{process, this};

/// A running shim and its socket.
#[derive(Debug)]
pub(super) struct Link {
    socket: Socket,
    pub(super) pid: i32,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    broken: bool,
}

impl Link {
    /// Starts a shim: this same program under another name.
    pub(super) fn start(shape: Shape) -> io::Result<Link> {
        let (socket, theirs) = Socket::pair()?;
        let text = |text: &str| CString::new(text).unwrap_or_default();
        let variable = |(name, value): (OsString, OsString)| {
            let parts = [name.into_encoded_bytes(), value.into_encoded_bytes()];
            CString::new(parts.join(&b'=')).ok()
        };
        let env: Vec<CString> = std::env::vars_os().filter_map(variable).collect();
        let ignored = signals::ignored_at_start().to_string();
        let plan = Plan {
            programs: this::program(),
            argv: vec![text(shim::NAME), text(shape.word()), text(&ignored)],
            env: env.iter().map(CString::as_c_str).collect(),
            directory: None,
            stdin: None,
            socket: theirs.fd(),
            // A shim cleans up when its host has ended: the closed socket tells it.
            dies_with_us: false,
            ignored: 0,
            blocked: true,
            foreground: false,
        };
        let pid = spawn::spawn(&plan, &block_all())
            .map_err(|failure| io::Error::from_raw_os_error(failure.errno))?;
        Ok(Link { socket, pid, inbox: Vec::new(), outbox: Vec::new(), broken: false })
    }

    /// Sends what the socket takes at once, the rest while waiting.
    pub(super) fn send(&mut self, order: &Order) {
        wire::put(order, &mut self.outbox);
        self.flush();
    }

    fn flush(&mut self) {
        self.broken |= self.socket.send(&mut self.outbox).is_err();
    }

    /// Waits for reports. `None`: the shim is gone. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Option<Vec<Report>> {
        while !self.broken {
            self.socket.ready(!self.outbox.is_empty()).await.ok()?;
            if !self.outbox.is_empty() {
                self.flush();
            }
            match self.socket.receive(&mut self.inbox) {
                Ok(Received::Some) => {}
                Ok(Received::Nothing) => continue,
                Ok(Received::End) | Err(_) => return None,
            }
            let reports = wire::take(&mut self.inbox);
            if !reports.is_empty() {
                return Some(reports);
            }
        }
        None
    }

    /// Tells the shim that nothing more is to come, and waits until it has ended its tree and itself.
    pub(super) fn end(self, patience: Duration) {
        // A shim that is stopped must hear it. (From our end on the kernel wakes what is stopped in a group that has
        // lost its last connection to the session.)
        process::kill(self.pid, SIGCONT);
        if self.socket.close(patience) {
            // Its socket closed because it ends: this takes no time.
            process::wait_for(self.pid);
        }
    }
}
