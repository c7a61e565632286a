//! Reading what files hold: at once for a comparison, or one after the other in the background, at low priority.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::message::{Hashed, Inner, Message};
use crate::model::EntryKind;
use crate::sys::files::{File, Opened, Stat, link_target, lstat};
use crate::sys::thread;

/// Files to be read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) paths: Vec<Arc<Path>>,
    /// The epoch of [`Hashed`].
    pub(super) epoch: Option<u32>,
}

/// Starts the reader; it ends when the sender is dropped. `pause` before each file is for tests.
pub(super) fn start(to: UnboundedSender<Message>, limit: u64, pause: Duration) -> Sender<Request> {
    let (requests, from) = channel::<Request>();
    let work = move || {
        thread::lower_priority();
        while let Ok(Request { paths, epoch }) = from.recv() {
            let mut buffer = Vec::new();
            let mut hashed = Vec::with_capacity(paths.len());
            for path in paths {
                if !pause.is_zero() {
                    std::thread::sleep(pause);
                }
                let found = hash(&path, limit, &mut buffer);
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

/// The number of bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// How often a file is read again that is not as long as its state says: it has been written to meanwhile, and the
/// bytes are of one moment, the state of another. (In `/proc` a file may be longer than it says.)
const TRIES: usize = 8;

/// The hash of a path's content and its state *after* the reading: of a regular file of at most `limit`
/// bytes, or of where a link leads. `None` for everything else and for what cannot be read.
pub(super) fn hash(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> Option<(u64, Stat)> {
    let file = match File::open(path).ok()? {
        Opened::File(file) => file,
        Opened::Link => return hash_link(path),
    };
    let mut found = None;
    for _ in 0..TRIES {
        let (hash, length, stat) = hash_open(&file, limit, buffer)?;
        found = Some((hash, stat));
        if length == stat.size {
            break;
        }
    }
    found
}

/// The hash and the length of what is in an open file, and its state after that.
fn hash_open(file: &File, limit: u64, buffer: &mut Vec<u8>) -> Option<(u64, u64, Stat)> {
    let mut length = file.read_at(0, PIECE, buffer).ok()?;
    let stat = file.stat().ok()?;
    if stat.kind != EntryKind::File || stat.size > limit {
        return None;
    }
    if length == stat.size {
        // In one piece, as nearly always.
        return Some((xxh3_64(buffer).max(1), length, stat));
    }
    let mut hasher = Xxh3Default::new();
    while !buffer.is_empty() {
        hasher.update(buffer);
        if length > limit {
            return None;
        }
        length += file.read_at(length, PIECE, buffer).ok()?;
    }
    Some((hasher.digest().max(1), length, file.stat().ok()?))
}

fn hash_link(path: &Path) -> Option<(u64, Stat)> {
    let target = link_target(path)?;
    let stat = lstat(path).ok()?;
    (stat.kind == EntryKind::Link).then(|| (xxh3_64(&target).max(1), stat))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files::read_file;

    #[test]
    fn a_fifo_is_neither_read_nor_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(hash(&path, 1 << 20, &mut Vec::new()).is_none());
        assert!(read_file(&path, 100).is_err());
    }

    #[test]
    fn bytes_and_state_are_of_one_moment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let hash_of = |text: &str| xxh3_64(text.as_bytes()).max(1);
        std::fs::write(&path, "two").unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        let ordering = std::sync::atomic::Ordering::Relaxed;
        let torn = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(ordering) {
                    std::fs::write(&path, "two").unwrap();
                }
            });
            let torn = (0..20_000)
                .filter_map(|_| hash(&path, 1 << 20, &mut Vec::new()))
                .filter(|(hash, stat)| *hash != hash_of(if stat.size == 0 { "" } else { "two" }))
                .count();
            done.store(true, ordering);
            torn
        });
        assert_eq!(torn, 0);
    }

    #[test]
    fn a_link_has_the_hash_of_where_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link");
        let hash_of = |target: &str| {
            let _ = rustix::fs::unlink(&path);
            rustix::fs::symlink(target, &path).unwrap();
            hash(&path, 1 << 20, &mut Vec::new()).unwrap().0
        };
        assert_eq!(hash_of("a"), hash_of("a"));
        assert_ne!(hash_of("a"), hash_of("b"));
    }
}
