//! Opening files and listing directories; readdir(3).

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Dir, Mode, OFlags};

use crate::model::EntryKind;
use crate::sys::unix::files::known_kind;

/// Opens for reading.
pub(in crate::sys) fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC | flags, Mode::empty())
}

/// Calls `each` for every entry of a directory, with its kind where the file system tells it for free.
pub(in crate::sys) fn entries(
    directory: &OwnedFd,
    _buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], Option<EntryKind>),
) -> io::Result<()> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            each(name, known_kind(entry.file_type()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_every_entry_with_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        std::fs::create_dir(dir.path().join("dir")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        let mut found = Vec::new();
        let directory = open(dir.path(), OFlags::DIRECTORY).unwrap();
        // Twice: a listing must not move the descriptor that the next one begins at.
        for _ in 0..2 {
            found.clear();
            let each = |name: &[u8], kind| found.push((name.to_vec(), kind));
            entries(&directory, &mut Vec::new(), each).unwrap();
            found.sort_by(|a, b| a.0.cmp(&b.0));
            let expected = [
                (b"dir".to_vec(), Some(EntryKind::Directory)),
                (b"file".to_vec(), Some(EntryKind::File)),
                (b"link".to_vec(), Some(EntryKind::Link)),
            ];
            assert_eq!(found, expected);
        }
    }
}
