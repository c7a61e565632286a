//! What the next run has to answer.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::model::{Batch, Cause};

/// Changes and requests that no run has answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// Changed paths in the order of their first change, each once.
    paths: Vec<Arc<Path>>,
    /// The same as a set; empty until a second batch comes, because the first has each path once.
    known: HashSet<Arc<Path>>,
    /// Somebody asked.
    requested: bool,
    /// A failed run is to be started again.
    crashed: bool,
    /// When the first of it was decided.
    since: Option<Instant>,
}

impl Pending {
    /// What a run of this cause answers.
    pub(super) fn of(cause: &Cause) -> Pending {
        let paths = cause.paths().to_vec();
        let (requested, crashed) = (*cause == Cause::Request, *cause == Cause::Crash);
        Pending { paths, requested, crashed, ..Pending::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.requested && !self.crashed
    }

    pub(super) fn paths(&self) -> &[Arc<Path>] {
        &self.paths
    }

    /// When the first of it was decided, if it is a reload.
    pub(super) fn reload_since(&self) -> Option<Instant> {
        if self.paths.is_empty() && !self.requested { None } else { self.since }
    }

    pub(super) fn add_batch(&mut self, batch: Batch, now: Instant) {
        self.decided(now);
        self.add_paths(batch.changes.into_iter().map(|change| change.path));
    }

    fn add_paths(&mut self, paths: impl Iterator<Item = Arc<Path>>) {
        if self.paths.is_empty() {
            self.paths.extend(paths);
            return;
        }
        if self.known.is_empty() {
            self.known.extend(self.paths.iter().cloned());
        }
        for path in paths {
            if self.known.insert(Arc::clone(&path)) {
                self.paths.push(path);
            }
        }
    }

    pub(super) fn request(&mut self, now: Instant) {
        self.decided(now);
        self.requested = true;
    }

    pub(super) fn crash(&mut self, now: Instant) {
        self.decided(now);
        self.crashed = true;
    }

    /// Takes back the wish for a run, not the knowledge of what has changed.
    pub(super) fn calm(&mut self) {
        self.requested = false;
        self.crashed = false;
        self.since = None;
    }

    /// The changes waited for something else; the way to the next run begins now, or (`None`) when more comes.
    pub(super) fn decided_at(&mut self, now: Option<Instant>) {
        self.since = now;
    }

    /// The changes have been answered otherwise: ignored, or by a signal.
    pub(super) fn drop_changes(&mut self) -> Vec<Arc<Path>> {
        self.known.clear();
        std::mem::take(&mut self.paths)
    }

    /// What an earlier run did not get to answer comes before what has come since.
    pub(super) fn put_before(&mut self, earlier: Pending) {
        let since = std::mem::replace(self, earlier);
        self.add_paths(since.paths.into_iter());
        self.requested |= since.requested;
        self.crashed |= since.crashed;
        self.since = self.since.or(since.since);
    }

    fn decided(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// In one word, for the notice and the command.
    pub(super) fn cause(&self) -> Cause {
        if !self.paths.is_empty() {
            Cause::Changes(self.paths.clone())
        } else if self.requested {
            Cause::Request
        } else if self.crashed {
            Cause::Crash
        } else {
            Cause::Start
        }
    }
}

#[cfg(test)]
impl Pending {
    /// Without points in time.
    pub(super) fn shape(&self) -> (usize, bool, bool) {
        (self.paths.len(), self.requested, self.crashed)
    }
}
