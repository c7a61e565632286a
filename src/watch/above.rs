//! The ignore files outside of a root that speak about it: those above it up to the repository's top, the
//! repository's `info/exclude` and the person's `core.excludesFile`.

use std::path::{Path, PathBuf};

use super::list::Ground;
use crate::filter::{IGNORE_FILES, IgnoreText};
use crate::sys::bytes::os_str;
use crate::sys::files;

/// An ignore file larger than this is not one.
const LIMIT: usize = 4 << 20;

impl Ground {
    /// The texts that there are, and every file to be watched because it could say something.
    pub(crate) fn rules_above(&self, root: &Path) -> (Vec<IgnoreText>, Vec<PathBuf>) {
        let (mut texts, mut files) = (Vec::new(), Vec::new());
        if !self.filter.spec().gitignore {
            return (texts, files);
        }
        let top = root.ancestors().find(|dir| files::lstat(&dir.join(".git")).is_ok());
        if let Some(path) = ignore::gitignore::gitconfig_excludes_path() {
            let base = top.unwrap_or(root).to_path_buf();
            if let Ok(text) = files::read_file(&path, LIMIT) {
                texts.push(IgnoreText::global(path.clone(), text, base));
            }
            files.push(path);
        }
        let Some(top) = top else { return (texts, files) };
        if let Some(path) = exclude_file(top) {
            if let Ok(text) = files::read_file(&path, LIMIT) {
                texts.push(IgnoreText::exclude(path.clone(), text, top.to_path_buf()));
            }
            files.push(path);
        }
        let between: Vec<&Path> =
            root.ancestors().skip(1).take_while(|dir| dir.starts_with(top)).collect();
        for dir in between.into_iter().rev() {
            for name in IGNORE_FILES {
                let path = dir.join(name);
                if let Ok(text) = files::read_file(&path, LIMIT) {
                    texts.push(IgnoreText::in_directory(path.clone(), text));
                }
                files.push(path);
            }
        }
        (texts, files)
    }
}

/// `info/exclude` of the repository whose work tree begins at `top`. In a linked work tree or a submodule
/// `.git` is a file that names the git directory; `commondir` in it leads to the shared one.
fn exclude_file(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(".git");
    if files::lstat(&dot_git).ok()?.is_dir() {
        return Some(dot_git.join("info/exclude"));
    }
    let text = files::read_file(&dot_git, 8192).ok()?;
    let git = top.join(path_of(text.strip_prefix(b"gitdir: ")?));
    let common = files::read_file(&git.join("commondir"), 8192).ok();
    let shared = common.map_or_else(|| git.clone(), |text| git.join(path_of(&text)));
    Some(shared.join("info/exclude"))
}

fn path_of(line: &[u8]) -> PathBuf {
    PathBuf::from(os_str(line.trim_ascii_end()))
}
