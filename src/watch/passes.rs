//! What is done by the clock: passes of polling where no events come from, comparisons beside events that are not to be
//! relied on, and the few other things that are tried again. One schedule holds them all.
//!
//! A file system that may keep changes to itself (FUSE, an overlay whose upper directory is written to from behind)
//! is heeded, and slowly compared with the truth. The first change that only the comparison saw ends the trust: from
//! then on the tree is polled.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::filesystem::{FileSystem, short};
use super::looks::Why;
use super::message::{Seen, Tally};
use super::settings::{Poll, Settings};
use super::table::Table;
use super::tree::{Tree, Turn};
use crate::model::Notice;
use crate::sys::{events, thread};

/// The shortest interval between two passes.
const MIN: Duration = Duration::from_millis(500);

/// The longest, for trees of up to [`LARGE`] files.
const MAX: Duration = Duration::from_secs(5);

/// More files than this may be looked at less often than every [`MAX`].
const LARGE: usize = 20_000;

/// The looks of a pass may take this part of the CPU time of one core. What the loop takes to merge them comes on top;
/// together it is a twentieth at most (20,000 files: 19 ms and 8 ms).
const SHARE: u32 = 32;

/// The pause between two comparisons.
const SLOW: Duration = Duration::from_secs(2);

/// An event that has not come by then will not come.
const LATE: Duration = Duration::from_secs(1);

/// What is done by the clock, in the order in which it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Say how far the first walk has come.
    Progress,
    /// A pass of polling.
    Poll,
    /// Judge what a comparison saw, when no event has told of it.
    Judge,
    /// Compare trees whose events are not to be relied on.
    Compare,
    /// Look for roots that are missing.
    Roots,
    /// Look again at what could not be read.
    Retry,
}

/// What is due, and when: one entry for each kind.
#[derive(Debug, Default)]
pub(super) struct Schedule(Vec<(Due, Instant)>);

impl Schedule {
    pub(super) fn set(&mut self, due: Due, at: Instant) {
        self.cancel(due);
        self.0.push((due, at));
    }

    /// Sets it unless it is due already by then.
    pub(super) fn set_by(&mut self, due: Due, at: Instant) {
        let at = self.at(due).map_or(at, |known| known.min(at));
        self.set(due, at);
    }

    pub(super) fn cancel(&mut self, due: Due) {
        self.0.retain(|(known, _)| *known != due);
    }

    pub(super) fn at(&self, due: Due) -> Option<Instant> {
        self.0.iter().find(|(known, _)| *known == due).map(|(_, at)| *at)
    }

    /// The soonest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().map(|(_, at)| *at).min()
    }

    /// Takes out what is due by now and comes first.
    pub(super) fn take(&mut self, now: Instant) -> Option<Due> {
        let (due, _) = self.0.iter().filter(|(_, at)| *at <= now).min().copied()?;
        self.cancel(due);
        Some(due)
    }
}

/// The passes, and what is known about where they are needed.
#[derive(Debug, Default)]
pub(super) struct Passes {
    pub(super) due: Schedule,
    /// File systems other than plain local ones, by the directory where they begin.
    filesystems: Vec<(PathBuf, FileSystem)>,
    /// The walks under way: the pass, and the comparison.
    pass: Option<u32>,
    comparison: Option<u32>,
    /// The CPU time that the owner has spent on them.
    merging: Duration,
    /// When the present pass began, and the one before it.
    began: [Option<Instant>; 2],
    interval: Option<Duration>,
    /// What the comparison saw and the events (so far) did not.
    suspects: Vec<(PathBuf, Instant)>,
    said_limit: bool,
    said_polling: Vec<PathBuf>,
}

impl Passes {
    /// Forgets where passes are needed: another event source comes.
    pub(super) fn start_over(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        [Due::Poll, Due::Judge, Due::Compare].into_iter().for_each(|pass| due.cancel(pass));
        *self = Self { due, ..Self::default() };
    }

    /// Whether something is polled.
    pub(super) fn polls(&self) -> bool {
        self.due.at(Due::Poll).is_some() || self.pass.is_some()
    }

    /// The interval of the passes, and when the last one began that is over.
    pub(super) fn last_pass(&self) -> Option<(Duration, Option<Instant>)> {
        Some((self.interval?, self.began[usize::from(self.pass.is_some())]))
    }

    /// The beginning of the look at polled directories before this one.
    pub(super) fn before(&self, walk: u32) -> Option<Instant> {
        self.began[usize::from(self.pass == Some(walk))]
    }

    /// Notes the file system on which a directory lies, other than the one above it. Returns what is to be thought of
    /// it: trust that was lost does not come back.
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

    /// The CPU time of this thread while a pass is under way, whose cost is weighed.
    pub(super) fn weigh(&self) -> Option<Duration> {
        (self.pass.is_some() || self.comparison.is_some()).then(thread::cpu_time)
    }

    /// Adds the cost of a part of a pass that began at that CPU time.
    pub(super) fn weighed(&mut self, before: Option<Duration>) {
        if let Some(before) = before {
            self.merging += thread::cpu_time().saturating_sub(before);
        }
    }

    /// What a pass took in all: the walker's part and ours.
    fn whole_cost(&mut self, tally: &Tally) -> Tally {
        let merging = std::mem::take(&mut self.merging);
        Tally { cpu: tally.cpu + merging, ..tally.clone() }
    }

    /// Sends the walker round. Returns its walk, unless nothing is polled.
    pub(super) fn begin_pass(&mut self, tree: &mut Tree, now: Instant) -> Option<u32> {
        self.due.cancel(Due::Poll);
        self.merging = Duration::ZERO;
        let walk = tree.looks.look_again_at(&mut tree.table, Why::Poll, |dir| dir.polled)?;
        self.pass = Some(walk);
        self.began = [Some(now), self.began[0]];
        Some(walk)
    }

    /// Ends the pass of polling, when this was its walk. Whether it was.
    pub(super) fn end_pass(&mut self, walk: u32) -> bool {
        self.pass.take_if(|pass| *pass == walk).is_some()
    }

    /// Plans the next pass after a walk, and says what is polled. `passed`: the walk was a pass; `refused`: there is no
    /// event source although one was wanted.
    pub(super) fn plan_pass(
        &mut self,
        passed: bool,
        tally: &Tally,
        (settings, refused): (&Settings, bool),
        table: &Table,
        turn: &mut Turn<'_>,
    ) {
        if settings.poll == Poll::Never || !passed && self.due.at(Due::Poll).is_some() {
            return;
        }
        let polled = table.polled();
        if polled == 0 {
            self.due.cancel(Due::Poll);
            return;
        }
        // What another walk takes (it puts watches on, it reads ignore files) says nothing about a pass.
        let tally = if passed { self.whole_cost(tally) } else { Tally::default() };
        let interval = interval(settings.poll, &tally);
        self.interval = Some(interval);
        self.due.set(Due::Poll, turn.now + interval);
        let wanted = settings.polls_all().is_some();
        let silent = if wanted { polled } else { self.silent_directories(table) };
        if polled > silent && !std::mem::replace(&mut self.said_limit, true) {
            turn.out.push(Seen::Say(limit(table, polled - silent, polled, interval, refused)));
        }
        for (path, reason, advice) in self.polled_trees(settings, table) {
            if !self.said_polling.contains(&path) {
                let files = table.files_below(&path);
                self.said_polling.push(path.clone());
                let path = Arc::from(path);
                turn.out.push(Seen::Say(Notice::Polling { path, reason, files, interval, advice }));
            }
        }
    }

    fn polled_trees(
        &self,
        settings: &Settings,
        table: &Table,
    ) -> Vec<(PathBuf, String, Option<String>)> {
        if let Some(reason) = settings.polls_all() {
            return table.roots().map(|(path, _)| (path.into(), reason.clone(), None)).collect();
        }
        let silent = self.silent().map(|(path, name, advice)| {
            let reason = format!("on {name}, which sends no events");
            (path.to_path_buf(), reason, advice.map(str::to_owned))
        });
        silent.collect()
    }

    /// The trees that send no events, with what would be faster.
    fn silent(&self) -> impl Iterator<Item = (&Path, &'static str, Option<&'static str>)> {
        self.filesystems.iter().filter_map(|(path, kind)| match kind {
            FileSystem::Silent(name, advice) => Some((path.as_path(), *name, *advice)),
            _ => None,
        })
    }

    fn silent_directories(&self, table: &Table) -> usize {
        let mut count = 0;
        for (path, ..) in self.silent() {
            table.each_below(path, &mut |_, dir| count += usize::from(dir.polled));
        }
        count
    }

    /// Every directory that no events tell of, with the reason in a few words.
    pub(super) fn without_events(
        &self,
        settings: &Settings,
        table: &Table,
    ) -> HashMap<PathBuf, Arc<str>> {
        let mut polled = HashMap::new();
        if !self.polls() {
            return polled;
        }
        let all = settings.polls_all().map(Arc::from);
        let full: Arc<str> = Arc::from("out of inotify watches");
        let silent: Vec<(&Path, Arc<str>)> =
            self.silent().map(|(path, name, _)| (path, Arc::from(short(name)))).collect();
        table.walk(&mut |path, _, dir| {
            if dir.polled {
                let tree = silent.iter().find(|(tree, _)| path.starts_with(tree));
                let reason = all.as_ref().or(tree.map(|(_, name)| name)).unwrap_or(&full);
                polled.insert(path.to_path_buf(), Arc::clone(reason));
            }
        });
        polled
    }

    /// Compares trees whose events are not to be relied on.
    pub(super) fn begin_comparison(&mut self, tree: &mut Tree) {
        let doubtful = |dir: &super::table::Dir| dir.doubtful && !dir.polled;
        self.comparison = tree.looks.look_again_at(&mut tree.table, Why::Doubt, doubtful);
    }

    /// Plans the next comparison after a walk, where one is needed.
    pub(super) fn plan_comparison(&mut self, walk: u32, tally: &Tally, poll: Poll, now: Instant) {
        let tally = if self.comparison.take_if(|known| *known == walk).is_some() {
            self.whole_cost(tally)
        } else if self.due.at(Due::Compare).is_some() || self.comparison.is_some() {
            return;
        } else {
            Tally::default()
        };
        let doubtful = |(_, kind): &(_, FileSystem)| matches!(kind, FileSystem::Doubtful(_));
        if poll == Poll::Auto && self.filesystems.iter().any(doubtful) {
            self.due.set(Due::Compare, now + SLOW.max(interval(Poll::Auto, &tally)));
        }
    }

    /// Forgets the passes under way: all walks were given up.
    pub(super) fn forget_walks(&mut self) {
        (self.pass, self.comparison) = (None, None);
    }

    /// Notes changes that a comparison has found.
    pub(super) fn suspect(&mut self, found: &[Seen], now: Instant) {
        for seen in found {
            if let Seen::Change(change) = seen {
                self.suspects.push((change.path.to_path_buf(), now));
                self.due.set_by(Due::Judge, now + LATE);
            }
        }
    }

    /// Drops the suspicion of a path of which an event tells.
    pub(super) fn acquit(&mut self, path: &Path) {
        if !self.suspects.is_empty() {
            self.suspects.retain(|(suspect, _)| suspect != path);
            self.await_judgement();
        }
    }

    fn await_judgement(&mut self) {
        match self.suspects.first() {
            Some((_, since)) => self.due.set(Due::Judge, *since + LATE),
            None => self.due.cancel(Due::Judge),
        }
    }

    /// Ends the trust in a tree when the event of a change in it has not come.
    pub(super) fn judge(&mut self, poll: Poll, table: &mut Table, turn: &mut Turn<'_>) {
        let late = self.suspects.iter().find(|(_, since)| turn.now >= *since + LATE);
        if let Some((path, _)) = late.cloned() {
            self.suspects.clear();
            self.trust_no_more(&path, poll, table, turn);
        }
        self.await_judgement();
    }

    fn trust_no_more(&mut self, path: &Path, poll: Poll, table: &mut Table, turn: &mut Turn<'_>) {
        let doubtful = self.filesystems.iter().filter_map(|(tree, kind)| match kind {
            FileSystem::Doubtful(name) if path.starts_with(tree) => Some((tree.clone(), *name)),
            _ => None,
        });
        let nearest = doubtful.max_by_key(|(tree, _)| tree.as_os_str().len());
        let Some((tree, name)) = nearest else { return };
        self.found(&tree, FileSystem::Silent(name, None));
        let mut dirs = Vec::new();
        let mut files = 0;
        table.each_below(&tree, &mut |id, dir| {
            files += dir.entries.len();
            dirs.push(id);
        });
        for id in dirs {
            if let Some(dir) = table.dir_mut(id) {
                dir.doubtful = false;
                dir.polled = true;
            }
        }
        let interval = interval(poll, &Tally::default());
        self.said_polling.push(tree.clone());
        self.due.set_by(Due::Poll, turn.now + interval);
        turn.out.push(Seen::Say(Notice::Polling {
            path: Arc::from(tree),
            reason: format!("on {name}, which did not tell of a change"),
            files,
            interval,
            advice: None,
        }));
    }
}

/// The pause before the next pass, by what the last one took. A slow file system, and the server behind it, are
/// given twice the time of a pass; but a machine that is merely busy makes every pass slow, and must not make
/// polling slow: hence a share of the processor is counted in CPU time, and never exceeded.
fn interval(poll: Poll, tally: &Tally) -> Duration {
    if let Poll::Every(interval) = poll {
        return interval;
    }
    let slow = tally.took * 2;
    let slow = if tally.files <= LARGE { slow.min(MAX) } else { slow };
    slow.max(tally.cpu * SHARE).max(MIN)
}

/// What is said, once, when the system has no more watches to give; or, `instances`, no more event queues.
fn limit(
    table: &Table,
    refused: usize,
    polled: usize,
    interval: Duration,
    instances: bool,
) -> Notice {
    let (sysctl, allowed) = if instances {
        ("fs.inotify.max_user_instances", events::instance_limit())
    } else {
        ("fs.inotify.max_user_watches", events::watch_limit())
    };
    // The directories of single files are polled too, and not counted.
    let told = table.directories().saturating_sub(polled);
    let largest = largest(table);
    Notice::Limit { events: told, polled: refused, interval, sysctl, allowed, largest }
}

/// The largest tree right below a root, and its number of directories.
fn largest(table: &Table) -> Option<(PathBuf, usize)> {
    let mut trees: HashMap<PathBuf, usize> = HashMap::new();
    for (root, id) in table.roots() {
        table.walk_from(id, root, &mut |path, _, _| {
            let first = path.strip_prefix(root).ok().and_then(|below| below.components().next());
            if let Some(first) = first {
                *trees.entry(root.join(first)).or_default() += 1;
            }
        });
    }
    // A tree with a handful of directories is not worth a line.
    trees.into_iter().max_by_key(|(_, count)| *count).filter(|(_, count)| *count >= 10)
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
            ((60, 60, 20_000), 1920),
            // A slow file system: twice the pass, but not for ever.
            ((400, 10, 100), 800),
            ((4000, 10, 20_000), 5000),
            ((4000, 10, 20_001), 8000),
            // A busy machine: the pass was slow and cost nothing.
            ((240, 2, 300), 500),
            // Five percent of a core at most, whatever else.
            ((400, 400, 20_000), 12_800),
        ];
        for ((took, cpu, files), pause) in table {
            assert_eq!(auto(took, cpu, files), ms(pause), "{took} {cpu} {files}");
        }
        let tally = Tally { took: ms(400), cpu: ms(400), ..Tally::default() };
        assert_eq!(interval(Poll::Every(ms(100)), &tally), ms(100));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any moment will do")]
    fn what_is_due_comes_once_and_in_order() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut schedule = Schedule::default();
        for (due, when) in [(Due::Retry, 5), (Due::Roots, 20), (Due::Poll, 10), (Due::Compare, 30)]
        {
            schedule.set(due, at(when));
        }
        schedule.set_by(Due::Roots, at(40));
        schedule.set_by(Due::Compare, at(10));
        assert_eq!((schedule.deadline(), schedule.take(at(4))), (Some(at(5)), None));
        let now: Vec<Due> = std::iter::from_fn(|| schedule.take(at(20))).collect();
        assert_eq!(now, [Due::Poll, Due::Compare, Due::Roots, Due::Retry]);
        assert_eq!(schedule.deadline(), None);
    }
}
