//! Single names outside of the tree, or apart from its rules: the configuration, ignore files above the
//! roots, and the markers of `wait`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::merge::Why;
use super::message::RawKind;
use super::settings::Settings;
use super::walk::Order;
use super::{Seen, Watch, os};

/// The names, and the directories that are watched for them.
#[derive(Debug, Default)]
pub(super) struct Spots {
    /// The configuration: path and fingerprint.
    extras: Vec<(PathBuf, Option<u32>)>,
    /// Ignore files above the roots.
    rules: HashSet<PathBuf>,
    marker_dir: Option<PathBuf>,
}

fn print(path: &Path) -> Option<u32> {
    os::stat(path).ok().map(|stat| stat.print())
}

impl Spots {
    pub(super) fn new(settings: &Settings) -> Self {
        let extras = settings.extra_files.iter().map(|path| (path.clone(), print(path))).collect();
        Self { extras, rules: HashSet::new(), marker_dir: settings.marker_dir.clone() }
    }

    /// The directories to be watched.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let files = self.extras.iter().map(|(path, _)| path).chain(&self.rules);
        let mut all: Vec<PathBuf> =
            files.filter_map(|path| path.parent()).map(Path::to_path_buf).collect();
        all.extend(self.marker_dir.clone());
        all.sort();
        all.dedup();
        all
    }

    /// Whether a directory is watched for a name in it.
    pub(super) fn needs(&self, path: &Path) -> bool {
        self.marker_dir.as_deref() == Some(path)
            || self.extras.iter().any(|(file, _)| file.parent() == Some(path))
            || self.rules.iter().any(|file| file.parent() == Some(path))
    }
}

impl Watch {
    /// Takes an event for a spot. `true`: it is for nothing else.
    pub(super) fn spot(&mut self, path: &Path, kind: RawKind, out: &mut Vec<Seen>) -> bool {
        if let Some(dir) = &self.spots.marker_dir
            && path.parent() == Some(dir)
        {
            let came = matches!(kind, RawKind::Create | RawKind::To | RawKind::Any);
            if let (true, Some(name)) = (came, path.file_name()) {
                self.markers.push((name.to_owned(), self.walks.keys().copied().collect()));
                self.pass_markers(out);
            }
            return true;
        }
        if kind == RawKind::Data {
            return false;
        }
        if self.spots.extras.iter().any(|(file, _)| file == path) {
            self.check_extras(out);
        }
        let complete = !matches!(kind, RawKind::Metadata | RawKind::Create);
        if complete && self.spots.rules.contains(path) {
            out.push(Seen::RulesChanged);
            self.walk_roots(Why::Rules);
        }
        false
    }

    /// Tells the configuration files that have changed.
    pub(super) fn check_extras(&mut self, out: &mut Vec<Seen>) {
        for (path, known) in &mut self.spots.extras {
            let now = print(path);
            if *known != now {
                *known = now;
                out.push(Seen::ConfigChanged(path.clone()));
            }
        }
    }

    /// The walker has found out which files above the roots could hide something.
    pub(super) fn watch_rules(&mut self, files: Vec<PathBuf>) {
        let before = self.spots.rules.len();
        self.spots.rules.extend(files);
        if self.spots.rules.len() != before && self.recovery.events {
            self.order(Order::Spots(self.spots.directories()));
        }
    }

    /// Tells the markers before which everything has been looked at.
    pub(super) fn pass_markers(&mut self, out: &mut Vec<Seen>) {
        let walks = &self.walks;
        self.markers.retain_mut(|(name, waits)| {
            waits.retain(|walk| walks.contains_key(walk));
            if waits.is_empty() {
                out.push(Seen::Marker(std::mem::take(name)));
            }
            !name.is_empty()
        });
    }
}
