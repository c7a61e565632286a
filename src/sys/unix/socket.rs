//! A connection between two processes of this program: a pair of stream sockets that never block.
#![expect(unsafe_code, reason = "a descriptor that was inherited is taken over by its number")]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream as Plain;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// At least so much is read at once.
const CHUNK: usize = 16 * 1024;

/// One end. Writing to an end whose other is closed is an error, and no signal where SIGPIPE is ignored or
/// blocked.
#[derive(Debug)]
pub struct Socket(End);

/// The runtime knows the socket only from the first wait on: it can be made before there is one.
#[derive(Debug)]
enum End {
    Plain(Plain),
    Registered(UnixStream),
    Lost,
}

/// What a look at the socket has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Bytes.
    Some,
    /// Nothing yet.
    Nothing,
    /// The other end is closed.
    End,
}

impl Socket {
    /// Two ends that are connected. No program inherits them.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn pair() -> io::Result<(Socket, Socket)> {
        let (one, other) = Plain::pair()?;
        Ok((Socket::of(one)?, Socket::of(other)?))
    }

    fn of(stream: Plain) -> io::Result<Socket> {
        stream.set_nonblocking(true)?;
        Ok(Socket(End::Plain(stream)))
    }

    /// Takes over the end that the parent of this process has left for it under a fixed number.
    ///
    /// # Errors
    /// When there is no such descriptor.
    pub fn inherited(number: i32) -> io::Result<Socket> {
        // SAFETY: fcntl fails harmlessly when there is no such descriptor; when there is one, it was made for
        // this process by its parent, and nothing else in it knows the number.
        let fd = unsafe {
            if libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(number)
        };
        Socket::of(Plain::from(fd))
    }

    /// The descriptor.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.0 {
            End::Plain(stream) => Some(stream.as_fd()),
            End::Registered(stream) => Some(stream.as_fd()),
            End::Lost => None,
        }
    }

    /// Sends what the socket takes at once, and takes that off the front of the box.
    ///
    /// # Errors
    /// When the other end is closed.
    pub fn send(&self, outbox: &mut Vec<u8>) -> io::Result<()> {
        let fd = self.fd().ok_or(Errno::BADF)?;
        while !outbox.is_empty() {
            match rustix::io::write(fd, outbox) {
                Ok(count) => drop(outbox.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.must_wait(Interest::WRITABLE);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn receive(&self, inbox: &mut Vec<u8>) -> io::Result<Received> {
        inbox.reserve(CHUNK);
        let read = match &self.0 {
            End::Registered(stream) => stream.try_read_buf(inbox),
            End::Plain(stream) => {
                let room = rustix::buffer::spare_capacity(inbox);
                rustix::io::read(stream, room).map_err(io::Error::from)
            }
            End::Lost => return Ok(Received::End),
        };
        match read {
            Ok(0) => Ok(Received::End),
            Ok(_) => Ok(Received::Some),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Received::Nothing),
                _ => Err(error),
            },
        }
    }

    /// Waits until there is something to read, or, if asked for, until it takes more. Must be called inside the
    /// tokio runtime. Cancel-safe.
    ///
    /// # Errors
    /// When the runtime does not take it.
    pub async fn ready(&mut self, to_send: bool) -> io::Result<()> {
        if let End::Plain(_) = self.0
            && let End::Plain(stream) = std::mem::replace(&mut self.0, End::Lost)
        {
            self.0 = End::Registered(UnixStream::from_std(stream)?);
        }
        let End::Registered(stream) = &self.0 else { return Err(Errno::BADF.into()) };
        let interest = if to_send { Interest::WRITABLE } else { Interest::READABLE };
        stream.ready(interest | Interest::READABLE).await.map(drop)
    }

    /// Tells the other end that nothing more is to come, and waits, so long at most, until that one is closed.
    pub fn close(&self, patience: Duration) -> bool {
        let Some(fd) = self.fd() else { return true };
        let _ = rustix::net::shutdown(fd, rustix::net::Shutdown::Write);
        let mut bytes = [0; 512];
        loop {
            match readable(fd, patience) {
                Ok(true) => match rustix::io::read(fd, &mut bytes) {
                    Ok(1..) | Err(Errno::INTR | Errno::AGAIN) => {}
                    Ok(_) | Err(_) => return true,
                },
                Err(Errno::INTR) => {}
                Ok(false) | Err(_) => return false,
            }
        }
    }

    /// The runtime takes it for ready until it is told otherwise.
    fn must_wait(&self, interest: Interest) {
        if let End::Registered(stream) = &self.0 {
            let _ = stream.try_io(interest, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        }
    }
}

fn readable(fd: BorrowedFd<'_>, patience: Duration) -> rustix::io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience =
        Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
    Ok(poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&patience))? > 0)
}
