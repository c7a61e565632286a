//! File systems that may keep changes to themselves (FUSE, an overlay whose upper directory somebody else
//! writes to): their events are heeded, and slowly compared with the truth. The first change that only the
//! comparison saw ends the trust: from then on the tree is polled.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::filesystem::FileSystem;
use super::look::Why;
use super::message::Tally;
use super::settings::Poll;
use super::{Seen, Watch, polling};
use crate::model::Notice;

/// The pause between two comparisons.
const SLOW: Duration = Duration::from_secs(2);

/// An event that has not come by then will not come.
const LATE: Duration = Duration::from_secs(1);

/// What the comparison saw and the events (so far) did not.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    next: Option<Instant>,
    walk: Option<u32>,
    suspects: Vec<(PathBuf, Instant)>,
}

impl Doubts {
    pub(super) fn deadline(&self) -> Option<Instant> {
        let late = self.suspects.first().map(|(_, since)| *since + LATE);
        self.next.into_iter().chain(late).min()
    }

    /// Whether a comparison is under way.
    pub(super) fn is_looking(&self) -> bool {
        self.walk.is_some()
    }

    /// An event told of a path.
    pub(super) fn acquit(&mut self, path: &Path) {
        if !self.suspects.is_empty() {
            self.suspects.retain(|(suspect, _)| suspect != path);
        }
    }
}

impl Watch {
    /// Changes that a comparison found.
    pub(super) fn suspect(&mut self, found: &[Seen], now: Instant) {
        for seen in found {
            if let Seen::Change(change) = seen {
                self.doubts.suspects.push((change.path.to_path_buf(), now));
            }
        }
    }

    /// A walk is done: plans the next comparison where one is needed.
    pub(super) fn plan_doubt(&mut self, walk: u32, tally: &Tally, now: Instant) {
        let tally = if self.doubts.walk == Some(walk) {
            self.doubts.walk = None;
            self.whole_cost(tally)
        } else if self.doubts.next.is_some() || self.doubts.walk.is_some() {
            return;
        } else {
            Tally::default()
        };
        if self.settings.poll == Poll::Auto && self.polling.doubtful().next().is_some() {
            let cost = polling::interval(Poll::Auto, &tally);
            self.doubts.next = Some(now + SLOW.max(cost));
        }
    }

    pub(super) fn doubt_if_due(&mut self, now: Instant, out: &mut Vec<Seen>) {
        let late = self.doubts.suspects.iter().find(|(_, since)| now >= *since + LATE);
        if let Some((path, _)) = late.cloned() {
            self.doubts.suspects.clear();
            self.trust_no_more(&path, now, out);
        }
        if self.doubts.next.is_some_and(|next| now >= next) {
            self.doubts.next = None;
            self.doubts.walk = self.look_again_at(Why::Doubt, |dir| dir.doubtful && !dir.polled);
        }
    }

    fn trust_no_more(&mut self, path: &Path, now: Instant, out: &mut Vec<Seen>) {
        let tree = self
            .polling
            .doubtful()
            .filter(|(tree, _)| path.starts_with(tree))
            .max_by_key(|(tree, _)| tree.as_os_str().len())
            .map(|(tree, name)| (tree.to_path_buf(), name));
        let Some((tree, name)) = tree else { return };
        self.polling.found(&tree, FileSystem::Silent(name, None));
        let mut dirs = Vec::new();
        let mut files = 0;
        if let Some(id) = self.table.find(&tree) {
            self.table.walk_from(id, &tree, &mut |_, id, dir| {
                files += dir.entries.len();
                dirs.push(id);
            });
        }
        for id in dirs {
            if let Some(dir) = self.table.dir_mut(id) {
                dir.doubtful = false;
                dir.polled = true;
            }
        }
        let interval = polling::interval(self.settings.poll, &Tally::default());
        self.polling.begin(&tree, now + interval);
        out.push(Seen::Say(Notice::Polling {
            path: Arc::from(tree),
            reason: format!("on {name}, which did not tell of a change"),
            files,
            interval,
            advice: None,
        }));
    }
}
