//! The supervisor's connection to one shim process.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, WaitOptions, getpid};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::wire::{self, Order, Report};
use super::{shim, spawn, sys};

/// A running shim and its socket.
#[derive(Debug)]
pub(super) struct Link {
    socket: Socket,
    pub(super) pid: Pid,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    broken: bool,
}

/// The runtime knows the socket only from the first wait on: a shim can be started before there is one.
#[derive(Debug)]
enum Socket {
    Plain(StdStream),
    Registered(UnixStream),
    Closed,
}

impl Socket {
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Socket::Plain(stream) => Some(stream.as_fd()),
            Socket::Registered(stream) => Some(stream.as_fd()),
            Socket::Closed => None,
        }
    }

    fn register(&mut self) -> Option<&UnixStream> {
        if let Socket::Plain(_) = self
            && let Socket::Plain(stream) = std::mem::replace(self, Socket::Closed)
        {
            *self = UnixStream::from_std(stream).map_or(Socket::Closed, Socket::Registered);
        }
        match self {
            Socket::Registered(stream) => Some(stream),
            _ => None,
        }
    }
}

impl Link {
    /// Starts a shim: this same program, found through the kernel and not by its path, which may by now be
    /// another build.
    pub(super) fn start() -> io::Result<Link> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kind = SocketType::STREAM;
        let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, kind, flags, None)?;
        let me = getpid().as_raw_nonzero();
        let ignored = crate::process::signals::ignored_at_start();
        let text = |text: String| CString::new(text).unwrap_or_default();
        let variable = |(name, value): (OsString, OsString)| {
            CString::new([name.into_vec(), value.into_vec()].join(&b'=')).ok()
        };
        let plan = spawn::Plan {
            programs: vec![c"/proc/self/exe".to_owned()],
            argv: vec![text(shim::NAME.into()), text(me.to_string()), text(ignored.to_string())],
            env: std::env::vars_os().filter_map(variable).collect(),
            directory: None,
            stdin: None,
            socket: Some(theirs.as_fd()),
            death_signal: libc::SIGTERM,
            ignored: 0,
            blocked: true,
            foreground: false,
        };
        let blocked = sys::block_all();
        let pid = spawn::spawn(&plan, &blocked)
            .map_err(|failure| io::Error::from_raw_os_error(failure.errno))?;
        let socket = Socket::Plain(StdStream::from(ours));
        Ok(Link { socket, pid, inbox: Vec::new(), outbox: Vec::new(), broken: false })
    }

    /// Sends what the socket takes at once, the rest while waiting.
    pub(super) fn send(&mut self, order: &Order) {
        order.encode(&mut self.outbox);
        let Some(socket) = self.socket.fd() else { return };
        self.broken |= send(socket, &mut self.outbox).is_err_and(is_fatal);
    }

    /// Waits for reports. `None`: the shim is gone. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Option<Vec<Report>> {
        let socket = self.socket.register()?;
        while !self.broken {
            if !self.outbox.is_empty() {
                let ready = socket.ready(Interest::READABLE | Interest::WRITABLE).await.ok()?;
                if ready.is_writable() {
                    let outbox = &mut self.outbox;
                    let sent = socket.try_io(Interest::WRITABLE, || send(socket.as_fd(), outbox));
                    self.broken = sent.is_err_and(is_fatal);
                }
            } else {
                socket.readable().await.ok()?;
            }
            match socket.try_read_buf(&mut self.inbox) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) if is_fatal(error.kind().into()) => return None,
                Err(_) => continue,
            }
            let mut reports = Vec::new();
            wire::frames(&mut self.inbox, |body| reports.extend(Report::decode(body)));
            if !reports.is_empty() {
                return Some(reports);
            }
        }
        None
    }

    /// Tells the shim that nothing more is to come, and waits until it has ended its tree and itself.
    pub(super) fn end(self, patience: Duration) {
        let Some(socket) = self.socket.fd() else { return };
        let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Write);
        // Should somebody have stopped it, nobody looks for that any more. (From our end on the kernel does:
        // it wakes what is stopped in a group that has lost its last connection to the session.)
        let _ = rustix::process::kill_process(self.pid, Signal::CONT);
        let patience = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: 0 };
        let mut bytes = [0; 512];
        loop {
            let ready =
                rustix::event::poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&patience));
            match ready {
                Ok(0) => return,
                Ok(_) => match rustix::net::recv(socket, &mut bytes, RecvFlags::DONTWAIT) {
                    Ok((1.., _)) | Err(Errno::INTR | Errno::AGAIN) => {}
                    Ok(_) | Err(_) => break,
                },
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
        // Its socket closed because it ends: this takes no time.
        let _ = rustix::process::waitpid(Some(self.pid), WaitOptions::empty());
    }
}

/// Sends and takes away what the socket takes.
fn send(socket: BorrowedFd<'_>, outbox: &mut Vec<u8>) -> io::Result<()> {
    while !outbox.is_empty() {
        match rustix::net::send(socket, outbox, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(count) => drop(outbox.drain(..count)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn is_fatal(error: io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
