//! Content decides: a save that leaves the bytes that the last run saw is no change. What is not known for
//! certain counts as changed.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use hashbrown::HashSet;
use tokio::sync::mpsc::UnboundedSender;

use super::entries::Record;
use super::message::{Hashed, Message};
use super::path_map::PathMap;
use super::reader::{self, Request, hash};
use super::settings::{Settings, Timestamp};
use super::table::Table;
use crate::model::{Batch, BatchChange, ChangeKind, EntryKind};
use crate::sys::bytes::os_str;
use crate::sys::{clock, files};

/// Larger files are never read.
const FILE_LIMIT: u64 = 1 << 20;

/// The first baseline reads at most so much.
const BYTES_LIMIT: u64 = 64 << 20;

/// The first baseline reads at most so many files.
const FILES_LIMIT: usize = 50_000;

/// Files that are read at a time.
const CHUNK: usize = 128;

/// How long after a run's start an event may still tell of a write before it: file times are no finer than
/// 10 ms, and events need their time through the queue.
const HAZE: Duration = Duration::from_millis(12);

/// Times set so soon after a write belong to the save.
const ONE_SAVE: Duration = Duration::from_millis(250);

/// The event of a write comes within this time, as long as the machine is awake.
const EVENT_DELAY: Duration = Duration::from_millis(2);

/// A file that was emptied by a writer that still has it open is filled within this time, as long as the machine has
/// time for the writer.
const FILL_DELAY: Duration = Duration::from_millis(50);

/// How a path is told of that no events tell of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polled {
    /// The interval of the passes.
    pub(super) interval: Duration,
    /// When the last pass began that is over.
    pub(super) since: Option<Instant>,
}

/// The answer of [`super::Watch::compare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// At least one file differs from what the last run saw, or nothing is known about it.
    Changed,
    /// Every file has the bytes that the last run saw.
    Same,
    /// A file is being written at this moment; its event is on the way. Ask again after this time.
    Unsettled(Duration),
    /// A file has been emptied, and its writer is not done: a disk that is busy may keep it waiting. Ask again
    /// after this time.
    Emptied(Duration),
}

/// A hash of what a file holds, or of where a link points; `None` for what is not there or too large.
pub fn content(path: &Path) -> Option<u64> {
    files::lstat(path).ok().filter(|stat| is_readable(stat.kind))?;
    hash(path, FILE_LIMIT, &mut Vec::new()).map(|(hash, _)| hash)
}

/// What the last run saw, as far as it is not in the table's records.
#[derive(Debug)]
pub(super) struct Contents {
    enabled: bool,
    since: Timestamp,
    /// Counts the runs, from 1. A name whose record was born in the present epoch is new since the last run.
    epoch: u32,
    started: Option<Instant>,
    /// The time of that start by the clock that stamps files.
    stamp: i64,
    /// Paths that changed since the last run's start.
    dirty: PathMap<Dirty>,
    /// What the last run probably saw: hash and fingerprint. Any event takes a path out of here.
    candidates: PathMap<(u64, u32)>,
    /// Files of the last run's batch that have not been read yet.
    unread: Vec<Arc<Path>>,
    confirm_at: Option<Instant>,
    /// What the background reader found while it was not certain yet what the last run saw.
    held: Vec<Hashed>,
    /// Files that the last run (probably) saw and that are gone now, with the hash of what it saw.
    gone: PathMap<u64>,
    reader: Option<Sender<Request>>,
    baseline: Baseline,
    to: UnboundedSender<Message>,
    /// The reader's pause before each file; for tests.
    pause: Duration,
}

#[derive(Debug)]
struct Dirty {
    at: Instant,
    written: bool,
    /// Read by a comparison, and no event since.
    hashed: Option<(u64, u32)>,
}

/// How far the first baseline has come.
#[derive(Debug, Default)]
struct Baseline {
    /// The first walk is done: it may begin.
    ready: bool,
    begun: bool,
    done: bool,
    /// The next place of the table.
    place: usize,
    files: usize,
    bytes: u64,
}

impl Contents {
    pub(super) fn new(settings: &Settings, since: Timestamp, to: UnboundedSender<Message>) -> Self {
        Self {
            enabled: settings.exclude_unchanged,
            since,
            epoch: 1,
            started: None,
            stamp: 0,
            dirty: PathMap::default(),
            candidates: PathMap::default(),
            unread: Vec::new(),
            confirm_at: None,
            held: Vec::new(),
            gone: PathMap::default(),
            reader: None,
            baseline: Baseline::default(),
            to,
            pause: settings.baseline_pause,
        }
    }

    /// `watcher.exclude_unchanged`.
    pub(super) fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.confirm_at
    }

    /// Whether a name that was born in this epoch is new since the last run.
    pub(super) fn is_new(&self, born: u32) -> bool {
        born == self.epoch
    }

    /// Whether a run began so short a while ago that it is not certain what it saw.
    pub(super) fn hazy(&self, now: Instant) -> bool {
        self.started.is_some_and(|started| now < started + HAZE)
    }

    /// A change is told. The path as it is kept here.
    pub(super) fn note(&mut self, path: &Path, kind: ChangeKind, now: Instant) -> Arc<Path> {
        self.candidates.remove(path);
        let written = matches!(kind, ChangeKind::Written | ChangeKind::Closed);
        self.dirty.put(path, Dirty { at: now, written, hashed: None })
    }

    /// Whether a path was written a moment ago.
    pub(super) fn just_written(&self, path: &Path, now: Instant) -> bool {
        self.dirty.get(path).is_some_and(|dirty| dirty.written && now < dirty.at + ONE_SAVE)
    }

    /// A difference was found by a look, and the one before was at `before`: whether it may be older than
    /// the last run, so that it is not certain what that saw.
    pub(super) fn uncertain_since(&self, before: Option<Instant>) -> bool {
        self.started.is_some_and(|started| before.is_none_or(|before| started >= before))
    }

    /// A name appeared: when it was born, and what the last run saw under it.
    pub(super) fn recall(&mut self, path: &Path, changed: i64, now: Instant) -> (u32, u64) {
        match self.gone.remove(path) {
            Some(hash) => (0, hash),
            None if self.hazy(now) && changed < self.stamp => (self.epoch.wrapping_sub(1), 0),
            None => (self.epoch, 0),
        }
    }

    /// A file is gone. Whether it was new since the last run.
    pub(super) fn forget(&mut self, path: &Path, record: &Record, now: Instant) -> bool {
        let new = self.is_new(record.born);
        if !new {
            let hash = if self.hazy(now) { 0 } else { record.hash };
            self.gone.insert(Arc::from(path), hash);
        }
        new
    }

    /// Whether anything that the last run (probably) saw is gone.
    pub(super) fn misses_any(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Whether the last run (probably) saw this file and it is gone now.
    pub(super) fn misses(&self, path: &Path) -> bool {
        self.gone.contains(path)
    }

    /// Something that the last run may have seen is gone, and nothing is known about it.
    pub(super) fn lost(&mut self, path: &Path) {
        self.gone.insert(Arc::from(path), 0);
    }

    /// Whether the files of a batch differ from what the last run saw. Called at the moment of firing; reads
    /// up to the first difference.
    /// `polled`: how a path is told of that no events tell of.
    pub(super) fn compare(
        &mut self,
        table: &Table,
        polled: &dyn Fn(&Path) -> Option<Polled>,
        batch: &Batch,
    ) -> Comparison {
        if !self.enabled {
            return Comparison::Changed;
        }
        let mut buffer = Vec::new();
        for change in &batch.changes {
            match self.compare_one(table, polled, change, batch.forced, &mut buffer) {
                Comparison::Same => {}
                other => return other,
            }
        }
        Comparison::Same
    }

    /// Takes out of a batch what is not there and was not there for the last run either: it came and went.
    pub(super) fn leave_out_what_went(&self, table: &Table, batch: &mut Batch) {
        batch.changes.retain(|BatchChange { path, kind }| {
            let there = table.record(path).is_some_and(|record| !record.is_dir());
            there || self.misses(path) || *kind == ChangeKind::Touched
        });
    }

    fn compare_one(
        &mut self,
        table: &Table,
        polled: &dyn Fn(&Path) -> Option<Polled>,
        change: &BatchChange,
        forced: bool,
        buffer: &mut Vec<u8>,
    ) -> Comparison {
        let path = &change.path;
        let Some(record) = table.record(path).copied().filter(|record| !record.is_dir()) else {
            // Not there: a difference only if the last run saw it.
            let seen = self.misses(path);
            return differs(change.kind == ChangeKind::Touched || seen);
        };
        if !is_readable(record.kind()) {
            return Comparison::Changed;
        }
        let read = hash(path, FILE_LIMIT, buffer);
        if let (Some((hash, stat)), Some(dirty)) = (read, self.dirty.get_mut(path)) {
            dirty.hashed = Some((hash, stat.print()));
        }
        // A file with several names may have been written under another one meanwhile.
        let same = read.is_some_and(|(hash, stat)| hash == record.hash && stat.links == 1);
        let polled = polled(path);
        // Not the state that its last event told of: the next save has begun.
        let outdated = read.is_some_and(|(_, stat)| stat.print() != record.print);
        let empty = read.is_some_and(|(_, stat)| stat.size == 0);
        match polled {
            _ if same => {}
            // A busy disk can keep the writer before the event that tells of the emptying, too.
            None if empty && (outdated || record.open() || forced && record.emptied()) => {
                return Comparison::Emptied(FILL_DELAY);
            }
            None if outdated => return Comparison::Unsettled(EVENT_DELAY),
            // Where only passes tell, that it is not empty any more is known after the next one.
            Some(polled) if outdated || record.emptied() && self.awaits_pass(path, polled) => {
                return Comparison::Unsettled(polled.interval * 3 / 2);
            }
            _ => {}
        }
        differs(!same || change.kind == ChangeKind::Touched || self.is_new(record.born))
    }

    /// Whether no pass has come by since a path's last change was told.
    fn awaits_pass(&self, path: &Path, polled: Polled) -> bool {
        let told = self.dirty.get(path).map(|dirty| dirty.at);
        told.is_none_or(|told| polled.since.is_none_or(|since| since <= told))
    }

    /// A run has been started, caused by changes of these paths. From now on "what the last run saw"
    /// is the present content.
    pub(super) fn run_started(&mut self, table: &mut Table, causes: &[Arc<Path>], now: Instant) {
        self.epoch = self.epoch.wrapping_add(1).max(2);
        self.started = Some(now);
        self.stamp = clock::of_files();
        self.unread.clear();
        let dirty = std::mem::take(&mut self.dirty);
        let told: HashSet<&OsStr> = causes.iter().map(|path| path.as_os_str()).collect();
        for (path, dirty) in dirty.into_each() {
            // Whatever was under way: unknown, until it is confirmed.
            let (mut before, mut readable) = (0, false);
            if let Some(record) = table.record_mut(&path)
                && !record.is_dir()
            {
                before = std::mem::take(&mut record.hash);
                readable = is_readable(record.kind());
                record.settle();
            }
            // The run has seen it, but was not told of it: that it differs is still to be told.
            let same = dirty.hashed.is_some_and(|(hash, _)| hash == before);
            if !same && !told.contains(path.as_os_str()) {
                // A name that came and went since is nothing any more: a temporary of each save, say.
                if table.record(&path).is_some() || self.gone.contains(&path) {
                    self.dirty.insert(path, Dirty { hashed: None, ..dirty });
                }
                continue;
            }
            match dirty.hashed {
                Some(seen) => {
                    self.candidates.insert(path, seen);
                }
                None if readable && self.enabled && self.unread.len() < FILES_LIMIT => {
                    self.unread.push(path);
                }
                None => {}
            }
        }
        for path in causes {
            self.gone.remove(path);
        }
        // Removed while the batch was on its way: perhaps the run has seen it, perhaps not.
        self.gone.values_mut().for_each(|hash| *hash = 0);
        let waiting = !self.candidates.is_empty() || !self.unread.is_empty();
        if waiting || !self.held.is_empty() || !self.baseline.begun {
            self.confirm_at = self.enabled.then_some(now + HAZE);
        }
    }

    /// A little after a run's start: files of which no event came since, and whose state is the same, are
    /// what that run saw.
    pub(super) fn confirm(&mut self, table: &mut Table, now: Instant) {
        if self.confirm_at.is_none_or(|at| now < at) {
            return;
        }
        self.confirm_at = None;
        for (path, (hash, print)) in std::mem::take(&mut self.candidates).into_each() {
            if files::lstat(&path).is_ok_and(|stat| stat.print() == print)
                && let Some(record) = table.record_mut(&path)
                && !record.is_dir()
            {
                record.hash = hash;
            }
        }
        let paths = std::mem::take(&mut self.unread);
        if !paths.is_empty() {
            self.read(paths, Some(self.epoch));
        }
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.on_hashed(table, held, now);
        }
        self.begin_baseline(table, now);
    }

    /// Contents that were read in the background.
    pub(super) fn on_hashed(&mut self, table: &mut Table, hashed: Vec<Hashed>, now: Instant) {
        if self.hazy(now) {
            self.held.extend(hashed);
            self.confirm_at = self.started.map(|started| started + HAZE);
            return;
        }
        let first = hashed.first().is_some_and(|hashed| hashed.epoch.is_none());
        for Hashed { path, found, epoch } in hashed {
            let Some((hash, stat)) = found else { continue };
            if epoch.is_none() {
                self.baseline.bytes += stat.size;
            }
            if self.dirty.contains(&path) {
                continue;
            }
            // Ten milliseconds: the grain of file times.
            let old = stat.ctime < self.since.0 - 10_000_000;
            let Some((dir, name)) = table.locate(&path) else { continue };
            let Some(dir) = table.dir_mut(dir) else { continue };
            let asked = epoch == Some(self.epoch) && !dir.polled && !dir.doubtful;
            if let Some(record) = dir.entries.get_mut(name)
                && (old || asked)
                && !record.is_dir()
                && record.print == stat.print()
            {
                record.hash = hash;
            }
        }
        if first {
            self.feed_baseline(table);
        }
    }

    /// The first walk is done.
    pub(super) fn on_ready(&mut self, table: &Table, now: Instant) {
        self.baseline.ready = true;
        self.begin_baseline(table, now);
    }

    /// Reads the tree once in the background, so that the first saves can be compared.
    fn begin_baseline(&mut self, table: &Table, now: Instant) {
        let started = self.started.is_some() && !self.hazy(now);
        let wanted = self.baseline.ready && self.enabled && started;
        if wanted && !self.baseline.begun {
            self.baseline.begun = true;
            self.feed_baseline(table);
        }
    }

    #[cfg(test)]
    pub(super) fn move_start(&mut self, since: Timestamp) {
        self.since = since;
    }

    /// Paths that changed since the last run's start.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.dirty.len()
    }

    #[cfg(test)]
    pub(super) fn baseline_done(&self) -> bool {
        self.baseline.done
    }

    fn feed_baseline(&mut self, table: &Table) {
        let mut paths: Vec<Arc<Path>> = Vec::new();
        let places = table.places();
        while paths.len() < CHUNK && self.baseline.place < places {
            let place = self.baseline.place;
            self.baseline.place += 1;
            let Some(id) = table.place(place) else { continue };
            let (Some(dir), Some(path)) = (table.dir(id), table.path(id)) else {
                continue;
            };
            let files = dir.entries.iter().filter(|(_, record)| is_readable(record.kind()));
            paths
                .extend(files.map(|(name, _)| -> Arc<Path> { Arc::from(path.join(os_str(name))) }));
        }
        let baseline = &mut self.baseline;
        baseline.files += paths.len();
        if !paths.is_empty() && baseline.files <= FILES_LIMIT && baseline.bytes <= BYTES_LIMIT {
            self.read(paths, None);
        } else {
            self.baseline.done = true;
        }
    }

    fn read(&mut self, paths: Vec<Arc<Path>>, epoch: Option<u32>) {
        let (to, pause) = (&self.to, self.pause);
        let start = || reader::start(to.clone(), FILE_LIMIT, pause);
        // Without a reader nothing is known, and unknown means changed.
        let _ = self.reader.get_or_insert_with(start).send(Request { paths, epoch });
    }
}

/// Whether reading it has no effect: a pipe or a device is never opened.
fn is_readable(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::File | EntryKind::Link)
}

fn differs(differs: bool) -> Comparison {
    if differs { Comparison::Changed } else { Comparison::Same }
}
