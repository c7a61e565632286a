//! Where no events come from: the same look and comparison, on a timer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::filesystem::{FileSystem, short};
use super::look::Why;
use super::message::Tally;
use super::settings::{Backend, Poll};
use super::{Seen, Watch, limits};
use crate::model::Notice;
use crate::sys::thread;

/// The shortest interval between two passes.
const MIN: Duration = Duration::from_millis(500);

/// The longest, for trees of up to [`LARGE`] files.
const MAX: Duration = Duration::from_secs(5);

/// More files than this may be looked at less often than every [`MAX`].
const LARGE: usize = 20_000;

/// A pass may take one part in so many of the CPU time of one core.
const SHARE: u32 = 20;

#[derive(Debug, Default)]
pub(super) struct Polling {
    /// File systems other than plain local ones, by the directory where they begin.
    filesystems: Vec<(PathBuf, FileSystem)>,
    walk: Option<u32>,
    /// The CPU time that the owner has spent on the present pass.
    pub(super) merging: Duration,
    /// When the present pass began, and the one before it.
    began: [Option<Instant>; 2],
    next: Option<Instant>,
    pub(super) interval: Option<Duration>,
    said_limit: bool,
    said_polling: Vec<PathBuf>,
}

impl Polling {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Whether something is polled.
    pub(super) fn active(&self) -> bool {
        self.next.is_some() || self.walk.is_some()
    }

    /// A tree is polled from now on, and that was said.
    pub(super) fn begin(&mut self, tree: &Path, next: Instant) {
        self.said_polling.push(tree.to_path_buf());
        self.next = self.next.into_iter().chain([next]).min();
    }

    /// A look at polled directories: when the one before it began.
    pub(super) fn before(&self, walk: u32) -> Option<Instant> {
        self.began[usize::from(self.walk == Some(walk))]
    }

    /// Whether a whole pass has begun and ended after this moment.
    pub(super) fn has_passed_since(&self, moment: Instant) -> bool {
        self.began[usize::from(self.walk.is_some())].is_some_and(|began| began > moment)
    }

    /// The trees that send no events.
    fn silent(&self) -> impl Iterator<Item = (&Path, Arc<str>)> {
        self.filesystems.iter().filter_map(|(path, kind)| match kind {
            FileSystem::Silent(name, _) => Some((path.as_path(), Arc::from(short(name)))),
            _ => None,
        })
    }

    /// The trees whose events are not to be relied on.
    pub(super) fn doubtful(&self) -> impl Iterator<Item = (&Path, &'static str)> {
        self.filesystems.iter().filter_map(|(path, kind)| match kind {
            FileSystem::Doubtful(name) => Some((path.as_path(), *name)),
            _ => None,
        })
    }

    /// A directory is on another file system than the one above it. What is to be thought of that: trust
    /// that was lost does not come back.
    pub(super) fn found(&mut self, path: &Path, kind: FileSystem) -> FileSystem {
        let known = self.filesystems.iter().find(|(known, _)| known == path).map(|(_, kind)| *kind);
        let kind = match (known, kind) {
            (Some(silent @ FileSystem::Silent(..)), FileSystem::Doubtful(_)) => silent,
            _ => kind,
        };
        self.filesystems.retain(|(known, _)| known != path);
        if kind != FileSystem::Local {
            self.filesystems.push((path.to_path_buf(), kind));
        }
        kind
    }
}

/// The pause before the next pass, by what the last one took. A slow file system, and the server behind it, are
/// given twice the time of a pass; but a machine that is merely busy makes every pass slow, and must not make
/// polling slow: hence a share of the processor is counted in CPU time, and never exceeded.
pub(super) fn interval(poll: Poll, tally: &Tally) -> Duration {
    if let Poll::Every(interval) = poll {
        return interval;
    }
    let slow = tally.took * 2;
    let slow = if tally.files <= LARGE { slow.min(MAX) } else { slow };
    slow.max(tally.cpu * SHARE).max(MIN)
}

impl Watch {
    /// A walk is done: plans the next pass, and says what is polled.
    pub(super) fn polled(
        &mut self,
        walk: u32,
        why: Why,
        tally: &Tally,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        if self.settings.poll == Poll::Never {
            return;
        }
        if why == Why::Poll && self.polling.walk == Some(walk) {
            self.polling.walk = None;
            self.check_extras(out);
            // The directories above the roots may have been left without watches too.
            self.check_roots(now, out);
        } else if self.polling.next.is_some() {
            return;
        }
        let (_, polled) = self.directories();
        if polled == 0 {
            self.polling.next = None;
            return;
        }
        // What another walk takes (it puts watches on, it reads ignore files) says nothing about a pass.
        let tally = if why == Why::Poll { self.whole_cost(tally) } else { Tally::default() };
        let interval = interval(self.settings.poll, &tally);
        self.polling.interval = Some(interval);
        self.polling.next = Some(now + interval);
        self.say_polling(polled, interval, out);
    }

    /// Does a part of a pass, and notes what it takes of the processor.
    pub(super) fn weigh(&mut self, work: impl FnOnce(&mut Self)) {
        if self.polling.walk.is_none() && !self.doubts.is_looking() {
            return work(self);
        }
        let before = thread::cpu_time();
        work(self);
        self.polling.merging += thread::cpu_time().saturating_sub(before);
    }

    /// What a pass took in all: the walker's part and ours.
    pub(super) fn whole_cost(&mut self, tally: &Tally) -> Tally {
        let merging = std::mem::take(&mut self.polling.merging);
        Tally { cpu: tally.cpu + merging, ..tally.clone() }
    }

    fn say_polling(&mut self, polled: usize, interval: Duration, out: &mut Vec<Seen>) {
        let wanted = self.poll_wanted() || self.settings.backend == Backend::Poll;
        if !wanted && !self.polling.said_limit {
            let all = self.table.directories();
            let silent = self.silent_directories();
            if polled > silent {
                self.polling.said_limit = true;
                let refused = polled - silent;
                let instances = self.recovery.refused.is_some();
                let largest = limits::largest(&self.table);
                out.push(Seen::Say(limits::notice(
                    // The directories of single files are polled too, and not counted.
                    all.saturating_sub(polled),
                    refused,
                    interval,
                    instances,
                    largest,
                )));
            }
        }
        for (path, reason, advice) in self.polled_trees() {
            if !self.polling.said_polling.contains(&path) {
                let files = self.files_below(&path);
                self.polling.said_polling.push(path.clone());
                let path = Arc::from(path);
                out.push(Seen::Say(Notice::Polling { path, reason, files, interval, advice }));
            }
        }
    }

    fn polled_trees(&self) -> Vec<(PathBuf, String, Option<String>)> {
        if let Some(reason) = self.settings.polls_all() {
            let roots = self.table.roots().iter();
            return roots.map(|(path, _)| (path.clone(), reason.clone(), None)).collect();
        }
        let mut trees = Vec::new();
        for (path, kind) in &self.polling.filesystems {
            if let FileSystem::Silent(name, advice) = kind {
                let reason = format!("on {name}, which sends no events");
                trees.push((path.clone(), reason, advice.map(str::to_owned)));
            }
        }
        trees
    }

    /// Every directory that no events tell of, with the reason in a few words.
    pub fn without_events(&self) -> HashMap<PathBuf, Arc<str>> {
        let mut polled = HashMap::new();
        if !self.polling.active() {
            return polled;
        }
        let all = self.settings.polls_all().map(Arc::from);
        let full: Arc<str> = Arc::from("out of inotify watches");
        let silent: Vec<(&Path, Arc<str>)> = self.polling.silent().collect();
        self.table.walk(&mut |path, _, dir| {
            if dir.polled {
                let tree = silent.iter().find(|(tree, _)| path.starts_with(tree));
                let reason = all.as_ref().or(tree.map(|(_, name)| name)).unwrap_or(&full);
                polled.insert(path.to_path_buf(), Arc::clone(reason));
            }
        });
        polled
    }

    fn silent_directories(&self) -> usize {
        let mut count = 0;
        for (path, kind) in &self.polling.filesystems {
            if let (FileSystem::Silent(..), Some(id)) = (kind, self.table.find(path)) {
                self.table.walk_from(id, path, &mut |_, _, dir| count += usize::from(dir.polled));
            }
        }
        count
    }

    fn files_below(&self, path: &Path) -> usize {
        let mut files = 0;
        if let Some(id) = self.table.find(path) {
            self.table.walk_from(id, path, &mut |_, _, dir| {
                files += dir.entries.iter().filter(|(_, record)| !record.is_dir()).count();
            });
        }
        files
    }

    /// Whether no directory has a watch. Then there was none for the markers either, which are armed first.
    pub(super) fn polls_everything(&self) -> bool {
        let (all, polled) = self.directories();
        polled == all
    }

    /// Sends the walker round when it is time.
    pub(super) fn poll_if_due(&mut self, now: Instant) {
        if self.polling.next.is_none_or(|next| now < next) {
            return;
        }
        self.poll(now);
    }

    /// Sends the walker round now. Its pass, unless nothing is polled.
    pub(super) fn poll(&mut self, now: Instant) -> Option<u32> {
        self.polling.next = None;
        self.polling.merging = Duration::ZERO;
        let walk = self.look_again_at(Why::Poll, |dir| dir.polled)?;
        self.polling.walk = Some(walk);
        self.polling.began = [Some(now), self.polling.began[0]];
        self.find_markers(walk);
        Some(walk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_follows_the_cost_of_a_pass_within_its_bounds() {
        let ms = Duration::from_millis;
        let auto = |took, cpu, files| {
            interval(Poll::Auto, &Tally { took: ms(took), cpu: ms(cpu), files, ..Tally::default() })
        };
        // (milliseconds by the clock, of the processor, files; the pause that follows)
        let table = [
            ((1, 1, 10), 500),
            ((60, 60, 20_000), 1200),
            // A slow file system: twice the pass, but not for ever.
            ((400, 10, 100), 800),
            ((4000, 10, 20_000), 5000),
            ((4000, 10, 20_001), 8000),
            // A busy machine: the pass was slow and cost nothing.
            ((240, 2, 300), 500),
            // Five percent of a core at most, whatever else.
            ((400, 400, 20_000), 8000),
        ];
        for ((took, cpu, files), pause) in table {
            assert_eq!(auto(took, cpu, files), ms(pause), "{took} {cpu} {files}");
        }
        let tally = Tally { took: ms(400), cpu: ms(400), ..Tally::default() };
        assert_eq!(interval(Poll::Every(ms(100)), &tally), ms(100));
    }
}
