//! Asking a running instance.
#![expect(clippy::disallowed_methods, reason = "shell: removes stale sockets")]

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Ask, Identity, Reply, SocketDirectory};
use crate::sys::local::Asking;

/// How long an instance may take to say who it is.
const IDENTIFY_WITHIN: Duration = Duration::from_secs(2);

/// A running instance that can be asked.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The answer to [`Ask::Identify`].
    pub identity: Identity,
    socket: PathBuf,
}

impl Instance {
    /// The working directory of the instance.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.identity.directory.path()
    }

    /// Asks and waits for the answer, at most `within` when given.
    ///
    /// # Errors
    /// When the instance is gone, answers nonsense, or the time is over (`WouldBlock`).
    pub fn ask(&self, ask: &Ask, within: Option<Duration>) -> io::Result<Reply> {
        exchange(&self.socket, ask, within)
    }
}

/// The instances whose working directory is `directory` or above it, the oldest first. Sockets of instances that are
/// gone are removed.
#[must_use]
pub fn covering(directory: &Path) -> Vec<Instance> {
    let places = SocketDirectory::candidates();
    let mut found: Vec<Instance> = places.iter().flat_map(all).collect();
    found.retain(|instance| directory.starts_with(instance.directory()));
    found.sort_by_key(|instance| std::cmp::Reverse(instance.identity.age_ms));
    found
}

/// Every instance whose socket is in a directory.
fn all(sockets: &SocketDirectory) -> Vec<Instance> {
    sockets.sockets().into_iter().filter_map(identify).collect()
}

fn identify(socket: PathBuf) -> Option<Instance> {
    match exchange(&socket, &Ask::Identify, Some(IDENTIFY_WITHIN)) {
        Ok(Reply::Identity(identity)) => Some(Instance { identity, socket }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let _ = std::fs::remove_file(&socket);
            None
        }
        _ => None,
    }
}

fn exchange(socket: &Path, ask: &Ask, within: Option<Duration>) -> io::Result<Reply> {
    let mut stream = Asking::connect(socket)?;
    // No time at all is refused by the system.
    stream.set_read_timeout(within.map(|within| within.max(Duration::from_millis(1))))?;
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    if BufReader::new(stream).read_line(&mut answer)? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    Ok(serde_json::from_str(&answer)?)
}
