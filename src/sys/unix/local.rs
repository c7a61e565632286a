//! Sockets in the file system that only one user can reach; unix(7).

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The end that asks.
pub use std::os::unix::net::UnixStream as Asking;
/// The socket that takes connections, and the end of a connection that answers.
pub use tokio::net::{UnixListener as Listener, UnixStream as Answering};

/// The number of the user that this process acts as.
#[must_use]
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user that a file belongs to.
#[must_use]
pub fn owner(file: &Metadata) -> u32 {
    file.uid()
}

/// What the owner, the group and others may do with a file; chmod(2).
#[must_use]
pub fn mode(file: &Metadata) -> u32 {
    file.mode() & 0o7777
}

/// Makes a directory that only its owner can enter.
///
/// # Errors
/// The system's.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Lets only the owner of a socket connect to it.
///
/// # Errors
/// The system's.
pub fn make_private(socket: &Path) -> io::Result<()> {
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))
}

/// Whether a process of this user is at the other end.
#[must_use]
pub fn is_own(connection: &Answering) -> bool {
    connection.peer_cred().is_ok_and(|peer| peer.uid() == user())
}
