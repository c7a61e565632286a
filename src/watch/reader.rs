//! The background reader: the contents of files, one after the other, at low priority.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::message::{Hashed, Inner, Message};
use super::os;

/// Files to be read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) paths: Vec<Arc<Path>>,
    /// See [`Hashed::epoch`].
    pub(super) epoch: Option<u32>,
}

/// Starts the reader; it ends when the sender is dropped. `pause` before each file is for tests.
pub(super) fn start(to: UnboundedSender<Message>, limit: u64, pause: Duration) -> Sender<Request> {
    let (requests, from) = channel::<Request>();
    let work = move || {
        os::lower_priority();
        while let Ok(Request { paths, epoch }) = from.recv() {
            let mut buffer = Vec::new();
            let mut hashed = Vec::with_capacity(paths.len());
            for path in paths {
                if !pause.is_zero() {
                    std::thread::sleep(pause);
                }
                let found = os::hash(&path, limit, &mut buffer);
                hashed.push(Hashed { path, found, epoch });
            }
            if to.send(Message(Inner::Hashed(hashed))).is_err() {
                return;
            }
        }
    };
    // Without a reader nothing is known, and unknown means changed.
    let _ = std::thread::Builder::new().name("gw-read".into()).spawn(work);
    requests
}
