//! The git gate: while git holds its index lock, a checkout, stash or rebase is under way and the tree
//! is not what anybody wants to run.
#![expect(clippy::disallowed_methods, reason = "shell: compares a lock's time with the clock's")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::settle::numbers::GIT_PATIENCE;
use crate::watch::Repository;

/// A hold is said after this time.
const SAY_AFTER: Duration = Duration::from_secs(1);
/// A lock that was written so long ago is stale.
const STALE_AFTER: Duration = Duration::from_secs(60);

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
    /// How long ago the lock was written.
    pub age: Duration,
}

/// One lock file as an object: the same path made anew is another lock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lock {
    path: PathBuf,
    print: u32,
    /// Nanoseconds since 1970.
    written: i64,
}

impl Lock {
    fn age(&self) -> Duration {
        let written = Duration::from_nanos(u64::try_from(self.written).unwrap_or(0));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(written)
    }
}

impl Hold {
    /// Whether the lock is so old that its git has most likely died. Only a commit whose editor is open takes as long.
    pub(super) fn is_stale(&self) -> bool {
        self.age >= STALE_AFTER
    }
}

/// Remembers which lock is held since when, and which ran into the end of our patience.
#[derive(Debug, Default)]
pub(super) struct GitGate {
    held: Option<(Lock, Instant, bool)>,
    expired: Vec<Lock>,
    /// The fingerprint of each repository's index at the last look.
    indexes: HashMap<PathBuf, u32>,
    /// An index was another one at the last look than at the one before.
    worked: bool,
}

impl GitGate {
    /// Looks at the git directories of `roots`.
    pub(super) fn look<'a>(&mut self, roots: impl Iterator<Item = &'a Path>, now: Instant) -> Gate {
        let mut repositories: Vec<Repository> = roots.filter_map(Repository::around).collect();
        repositories.dedup_by(|a, b| a.directory == b.directory);
        self.worked = false;
        for repository in &repositories {
            self.compare_index(repository);
        }
        let lock = repositories.iter().find_map(|repository| self.live_lock(repository));
        match lock {
            Some(lock) => self.hold(lock, now),
            None => {
                self.held = None;
                match repositories.iter().any(in_sequence) {
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

    fn compare_index(&mut self, repository: &Repository) {
        let Some(index) = repository.lstat("index") else { return };
        let before = self.indexes.insert(repository.directory.clone(), index.print());
        self.worked |= before.is_some_and(|before| before != index.print());
    }

    fn live_lock(&self, repository: &Repository) -> Option<Lock> {
        let found = repository.lstat("index.lock")?;
        let path = repository.directory.join("index.lock");
        let lock = Lock { path, print: found.print(), written: found.mtime };
        (!self.expired.contains(&lock)).then_some(lock)
    }

    fn hold(&mut self, lock: Lock, now: Instant) -> Gate {
        // One operation may take the lock several times in a row: the hold goes on, whichever lock it is.
        let (since, said) = match &self.held {
            Some((held, since, said)) if held.path == lock.path => (*since, *said),
            _ => (now, false),
        };
        let held_for = now.saturating_duration_since(since);
        if held_for >= GIT_PATIENCE {
            self.held = None;
            self.expired.push(lock);
            return Gate::Open;
        }
        let say = !said && held_for >= SAY_AFTER;
        self.held = Some((lock.clone(), since, said || say));
        Gate::Held(Hold { age: lock.age(), lock: lock.path, since, say })
    }
}

fn in_sequence(repository: &Repository) -> bool {
    let steps = ["rebase-merge", "rebase-apply", "sequencer"];
    steps.iter().any(|name| repository.lstat(name).is_some())
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
