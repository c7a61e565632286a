//! Verdicts on paths, by the rules and by a look at the directories on the way to each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Known;
use crate::control::{Explained, Unreadable, Why};
use crate::filter::{Answer, Asker, Filter, Marks};
use crate::model::EntryKind;
use crate::report::JsonName;
use crate::sys::bytes::os_str;
use crate::watch::{Glance, Links, Root, Survey};

/// The verdicts on absolute paths (with a slash at the end: a directory), in order. With `known`, an
/// instance's word decides which directories are polled. `go_on` is asked now and then.
pub fn judge(
    survey: &mut Survey,
    known: Option<&Known>,
    paths: &[JsonName],
    go_on: &dyn Fn() -> bool,
) -> Option<Vec<Explained>> {
    let filter = Arc::clone(survey.filter());
    let directories =
        survey.roots().iter().filter(|root| Survey::kind_of_root(root) != Some(EntryKind::File));
    let around = directories.map(|root| survey.around(root)).collect();
    let asker = Asker::new(&filter, around);
    let links = links(survey.roots());
    let disk = Disk { survey, obstacles: HashMap::new(), polled: HashMap::new() };
    let mut judge = Judge { asker, disk, known, filter: &filter, links };
    let mut verdicts = Vec::with_capacity(paths.len());
    for (number, path) in paths.iter().enumerate() {
        if number % 256 == 0 && !go_on() {
            return None;
        }
        verdicts.push(judge.explain(&path.0));
    }
    Some(verdicts)
}

struct Judge<'j> {
    asker: Asker<'j>,
    disk: Disk<'j>,
    known: Option<&'j Known>,
    filter: &'j Filter,
    links: Links,
}

/// The links that lead to the directories of roots and of single files.
fn links(roots: &[Root]) -> Links {
    let links = Links::default();
    for root in roots {
        let whole = Survey::kind_of_root(root) == Some(EntryKind::Directory);
        let directory = if whole { Some(&*root.path) } else { root.path.parent() };
        directory.into_iter().for_each(|directory| links.learn(directory));
    }
    links
}

/// The directories that were looked at so far.
struct Disk<'j> {
    survey: &'j mut Survey,
    /// Directories behind which nothing is watched.
    obstacles: HashMap<PathBuf, Why>,
    /// Directories whose file system sends no events.
    polled: HashMap<PathBuf, Arc<str>>,
}

impl Disk<'_> {
    fn look(&mut self, directory: &Path) -> Marks {
        let obstacle = match self.survey.glance(directory) {
            Glance::Directory(found, polled) => {
                self.polled.extend(polled.map(|reason| (directory.to_path_buf(), reason)));
                return found;
            }
            Glance::Missing => return Marks::default(),
            Glance::Link => Why::Link { at: JsonName::from(directory) },
            Glance::Unreadable(error) => {
                Why::Unreadable(Unreadable { at: JsonName::from(directory), error })
            }
        };
        self.obstacles.insert(directory.to_path_buf(), obstacle);
        Marks::default()
    }

    /// The obstacle on the way to a path that is nearest to the root.
    fn obstacle(&self, path: &Path, kind: EntryKind) -> Option<&Why> {
        if self.obstacles.is_empty() {
            return None;
        }
        let way = path.ancestors().skip(usize::from(kind != EntryKind::Directory));
        way.filter_map(|above| self.obstacles.get(above)).last()
    }
}

impl Judge<'_> {
    fn explain(&mut self, bytes: &[u8]) -> Explained {
        let (path, wanted) = match bytes.strip_suffix(b"/") {
            Some(path) if !path.is_empty() => (path, EntryKind::Directory),
            _ => (bytes, EntryKind::File),
        };
        let path = Path::new(os_str(path));
        if self.disk.survey.is_own(path) {
            return Explained::ignored(Why::Own);
        }
        match self.by_name(path, wanted) {
            Some(found) if found.watched => found,
            found => self.by_other_names(path, wanted, found),
        }
    }

    /// The verdict on a path that is not watched as it is written: an edit is seen by whichever name it was made.
    fn by_other_names(
        &mut self,
        path: &Path,
        wanted: EntryKind,
        mut found: Option<Explained>,
    ) -> Explained {
        for other in self.other_names(path, found.as_ref()) {
            match self.by_name(&other, wanted) {
                Some(other) if other.watched => return other,
                other => found = found.or(other),
            }
        }
        found.unwrap_or(Explained::ignored(Why::Outside))
    }

    /// The verdict on a path as it is written; `None`: it is in no root.
    fn by_name(&mut self, path: &Path, wanted: EntryKind) -> Option<Explained> {
        let root = self.disk.survey.roots().iter().find(|root| root.path == path);
        let kind = root.map_or_else(|| Survey::kind(path), Survey::kind_of_root);
        let kind = kind.unwrap_or(wanted);
        let disk = &mut self.disk;
        let answer = self.asker.ask(path, kind, |directory| disk.look(directory))?;
        Some(self.explained(path, kind, answer))
    }

    /// Other paths of the same file: where links on the way to it lead, and from where links lead to it.
    fn other_names(&self, path: &Path, found: Option<&Explained>) -> Vec<PathBuf> {
        let mut names = Vec::new();
        if found.is_none_or(|found| matches!(found.why, Why::Link { .. })) {
            let real = path.parent().and_then(|parent| parent.canonicalize().ok());
            names.extend(real.zip(path.file_name()).map(|(parent, name)| parent.join(name)));
        }
        let real = names.first().map_or_else(|| path.to_path_buf(), PathBuf::clone);
        names.extend(self.links.names(&real));
        names.retain(|name| name != path);
        names
    }

    fn explained(&mut self, path: &Path, kind: EntryKind, answer: Answer) -> Explained {
        let Answer { watched, rule, at } = answer;
        if let Some(obstacle) = self.disk.obstacle(path, kind) {
            return Explained::ignored(obstacle.clone());
        }
        let at = (at != path).then(|| JsonName::from(at.as_path()));
        let polled = if watched { self.polled(path, kind) } else { None };
        let output = self.known.filter(|_| watched).and_then(|known| known.output(path));
        Explained { watched, why: Why::Rule { rule, at }, polled, output }
    }

    fn polled(&mut self, path: &Path, kind: EntryKind) -> Option<String> {
        let own = kind == EntryKind::Directory;
        let directory = if own { path } else { path.parent()? };
        if let Some(known) = self.known {
            return known.polled.get(directory).map(|reason| reason.to_string());
        }
        if self.filter.spec().files.iter().any(|file| file.path == path) {
            // It was decided without a look.
            self.disk.look(directory);
        }
        self.disk.polled.get(directory).map(|reason| reason.to_string())
    }
}
