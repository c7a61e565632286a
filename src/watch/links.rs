//! Directories that were reached by a link. The kernel has one watch for a directory, however it is called, and notify
//! tells of it by the name that came last (inotify(7)): so it is watched by its real name, and what happens there
//! is told by every name.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::message::{Inner, RawEvent};

/// The links that lead to watched directories. Clones see the same links.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(Arc<Mutex<Vec<Link>>>);

#[derive(Debug)]
struct Link {
    name: PathBuf,
    real: PathBuf,
}

impl Links {
    /// Notes where a directory is at present, if not where its name says.
    pub(crate) fn learn(&self, name: &Path) {
        let real = name.canonicalize().ok().filter(|real| real != name);
        let mut links = self.lock();
        links.retain(|link| link.name != name);
        links.extend(real.map(|real| Link { name: name.to_path_buf(), real }));
    }

    /// Whether this was a link when it was learned.
    pub(super) fn know(&self, name: &Path) -> bool {
        self.lock().iter().any(|link| link.name == name)
    }

    /// The real name of a directory.
    pub(super) fn real<'p>(&self, path: &'p Path) -> Cow<'p, Path> {
        let links = self.lock();
        let above =
            links.iter().filter_map(|link| Some((link, path.strip_prefix(&link.name).ok()?)));
        let nearest = above.min_by_key(|(_, rest)| rest.as_os_str().len());
        nearest.map_or(Cow::Borrowed(path), |(link, rest)| Cow::Owned(join(&link.real, rest)))
    }

    /// Whether a link leads to this directory, or to one above it.
    pub(super) fn lead_to(&self, real: &Path) -> bool {
        self.lock().iter().any(|link| real.starts_with(&link.real))
    }

    /// The names by which links lead to a path.
    pub(crate) fn names(&self, path: &Path) -> Vec<PathBuf> {
        let mut names = Vec::new();
        for Link { name, real } in &*self.lock() {
            let by_link = path.strip_prefix(real).ok().map(|rest| join(name, rest));
            names.extend(by_link.filter(|name| !names.contains(name)));
        }
        names
    }

    /// Tells an event by every name that its path has.
    pub(super) fn tell(&self, inner: Inner, tell: impl Fn(Inner)) {
        let Inner::Event { generation, event } = inner else { return tell(inner) };
        let (kind, names) = (event.kind, self.names(&event.path));
        tell(Inner::Event { generation, event });
        for path in names {
            tell(Inner::Event { generation, event: RawEvent { kind, path } });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Link>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a slash at the end, by which two names of one directory would differ.
fn join(path: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { path.to_path_buf() } else { path.join(rest) }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::watch::message::RawKind;

    fn told(links: &Links, path: &Path) -> Vec<PathBuf> {
        let told = RefCell::new(Vec::new());
        let event = RawEvent { kind: RawKind::Close, path: path.to_path_buf() };
        links.tell(Inner::Event { generation: 1, event }, |inner| {
            let Inner::Event { event, .. } = inner else { panic!("{inner:?}") };
            told.borrow_mut().push(event.path);
        });
        told.into_inner()
    }

    #[test]
    fn one_directory_is_watched_by_one_name_and_told_by_all() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("real/sub")).unwrap();
        for (target, link) in [("real", "a"), ("real/sub", "b")] {
            symlink(target, top.join(link)).unwrap();
        }
        let links = Links::default();
        links.learn(&top.join("real"));
        links.learn(&top.join("missing"));
        assert_eq!(told(&links, &top.join("real/x")), [top.join("real/x")]);
        for name in ["a", "b", "a/sub"] {
            links.learn(&top.join(name));
        }
        let cases = [("a", "real"), ("a/x", "real/x"), ("a/sub/y", "real/sub/y"), ("ab", "ab")];
        for (name, real) in cases {
            assert_eq!(*links.real(&top.join(name)), *top.join(real), "{name}");
        }
        let names = ["real/sub/y", "a/sub/y", "b/y"].map(|name| top.join(name));
        assert_eq!(told(&links, &top.join("real/sub/y")), names);
        assert_eq!(told(&links, &top.join("real")), [top.join("real"), top.join("a")]);
        assert!(links.lead_to(&top.join("real/sub")) && !links.lead_to(&top));
        // The link leads elsewhere now.
        fs::remove_file(top.join("a")).unwrap();
        fs::create_dir(top.join("a")).unwrap();
        links.learn(&top.join("a"));
        assert_eq!(*links.real(&top.join("a/x")), *top.join("a/x"));
    }
}
