//! The git repository that a path lies in; gitrepository-layout(5).

use std::path::{Path, PathBuf};

use crate::sys::bytes::os_str;
use crate::sys::files::{self, Stat};

/// A file that names a directory is no longer than this.
const LIMIT: usize = 8192;

/// A repository, seen from one of its work trees.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Where the work tree begins.
    pub(crate) top: PathBuf,
    /// The git directory of this work tree: it holds the index and its lock.
    pub(crate) directory: PathBuf,
}

impl Repository {
    /// The nearest one upward. In a linked work tree or a submodule `.git` is a file that names the git directory.
    pub(crate) fn around(path: &Path) -> Option<Self> {
        path.ancestors().find_map(|top| {
            let dot_git = top.join(".git");
            let directory = if files::stat(&dot_git).ok()?.is_dir() {
                dot_git
            } else {
                let text = files::read_file(&dot_git, LIMIT).ok()?;
                top.join(named_in(text.strip_prefix(b"gitdir: ")?))
            };
            Some(Self { top: top.to_path_buf(), directory })
        })
    }

    /// Its `info/exclude`. Linked work trees share it: `commondir` leads there.
    pub(crate) fn exclude_file(&self) -> PathBuf {
        let common = files::read_file(&self.directory.join("commondir"), LIMIT);
        let shared = common.map_or(PathBuf::new(), |text| named_in(&text));
        self.directory.join(shared).join("info/exclude")
    }

    /// The state of a file in the git directory.
    pub(crate) fn lstat(&self, name: &str) -> Option<Stat> {
        files::lstat(&self.directory.join(name)).ok()
    }
}

fn named_in(line: &[u8]) -> PathBuf {
    PathBuf::from(os_str(line.trim_ascii_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linked_work_tree_has_its_own_directory_and_shares_the_exclude_file() {
        let tree = tempfile::tempdir().unwrap();
        let top = tree.path();
        let write = |path: &str, text: &str| {
            let path = top.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(".git/worktrees/w/commondir", "../..\n");
        write("w/.git", "gitdir: ../.git/worktrees/w\n");
        write("w/sub/.git", "no repository\n");
        let main = Repository::around(&top.join("src")).unwrap();
        assert_eq!((&*main.top, main.directory.clone()), (top, top.join(".git")));
        assert_eq!(main.exclude_file(), top.join(".git/info/exclude"));
        let linked = Repository::around(&top.join("w/sub")).unwrap();
        assert_eq!(linked.top, top.join("w"));
        assert!(linked.lstat("commondir").is_some());
        let exclude = top.join("w/../.git/worktrees/w/../../info/exclude");
        assert_eq!(linked.exclude_file(), exclude);
    }
}
