//! A descriptor that the runtime watches.
#![expect(unsafe_code, reason = "AsyncFd wants a promise that the descriptor stays open")]

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Tells when there is something to read, and when there will be nothing any more.
#[derive(Debug)]
pub struct Readable(AsyncFd<OwnedFd>);

impl Readable {
    /// Takes the descriptor, which must not block. Must be called inside the tokio runtime.
    pub(in crate::sys) fn new(fd: OwnedFd) -> Option<Readable> {
        // SAFETY: an `OwnedFd` stays open and the same until it is dropped, after its registration.
        unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.ok().map(Readable)
    }

    /// Waits until there is something new to read, and leaves it there. Never ends once the other end has closed.
    pub async fn touched(&self) {
        match self.0.readable().await {
            Ok(mut ready) if !ready.ready().is_read_closed() => ready.clear_ready(),
            _ => pending().await,
        }
    }

    /// Waits until the other end has closed. (An interest in that alone would not be woken.)
    pub async fn closed(&self) {
        while let Ok(mut ready) = self.0.readable().await {
            if ready.ready().is_read_closed() {
                return;
            }
            ready.clear_ready();
        }
        pending().await
    }

    /// The next bytes; `None` when there is nothing to read any more. Cancel-safe.
    pub async fn read(&self) -> Option<Vec<u8>> {
        loop {
            let mut ready = self.0.readable().await.ok()?;
            let mut bytes = [0; 256];
            let read = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut bytes)?));
            match read {
                Ok(Ok(0)) => return None,
                Ok(Ok(count)) => return bytes.get(..count).map(<[u8]>::to_vec),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return None,
                Err(_would_block) => {}
            }
        }
    }
}
