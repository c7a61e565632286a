//! The private directory of an instance: what a run is told about the changes that caused it, and the
//! markers of those who wait.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::{NamedTempFile, TempDir};

use crate::control::SocketDirectory;
use crate::sys::bytes::os_string;
use crate::sys::{modes, stdio};
use crate::watch;

const MARKERS: &str = "markers";
/// `GO_WATCHER_CHANGED` holds at most this many bytes; the kernel refuses one string of over 128 KiB
/// (`MAX_ARG_STRLEN`, execve(2)).
const LIST_LIMIT: usize = 64 * 1024;

/// The private directory. It goes with the program.
#[derive(Debug)]
pub(super) struct Private {
    directory: io::Result<TempDir>,
    current: Option<NamedTempFile>,
    /// The list of the run before, until [`Self::tidy`].
    old: Option<NamedTempFile>,
    /// An empty file for the next list: made beforehand, because making it takes longer than all the rest.
    next: Option<NamedTempFile>,
}

impl Private {
    /// Makes the directory (mode 0700). A failure is told by the first [`Self::write`].
    pub(super) fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        builder.prefix("go-watcher-").permissions(modes::owner_only());
        let directory = builder.tempdir();
        let directory = directory.and_then(|directory| {
            std::fs::create_dir(directory.path().join(MARKERS))?;
            Ok(directory)
        });
        Self { directory, current: None, old: None, next: None }
    }

    /// The engine's settings, told what is ours: none of it ever counts as a change, wherever it lies.
    pub(super) fn complete(&self, settings: &watch::Settings) -> watch::Settings {
        let mut settings = settings.clone();
        settings.own.extend(self.directory().map(Path::to_path_buf));
        settings.own.push(SocketDirectory::of_this_user().path().to_path_buf());
        settings.own.extend(output_files());
        settings.marker_dir = self.markers();
        settings
    }

    /// Where the markers of those who wait are made.
    pub(super) fn markers(&self) -> Option<PathBuf> {
        self.directory().map(|directory| directory.join(MARKERS))
    }

    /// The directory, so that the watch engine can leave it out.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().ok().map(TempDir::path)
    }

    /// Writes all paths, NUL-separated and byte-exact, to a new private file; the file of the run before goes.
    ///
    /// # Errors
    /// The system's error when the file can't be written, with the directory concerned.
    pub(super) fn write(&mut self, paths: &[Arc<Path>]) -> Result<PathBuf, (PathBuf, io::Error)> {
        self.old = self.current.take();
        let directory = match &self.directory {
            Ok(directory) => directory.path().to_path_buf(),
            Err(error) => return Err((std::env::temp_dir(), copy_of(error))),
        };
        let file = self.write_in(&directory, paths).map_err(|error| (directory, error))?;
        let path = file.path().to_path_buf();
        self.current = Some(file);
        Ok(path)
    }

    /// What can wait until the run has been started: the list before goes, an empty file for the next is made.
    pub(super) fn tidy(&mut self) {
        self.old = None;
        if self.next.is_none()
            && let Ok(directory) = &self.directory
        {
            self.next = empty_file(directory.path()).ok();
        }
    }

    fn write_in(&mut self, directory: &Path, paths: &[Arc<Path>]) -> io::Result<NamedTempFile> {
        // Somebody who cleans up temporary directories may have taken it.
        let prepared = self.next.take().filter(|file| file.path().exists());
        let mut file = prepared.map_or_else(|| empty_file(directory), Ok)?;
        let mut bytes = Vec::new();
        for path in paths {
            bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
            bytes.push(0);
        }
        file.write_all(&bytes)?;
        Ok(file)
    }
}

fn empty_file(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix("changed-").tempfile_in(directory)
}

/// The files that our own output and the command's go to (`go-watcher run … > log`): what is said there
/// must not be a reason to say more.
fn output_files() -> impl Iterator<Item = PathBuf> {
    stdio::paths().filter(|path| path.is_file())
}

fn copy_of(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// The changed paths, newline-separated, whole paths only, at most [`LIST_LIMIT`] bytes.
pub(super) fn list(paths: &[Arc<Path>]) -> OsString {
    let mut bytes: Vec<u8> = Vec::new();
    for path in paths {
        let path = path.as_os_str();
        if bytes.len() + path.len() + 1 > LIST_LIMIT {
            break;
        }
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(path.as_encoded_bytes());
    }
    os_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(count: usize, length: usize) -> Vec<Arc<Path>> {
        (0..count).map(|n| Arc::from(Path::new(&format!("/{n:0length$}")))).collect()
    }

    #[test]
    fn the_list_is_cut_between_paths_and_the_file_is_whole() {
        let many = paths(5000, 200);
        let short = list(&many);
        assert!(short.len() <= LIST_LIMIT && short.len() > LIST_LIMIT - 300);
        assert!(short.as_encoded_bytes().split(|b| *b == b'\n').all(|path| path.len() == 201));

        let mut files = Private::new();
        let mode = std::fs::metadata(files.directory().unwrap()).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700);
        let file = files.write(&many).unwrap();
        assert_eq!(std::fs::read(&file).unwrap().split(|b| *b == 0).count(), 5001);
        files.tidy();
        files.write(&many[..1]).unwrap();
        files.tidy();
        assert!(!file.exists(), "the list of the run before goes");
    }
}
