//! What is watched: the working directory and what was named beside or instead of it.

use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Diagnostic, escape, quote};
use super::keys::{self, Key};
use super::pick::Picker;
use super::values::Said;
use crate::filter::Named;
use crate::model::Origin;
use crate::watch::Root;

/// The number of links in a row that the kernel follows at most; path_resolution(7).
const LINKS: usize = 40;

/// The roots that were chosen.
#[derive(Default)]
pub(super) struct Chosen {
    /// Every root, single files too, each once.
    pub(super) roots: Vec<Root>,
    /// The roots that were named and are directories (or do not exist yet).
    pub(super) named: Vec<Named>,
    /// The roots that are single files.
    pub(super) files: Vec<Named>,
}

/// What the flags and the file name.
pub(super) fn chosen(picker: &mut Picker<'_>) -> Result<Chosen, Diagnostic> {
    let typed = picker.args.options.all(&keys::PATHS);
    if typed.iter().any(|path| path.is_empty()) {
        return Err(Diagnostic::usage("-w: an empty path; write a directory or a file"));
    }
    if let Some(glob) = typed.iter().find(|path| is_glob(picker.directory, Path::new(path))) {
        return Err(Diagnostic::usage(format!("-w: {}", no_path(&glob.to_string_lossy()))));
    }
    for key in [&keys::PATHS, &keys::ADDITIONAL_PATHS] {
        let items: Vec<Said> = picker.items(key).collect();
        let glob = |said: &Said| is_glob(picker.directory, Path::new(&said.text));
        if let Some(index) = items.iter().position(glob) {
            let text = no_path(&items[index].text);
            return Err(picker.fault(key, Some(index), text));
        }
    }
    let instead: Vec<(PathBuf, Origin)> = if typed.is_empty() {
        named(picker, &keys::PATHS)
    } else {
        typed.iter().map(|path| (PathBuf::from(path), Origin::Flag("-w"))).collect()
    };
    let beside = named(picker, &keys::ADDITIONAL_PATHS);
    picker.values.list(&keys::PATHS, instead.iter().map(said).collect());
    picker.values.list(&keys::ADDITIONAL_PATHS, beside.iter().map(said).collect());
    let mut chosen = Chosen::default();
    let all = if instead.is_empty() {
        let (path, shown) = (picker.directory.to_owned(), PathBuf::from("."));
        chosen.roots.push(Root { path, shown, named: false });
        beside
    } else {
        instead
    };
    all.into_iter().for_each(|entry| chosen.add(picker.directory, entry));
    Ok(chosen)
}

/// Whether a path is meant as a pattern: there is nothing of this name.
fn is_glob(directory: &Path, typed: &Path) -> bool {
    let pattern = typed.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[{".contains(byte));
    pattern && directory.join(typed).symlink_metadata().is_err()
}

/// What is wrong with a pattern in the place of a path, and what to write.
fn no_path(typed: &str) -> String {
    let literal = |part: &&str| !part.contains(['*', '?', '[', '{']);
    let above: Vec<&str> = typed.split('/').take_while(literal).collect();
    let above = if above.is_empty() { ".".to_owned() } else { above.join("/") };
    let end = typed.rsplit_once('.').map(|(_, end)| end.trim_matches(['{', '}']));
    let types = end.filter(|end| end.chars().all(|c| c.is_alphanumeric() || c == ','));
    let types = types.filter(|end| !end.is_empty()).map(|end| format!(" --ext {end}"));
    format!(
        "{} is a pattern, not a path; write  -w {}{}",
        quote(typed),
        escape(&above),
        types.unwrap_or_default()
    )
}

/// The paths of a list of the file.
fn named(picker: &Picker<'_>, key: &'static Key) -> Vec<(PathBuf, Origin)> {
    picker.items(key).map(|said| (PathBuf::from(said.text), said.origin)).collect()
}

fn said((path, origin): &(PathBuf, Origin)) -> Said {
    Said { text: path.to_string_lossy().into_owned(), origin: origin.clone() }
}

impl Chosen {
    fn add(&mut self, directory: &Path, (typed, origin): (PathBuf, Origin)) {
        let path = absolute(directory, &typed);
        if let Some(root) = self.roots.iter_mut().find(|root| root.path == path) {
            // The working directory may be named too.
            if root.named {
                return;
            }
            root.named = true;
        } else {
            self.roots.push(Root { path: path.clone(), shown: typed.clone(), named: true });
        }
        let is_file = path.metadata().is_ok_and(|metadata| !metadata.is_dir());
        let targets = led_to(&path);
        let named = Named { path, shown: typed.to_string_lossy().into_owned(), origin };
        for target in targets {
            self.add_target(directory, target, &named);
        }
        if is_file { self.files.push(named) } else { self.named.push(named) }
    }

    /// Adds the file that a named link leads to; it counts as named.
    fn add_target(&mut self, directory: &Path, target: PathBuf, link: &Named) {
        if self.roots.iter().any(|root| root.path == target) {
            return;
        }
        let shown = target.strip_prefix(directory).unwrap_or(&target).to_owned();
        self.files.push(Named { path: target.clone(), ..link.clone() });
        self.roots.push(Root { path: target, shown, named: true });
    }
}

/// The files that a link leads to, one after the other. The last one is edited, and each link on the way may be
/// turned elsewhere; none needs to exist.
pub(super) fn led_to(path: &Path) -> Vec<PathBuf> {
    let next = |at: &PathBuf| {
        let target = absolute(&at.parent()?.canonicalize().ok()?, &at.read_link().ok()?);
        Some(target.parent()?.canonicalize().ok()?.join(target.file_name()?))
    };
    let hops = std::iter::successors(next(&path.to_path_buf()), next).take(LINKS);
    let hops: Vec<PathBuf> = hops.collect();
    if hops.last().is_some_and(|last| last.is_dir()) { Vec::new() } else { hops }
}

/// The absolute path, without `.` and `..`; links are not resolved.
pub(crate) fn absolute(directory: &Path, typed: &Path) -> PathBuf {
    let mut path = PathBuf::new();
    for component in directory.join(typed).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_in_the_place_of_a_path_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        std::fs::create_dir(at.join("[id]")).unwrap();
        for (typed, glob) in [("src/**/*.ts", true), ("[id]", false), ("a?", true), ("a", false)] {
            assert_eq!(is_glob(at, Path::new(typed)), glob, "{typed}");
        }
        for (typed, says) in [
            ("src/**/*.ts", "write  -w src --ext ts"),
            ("*.html", "write  -w . --ext html"),
            ("web/*.{ts,tsx}", "write  -w web --ext ts,tsx"),
            ("src/**", "write  -w src"),
        ] {
            assert!(no_path(typed).ends_with(says), "{}", no_path(typed));
        }
    }

    #[test]
    fn paths_are_made_absolute_without_following_links() {
        let table = [
            (".", "/w/d"),
            ("src", "/w/d/src"),
            ("./src/", "/w/d/src"),
            ("../lib", "/w/lib"),
            ("a/../b", "/w/d/b"),
            ("../../../..", "/"),
            ("/x/./y", "/x/y"),
        ];
        for (typed, path) in table {
            assert_eq!(absolute(Path::new("/w/d"), Path::new(typed)), Path::new(path), "{typed}");
        }
    }
}
