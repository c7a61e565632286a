//! Opening files and listing directories; getdents(2).

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, RawDir};

use crate::model::EntryKind;
use crate::sys::unix::files::known_kind;

/// Opens for reading, leaving no trace in the access time where that is allowed (for the owner).
pub(in crate::sys) fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | flags;
    match rustix::fs::openat(CWD, path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(rustix::io::Errno::PERM) => rustix::fs::openat(CWD, path, flags, Mode::empty()),
        result => result,
    }
}

/// Calls `each` for every entry of a directory, with its kind where the file system tells it for free.
/// `buffer` is scratch space.
pub(in crate::sys) fn entries(
    directory: &OwnedFd,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8], Option<EntryKind>),
) -> io::Result<()> {
    buffer.clear();
    buffer.reserve(32 * 1024);
    let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
    let mut entries = RawDir::new(directory, spare);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        let name = name.to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        each(name, known_kind(entry.file_type()));
    }
    Ok(())
}
