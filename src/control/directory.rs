//! The directory of the sockets, which only their owner can enter.
#![expect(clippy::disallowed_methods, reason = "shell: makes and checks the socket directory")]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::local;

/// The private directory of this user's sockets.
#[derive(Clone, Debug)]
pub struct SocketDirectory(PathBuf);

/// The reason for which there is no socket directory.
#[derive(Debug)]
pub enum SocketDirectoryError {
    /// The system refused.
    Io(PathBuf, io::Error),
    /// The directory belongs to another user.
    Foreign(PathBuf, u32),
    /// Other users can enter or write the directory.
    Open(PathBuf, u32),
}

impl fmt::Display for SocketDirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Foreign(path, uid) => {
                write!(
                    f,
                    "{}: belongs to user {uid}; remove it or set XDG_RUNTIME_DIR",
                    path.display()
                )
            }
            Self::Open(path, mode) => write!(
                f,
                "{}: mode {mode:04o} lets others in; chmod 700 it, or set XDG_RUNTIME_DIR",
                path.display()
            ),
        }
    }
}

impl SocketDirectory {
    /// The directory `$XDG_RUNTIME_DIR/go-watcher`, else `go-watcher-UID` in the temporary directory. Nothing is made.
    #[must_use]
    pub fn of_this_user() -> Self {
        let uid = local::user();
        match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
            Some(runtime) if runtime.is_absolute() && runtime.is_dir() => {
                Self(runtime.join("go-watcher"))
            }
            _ => Self(std::env::temp_dir().join(format!("go-watcher-{uid}"))),
        }
    }

    /// Every directory in which an instance of this user may have its socket: it may have been started with another
    /// `XDG_RUNTIME_DIR` or `TMPDIR` (cron, `su`, `docker exec`, tmux). The likeliest comes first.
    #[must_use]
    pub fn candidates() -> Vec<Self> {
        let uid = local::user();
        let own = format!("go-watcher-{uid}");
        let mut all = vec![
            Self::of_this_user(),
            Self(PathBuf::from(format!("/run/user/{uid}/go-watcher"))),
            Self(std::env::temp_dir().join(&own)),
            Self(Path::new("/tmp").join(&own)),
        ];
        let mut seen = std::collections::HashSet::new();
        all.retain(|directory| seen.insert(directory.0.clone()));
        all
    }

    /// A given directory, for tests.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the directory (mode 0700) if it is missing, and checks that it is ours alone.
    ///
    /// # Errors
    /// When it can't be made, is a link or no directory, belongs to another user, or lets others in.
    pub fn prepare(&self) -> Result<(), SocketDirectoryError> {
        match local::make_private_directory(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(SocketDirectoryError::Io(self.0.clone(), error))
            }
            _ => self.check(),
        }
    }

    fn check(&self) -> Result<(), SocketDirectoryError> {
        let failed = |error| SocketDirectoryError::Io(self.0.clone(), error);
        let meta = std::fs::symlink_metadata(&self.0).map_err(failed)?;
        if !meta.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::NotADirectory)));
        }
        if local::owner(&meta) != local::user() {
            return Err(SocketDirectoryError::Foreign(self.0.clone(), local::owner(&meta)));
        }
        match local::mode(&meta) {
            mode if mode & 0o077 != 0 => Err(SocketDirectoryError::Open(self.0.clone(), mode)),
            _ => Ok(()),
        }
    }

    /// Every socket in the directory; none when there is no directory or it is not ours alone.
    #[must_use]
    pub fn sockets(&self) -> Vec<PathBuf> {
        if self.check().is_err() {
            return Vec::new();
        }
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let mut sockets: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sock"))
            .collect();
        sockets.sort();
        sockets
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_that_others_can_enter_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let place = SocketDirectory::at(parent.path().join("go-watcher"));
        place.prepare().unwrap();
        place.prepare().unwrap();
        for mode in [0o710, 0o701, 0o720, 0o777] {
            std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(place.prepare(), Err(SocketDirectoryError::Open(_, m)) if m == mode));
        }
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(parent.path(), parent.path().join("go-watcher")).unwrap();
        let place = SocketDirectory::at(parent.path().join("go-watcher"));
        assert!(matches!(place.prepare(), Err(SocketDirectoryError::Io(..))));
    }
}
