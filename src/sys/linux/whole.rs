//! Small files of `/proc`, which do not know their size.

use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

/// All that there is to read in a file; nothing where there is none.
pub(super) fn read(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(CWD, path, flags, Mode::empty()) else { return text };
    let mut buffer = [0u8; 4096];
    while let Ok(n) = rustix::io::read(&file, &mut buffer[..]) {
        if n == 0 {
            break;
        }
        text.extend_from_slice(&buffer[..n]);
    }
    text
}

/// The number that a file holds.
pub(super) fn number(path: &str) -> Option<u64> {
    std::str::from_utf8(&read(Path::new(path))).ok()?.trim().parse().ok()
}
