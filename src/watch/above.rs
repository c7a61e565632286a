//! The ignore files outside of a root that speak about it: those above it up to the repository's top, the
//! repository's `info/exclude` and the person's `core.excludesFile`.

use std::path::{Path, PathBuf};

use super::list::Ground;
use super::os;
use super::repository::Repository;
use crate::filter::{IGNORE_FILES, IgnoreText};

/// An ignore file larger than this is not one.
const LIMIT: usize = 4 << 20;

impl Ground {
    /// The texts that there are, and every file to be watched because it could say something.
    pub(crate) fn rules_above(&self, root: &Path) -> (Vec<IgnoreText>, Vec<PathBuf>) {
        let (mut texts, mut files) = (Vec::new(), Vec::new());
        if !self.filter.spec().gitignore {
            return (texts, files);
        }
        let repository = Repository::around(root);
        let top = repository.as_ref().map(|repository| &*repository.top);
        if let Some(path) = ignore::gitignore::gitconfig_excludes_path() {
            let base = top.unwrap_or(root).to_path_buf();
            if let Ok(text) = os::read_file(&path, LIMIT) {
                texts.push(IgnoreText::global(path.clone(), text, base));
            }
            files.push(path);
        }
        let Some(repository) = &repository else { return (texts, files) };
        let top = &repository.top;
        let exclude = repository.exclude_file();
        if let Ok(text) = os::read_file(&exclude, LIMIT) {
            texts.push(IgnoreText::exclude(exclude.clone(), text, top.clone()));
        }
        files.push(exclude);
        let between: Vec<&Path> =
            root.ancestors().skip(1).take_while(|dir| dir.starts_with(top)).collect();
        for dir in between.into_iter().rev() {
            for name in IGNORE_FILES {
                let path = dir.join(name);
                if let Ok(text) = os::read_file(&path, LIMIT) {
                    texts.push(IgnoreText::in_directory(path.clone(), text));
                }
                files.push(path);
            }
        }
        (texts, files)
    }
}
