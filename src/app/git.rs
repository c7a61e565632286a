//! The git gate: while git holds its index lock, a checkout, stash or rebase is under way and the tree
//! is not what anybody wants to run.
#![expect(clippy::disallowed_methods, reason = "shell: looks at lock files")]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::settle::numbers::GIT_PATIENCE;

/// A hold is said after this time.
pub(super) const SAY_AFTER: Duration = Duration::from_secs(1);

/// What git says about the trees at this moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Nothing is under way.
    Open,
    /// A sequence of steps is under way: wait for a longer quiet.
    Sequence,
    /// The index is locked.
    Held(Hold),
}

/// A lock that is held now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// The lock file.
    pub lock: PathBuf,
    /// Since when we know it.
    pub since: Instant,
    /// The hold has lasted over [`SAY_AFTER`] and has not been said yet.
    pub say: bool,
}

/// One lock file as an object: the same path made anew is another lock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LockId {
    path: PathBuf,
    inode: u64,
    changed: (i64, i64),
}

/// Remembers which lock is held since when, and which ran into the end of our patience.
#[derive(Debug, Default)]
pub(super) struct GitGate {
    held: Option<(LockId, Instant, bool)>,
    expired: Vec<LockId>,
    /// The index of each repository as it was at the last look: inode and change time.
    indexes: HashMap<PathBuf, (u64, i64, i64)>,
    /// An index was another one at the last look than at the one before.
    worked: bool,
}

impl GitGate {
    /// Looks at the git directories of `roots`.
    pub(super) fn look<'a>(&mut self, roots: impl Iterator<Item = &'a Path>, now: Instant) -> Gate {
        let mut directories: Vec<PathBuf> = roots.filter_map(git_directory).collect();
        directories.dedup();
        self.worked = false;
        for git in &directories {
            self.compare_index(git);
        }
        let lock = directories.iter().find_map(|git| self.live_lock(git));
        match lock {
            Some(lock) => self.hold(lock, now),
            None => {
                self.held = None;
                match directories.iter().any(|git| in_sequence(git)) {
                    true => Gate::Sequence,
                    false => Gate::Open,
                }
            }
        }
    }

    /// Whether a lock was held at the last look.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Whether git has done something between the last two looks: on a busy machine it may have come and gone
    /// without anybody having seen its lock.
    pub(super) fn has_worked(&self) -> bool {
        self.worked
    }

    fn compare_index(&mut self, git: &Path) {
        let Ok(meta) = std::fs::symlink_metadata(git.join("index")) else { return };
        let present = (meta.ino(), meta.ctime(), meta.ctime_nsec());
        let before = self.indexes.insert(git.to_path_buf(), present);
        self.worked |= before.is_some_and(|before| before != present);
    }

    fn live_lock(&self, git: &Path) -> Option<LockId> {
        let path = git.join("index.lock");
        let meta = std::fs::symlink_metadata(&path).ok()?;
        let lock = LockId { path, inode: meta.ino(), changed: (meta.ctime(), meta.ctime_nsec()) };
        (!self.expired.contains(&lock)).then_some(lock)
    }

    fn hold(&mut self, lock: LockId, now: Instant) -> Gate {
        // One operation may take the lock several times in a row: the hold goes on, whichever lock it is.
        let (since, said) = match &self.held {
            Some((held, since, said)) if held.path == lock.path => (*since, *said),
            _ => (now, false),
        };
        let age = now.saturating_duration_since(since);
        if age >= GIT_PATIENCE {
            self.held = None;
            self.expired.push(lock);
            return Gate::Open;
        }
        let say = !said && age >= SAY_AFTER;
        self.held = Some((lock.clone(), since, said || say));
        Gate::Held(Hold { lock: lock.path, since, say })
    }
}

/// The git directory that governs `root`: the nearest `.git` upward; a `.git` file is followed.
fn git_directory(root: &Path) -> Option<PathBuf> {
    root.ancestors().find_map(|directory| {
        let candidate = directory.join(".git");
        let meta = std::fs::metadata(&candidate).ok()?;
        if meta.is_dir() { Some(candidate) } else { follow_git_file(directory, &candidate) }
    })
}

/// `gitdir: PATH`, as worktrees and submodules have it (gitrepository-layout(5)).
fn follow_git_file(directory: &Path, file: &Path) -> Option<PathBuf> {
    let text = std::fs::read(file).ok()?;
    let target = text.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    Some(directory.join(OsStr::from_bytes(target)))
}

fn in_sequence(git: &Path) -> bool {
    ["rebase-merge", "rebase-apply", "sequencer"]
        .iter()
        .any(|name| std::fs::symlink_metadata(git.join(name)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join(".git")).unwrap();
        directory
    }

    fn look(gate: &mut GitGate, root: &Path, now: Instant) -> Gate {
        gate.look(std::iter::once(root), now)
    }

    #[test]
    fn a_lock_holds_is_said_once_and_ends_after_ten_seconds_for_good() {
        let repo = repository();
        let sub = repo.path().join("src");
        std::fs::create_dir(&sub).unwrap();
        let mut gate = GitGate::default();
        let start = Instant::now();
        assert_eq!(look(&mut gate, &sub, start), Gate::Open);

        std::fs::write(repo.path().join(".git/index.lock"), "").unwrap();
        let said =
            |gate: &mut GitGate, at: u64| match look(gate, &sub, start + Duration::from_millis(at))
            {
                Gate::Held(hold) => Some(hold.say),
                _ => None,
            };
        assert_eq!(said(&mut gate, 0), Some(false));
        assert_eq!(said(&mut gate, 999), Some(false));
        assert_eq!(said(&mut gate, 1000), Some(true));
        assert_eq!(said(&mut gate, 1005), Some(false));
        assert_eq!(said(&mut gate, 10_000), None);
        assert_eq!(said(&mut gate, 10_005), None, "an expired lock never holds again");

        std::fs::remove_file(repo.path().join(".git/index.lock")).unwrap();
        assert_eq!(look(&mut gate, &sub, start + Duration::from_secs(11)), Gate::Open);
    }

    #[test]
    fn work_that_came_and_went_between_two_looks_is_known_by_the_index() {
        let repo = repository();
        let mut gate = GitGate::default();
        let worked = |gate: &mut GitGate| {
            look(gate, repo.path(), Instant::now());
            gate.has_worked()
        };
        std::fs::write(repo.path().join(".git/index"), "one").unwrap();
        assert!(!worked(&mut gate), "the first look");
        assert!(!worked(&mut gate));
        std::fs::write(repo.path().join(".git/index.lock"), "two").unwrap();
        let index = repo.path().join(".git/index");
        std::fs::rename(repo.path().join(".git/index.lock"), index).unwrap();
        assert!(worked(&mut gate));
        assert!(!worked(&mut gate), "once");
    }

    #[test]
    fn a_git_file_is_followed_and_a_rebase_is_a_sequence() {
        let repo = repository();
        let tree = tempfile::tempdir().unwrap();
        let git = repo.path().join(".git/worktrees/w");
        std::fs::create_dir_all(git.join("rebase-merge")).unwrap();
        std::fs::write(tree.path().join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
        let mut gate = GitGate::default();
        let now = Instant::now();
        assert_eq!(look(&mut gate, tree.path(), now), Gate::Sequence);
        std::fs::write(git.join("index.lock"), "").unwrap();
        assert!(matches!(look(&mut gate, tree.path(), now), Gate::Held(_)));
    }
}
