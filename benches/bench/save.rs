//! Saves as editors and tools make them. Each returns the moment just before the system call that
//! begins to change the watched path.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::Nanos;

/// Content that was never written before: a save of the same bytes is no change.
pub(crate) fn content() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("package main // {number}\n{}", "func f() { return }\n".repeat(64)).into_bytes()
}

/// Truncate, write, close: `>`, `gofmt -w`, most editors without backup.
pub(crate) fn in_place(path: &Path) -> io::Result<Nanos> {
    let bytes = content();
    let start = Nanos::now();
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(&bytes)?;
    Ok(start)
}

/// A temporary beside the file, then a rename over it; the time starts at the rename.
pub(crate) fn atomic(path: &Path) -> io::Result<Nanos> {
    let temporary = path.with_extension("go.tmp");
    fs::write(&temporary, content())?;
    let start = Nanos::now();
    fs::rename(&temporary, path)?;
    Ok(start)
}

/// `mkdir -p directory/a/b` and at once a file in it; the time starts at the file.
pub(crate) fn nested(directory: &Path) -> io::Result<Nanos> {
    let bytes = content();
    let deepest = directory.join("a/b");
    fs::create_dir_all(&deepest)?;
    let start = Nanos::now();
    fs::File::create_new(deepest.join("new.go"))?.write_all(&bytes)?;
    Ok(start)
}
