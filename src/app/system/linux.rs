//! `/proc`.
#![expect(clippy::disallowed_methods, reason = "shell: looks at /proc")]

use std::ffi::OsString;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::Holder;
use crate::model::LeftOver;

/// The path of an open file.
pub(in crate::app) fn path_of(file: BorrowedFd<'_>) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Who holds git's lock: a live process that has it open, or a git that works in its repository (git closes
/// the lock's descriptor early; its working directory is what ties it to the repository).
pub(in crate::app) fn holder(lock: &Path) -> Holder {
    let Some(places) = work_places(lock) else { return Holder::Unknown };
    let Ok(processes) = std::fs::read_dir("/proc") else { return Holder::Unknown };
    let mut nobody = Holder::Nobody;
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let process = entry.path();
        let git = std::fs::read(process.join("comm")).is_ok_and(|name| name.starts_with(b"git"));
        let works_here = git
            && match std::fs::read_link(process.join("cwd")) {
                Ok(directory) => places.iter().any(|place| directory.starts_with(place)),
                Err(error) => {
                    // Somebody else's git: perhaps here.
                    if error.kind() == std::io::ErrorKind::PermissionDenied {
                        nobody = Holder::Unknown;
                    }
                    false
                }
            };
        if (works_here && may_lock(&process)) || has_open(&process, lock) {
            return Holder::Process(LeftOver { pid, name: command_line(&process) });
        }
    }
    nobody
}

/// Where a git that holds this lock may be at work: in the git directory, and in its work tree, which for a
/// linked one (gitrepository-layout(5)) is named in the file `gitdir`.
fn work_places(lock: &Path) -> Option<Vec<PathBuf>> {
    let git = lock.parent()?;
    let mut places = vec![git.to_path_buf()];
    match std::fs::read(git.join("gitdir")) {
        Ok(text) => {
            let file = PathBuf::from(OsString::from_vec(text.trim_ascii_end().to_vec()));
            places.extend(git.join(file).parent().map(Path::to_path_buf));
        }
        Err(_) => places.push(git.parent()?.to_path_buf()),
    }
    // What `/proc` tells has no links in it.
    Some(places.into_iter().map(|place| std::fs::canonicalize(&place).unwrap_or(place)).collect())
}

/// Editors keep a `git cat-file` running, git itself a daemon that watches files: those lock nothing.
fn may_lock(process: &Path) -> bool {
    let raw = std::fs::read(process.join("cmdline")).unwrap_or_default();
    !raw.split(|b| *b == 0).any(|word| word == b"cat-file" || word.ends_with(b"--daemon"))
}

fn has_open(process: &Path, file: &Path) -> bool {
    let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    open.into_iter().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|open| open == file))
}

/// `git commit -a` rather than `git`: the arguments tell what holds the lock.
fn command_line(process: &Path) -> OsString {
    let raw = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = raw.split(|b| *b == 0).filter(|w| !w.is_empty()).take(3).collect();
    OsString::from_vec(words.join(&b' '))
}
