//! `/proc`.
#![expect(clippy::disallowed_methods, reason = "shell: looks at /proc")]

use std::ffi::OsString;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::process::LeftOver;

/// The path of an open file.
pub(in crate::runtime) fn path_of(file: BorrowedFd<'_>) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Whether no answer of [`git_process`] means that there is none.
pub(in crate::runtime) const SEES_PROCESSES: bool = true;

/// A live git process that works in the repository of `lock`. Git closes the lock's descriptor early, so its
/// working directory is what ties it to the repository.
pub(in crate::runtime) fn git_process(lock: &Path) -> Option<LeftOver> {
    let git = lock.parent()?;
    let tree = git.parent()?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let comm = std::fs::read(entry.path().join("comm")).ok()?;
        let directory = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let ours =
            comm.starts_with(b"git") && (directory.starts_with(tree) || directory.starts_with(git));
        ours.then(|| LeftOver { pid, name: command_line(&entry.path()) })
    })
}

/// `git commit -a` rather than `git`: the arguments tell what holds the lock.
fn command_line(process: &Path) -> OsString {
    let raw = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = raw.split(|b| *b == 0).filter(|w| !w.is_empty()).take(3).collect();
    OsString::from_vec(words.join(&b' '))
}
