//! Single names outside of the tree, or apart from its rules: the configuration, ignore files above the
//! roots, and the markers of `wait`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hashbrown::HashSet;

use super::look::Why;
use super::message::RawKind;
use super::recovery::Events;
use super::settings::{Settings, Timestamp};
use super::table::split;
use super::{Seen, Watch};
use crate::sys::bytes::os_str;
use crate::sys::files;

/// The names, and the directories that are watched for them.
#[derive(Debug, Default)]
pub(super) struct Spots {
    /// The configuration: path and fingerprint.
    extras: Vec<(PathBuf, Option<u32>)>,
    /// Ignore files above the roots.
    rules: HashSet<PathBuf>,
    marker_dir: Option<PathBuf>,
    /// Without events: the markers that are known already.
    marks: HashSet<OsString>,
}

fn print(path: &Path) -> Option<u32> {
    files::stat(path).ok().map(|stat| stat.print())
}

impl Spots {
    pub(super) fn new(settings: &Settings) -> Self {
        let extras = settings.extra_files.iter().map(|path| (path.clone(), print(path))).collect();
        Self {
            extras,
            rules: HashSet::new(),
            marker_dir: settings.marker_dir.clone(),
            marks: HashSet::new(),
        }
    }

    /// These names, and the ignore files that are watched already. What is known of a configuration file is
    /// what was told of it last: an edit that has come since is still to be told.
    pub(super) fn with_rules_of(mut self, old: &Self) -> Self {
        for (path, known) in &mut self.extras {
            if let Some((_, told)) = old.extras.iter().find(|(other, _)| other == path) {
                known.clone_from(told);
            }
        }
        Self { rules: old.rules.clone(), marks: old.marks.clone(), ..self }
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
    pub(super) fn spot(
        &mut self,
        path: &Path,
        kind: RawKind,
        now: Instant,
        out: &mut Vec<Seen>,
    ) -> bool {
        if let Some(dir) = &self.spots.marker_dir
            && let Some((parent, name)) = split(path)
            && parent.as_os_str() == dir.as_os_str()
        {
            if matches!(kind, RawKind::Create | RawKind::To | RawKind::Any) {
                let name = os_str(name).to_owned();
                // What happens above the roots, or to those that are missing, comes by other ways.
                self.look_at_roots(now, out);
                // Where no events come from, only a look that begins now has seen everything.
                if self.polling.active() {
                    self.poll(now);
                }
                self.markers.push((name, self.walks.keys().copied().collect()));
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
            self.ruled = Timestamp::of(path);
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

    /// The walker has found out which files above the roots could hide something, and watches them.
    pub(super) fn watch_rules(&mut self, files: Vec<PathBuf>) {
        self.spots.rules.extend(files);
    }

    /// Without events: the markers that a pass of polling, which begins now, comes after.
    pub(super) fn find_markers(&mut self, walk: u32) {
        if self.recovery.events != Events::None && !self.polls_everything() {
            return;
        }
        let Some(dir) = self.spots.marker_dir.as_ref() else { return };
        let mut names = HashSet::new();
        if let Ok(dir) = files::Directory::open(dir, false) {
            // What cannot be read has no markers.
            let _ = dir.read(&mut Vec::new(), |name, _| {
                names.insert(os_str(name).to_owned());
            });
        }
        for name in names.difference(&self.spots.marks) {
            self.markers.push((name.clone(), HashSet::from([walk])));
        }
        self.spots.marks = names;
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
