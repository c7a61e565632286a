//! A small loop around the engine: deadlines instead of sleeps, and a marker file that says when everything
//! written before it has been seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::filter::{Filter, Spec};
use crate::model::{Backend, Batch, BatchChange, Change, ChangeKind, Notice};
use crate::watch::{Comparison, Message, Root, Seen, Settings, Timestamp, Watch};

/// No test waits longer than this for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) root: PathBuf,
    pub(crate) watch: Watch,
    from: UnboundedReceiver<Message>,
    pub(crate) seen: Vec<Seen>,
    marks: usize,
}

pub(crate) fn filter_for(root: &Path) -> Arc<Filter> {
    let spec = Spec {
        working_directory: root.to_path_buf(),
        gitignore: true,
        default_ignores: true,
        ..Spec::default()
    };
    Arc::new(Filter::new(spec).unwrap())
}

/// A number of `/proc/self/status`, in kB.
pub(crate) fn status(key: &str) -> i64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

impl Rig {
    /// Watches a tree that is there already, without markers.
    pub(crate) fn watching(root: &Path, pause: Duration) -> Self {
        let (to, from) = unbounded_channel();
        let settings = Settings {
            exclude_unchanged: true,
            backend: Backend::Native,
            baseline_pause: pause,
            ..Settings::default()
        };
        let roots = vec![Root { path: root.to_path_buf(), shown: ".".into(), named: false }];
        let watch = Watch::start(settings, roots, filter_for(root), Timestamp::now(), to);
        let dir = tempfile::tempdir().unwrap();
        Self { dir, root: root.to_path_buf(), watch, from, seen: Vec::new(), marks: 0 }
    }

    /// Watches an empty directory.
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    /// Prepares a tree and the settings, then watches.
    pub(crate) fn with(tree: impl FnOnce(&Path), change: impl FnOnce(&mut Settings)) -> Self {
        let mut rig = Self::start(tree, change, |_| {});
        rig.until_ready();
        rig
    }

    pub(crate) fn start(
        tree: impl FnOnce(&Path),
        change: impl FnOnce(&mut Settings),
        after: impl FnOnce(&Path),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        let marks = dir.path().canonicalize().unwrap().join("marks");
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(&marks).unwrap();
        tree(&root);
        let mut settings = Settings {
            exclude_unchanged: true,
            marker_dir: Some(marks),
            backend: Backend::Native,
            ..Settings::default()
        };
        change(&mut settings);
        // File times are no finer than the tick: what was made before must be older than the start.
        std::thread::sleep(Duration::from_millis(25));
        let since = Timestamp::now();
        after(&root);
        let (to, from) = unbounded_channel();
        let roots = vec![Root { path: root.clone(), shown: ".".into(), named: false }];
        let watch = Watch::start(settings, roots, filter_for(&root), since, to);
        Self { dir, root, watch, from, seen: Vec::new(), marks: 0 }
    }

    /// New rules, under which everything counts.
    pub(crate) fn without_built_in_rules(&mut self) {
        let spec = Spec { working_directory: self.root.clone(), ..Spec::default() };
        let roots = vec![Root { path: self.root.clone(), shown: ".".into(), named: false }];
        let since = self.tick();
        self.apply_since(since, Arc::new(Filter::new(spec).unwrap()), roots);
        self.sync();
        self.changes();
    }

    /// One turn of the loop: waits for a message or a deadline.
    fn turn(&mut self, until: Instant) {
        let now = Instant::now();
        match self.from.try_recv() {
            Ok(message) => self.watch.handle(message, now, &mut self.seen),
            Err(_) => std::thread::sleep(Duration::from_micros(200).min(until - now.min(until))),
        }
        if self.watch.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            self.watch.tick(Instant::now(), &mut self.seen);
        }
    }

    /// Turns until the condition holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < end, "waited in vain for {what}; seen: {:#?}", self.seen);
            self.turn(end);
        }
    }

    pub(crate) fn until_ready(&mut self) {
        self.until("the first walk", |rig| {
            rig.seen.iter().any(|seen| matches!(seen, Seen::Ready(_)))
        });
    }

    /// Turns for a time, whatever happens.
    pub(crate) fn for_a_while(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end);
        }
    }

    /// A moment that is later than any file time until now. Since Linux 6.13 they may be finer than the clock
    /// of [`Timestamp::now`], and ahead of it.
    pub(crate) fn tick(&self) -> Timestamp {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let past = Timestamp(i64::try_from(now.as_nanos()).unwrap());
        while Timestamp::now() <= past {
            std::thread::sleep(Duration::from_millis(1));
        }
        Timestamp::now()
    }

    /// Other rules and roots, in force since a moment that is later than all that is on disk.
    pub(crate) fn apply(&mut self, filter: Arc<Filter>, roots: Vec<Root>) {
        let since = self.tick();
        self.apply_since(since, filter, roots);
    }

    /// Other rules and roots that have been in force for a while.
    pub(crate) fn apply_since(&mut self, since: Timestamp, filter: Arc<Filter>, roots: Vec<Root>) {
        let settings = self.watch.settings.clone();
        self.watch.set_filter(filter, roots, settings, since, Instant::now(), &mut self.seen);
    }

    /// Turns until everything that is on disk now has been seen.
    #[track_caller]
    pub(crate) fn sync(&mut self) {
        self.marks += 1;
        let name = format!("mark-{}", self.marks);
        let marker = self.dir.path().join("marks").join(&name);
        std::fs::write(&marker, b"").unwrap();
        // As the loop does: one that was made while nothing watched for it is made once more.
        let rearmed =
            |rig: &Self| rig.seen.iter().filter(|seen| matches!(seen, Seen::Rearmed)).count();
        loop {
            let before = rearmed(self);
            let came = |rig: &Self| {
                rig.seen.iter().any(|seen| matches!(seen, Seen::Marker(mark) if *mark == *name))
            };
            self.until("the marker", |rig| came(rig) || rearmed(rig) != before);
            if came(self) {
                break;
            }
            let _ = std::fs::remove_file(&marker);
            std::fs::write(&marker, b"").unwrap();
        }
        self.until("the walks", |rig| rig.watch.tree.looks.walks.is_empty());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The changes seen since the last call, in order.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        self.seen.retain_mut(|seen| match seen {
            Seen::Change(change) => {
                changes.push(change.clone());
                false
            }
            _ => true,
        });
        changes
    }

    /// The same, shortened: name relative to the root and kind.
    pub(crate) fn short(&mut self) -> Vec<(String, ChangeKind)> {
        let changes = self.changes();
        changes
            .into_iter()
            .map(|change| {
                let path = change.path.strip_prefix(&self.root).unwrap_or(&change.path);
                (path.to_string_lossy().into_owned(), change.kind)
            })
            .collect()
    }

    /// Each changed name once, with the last thing that happened to it.
    pub(crate) fn last(&mut self) -> BTreeMap<String, ChangeKind> {
        self.short().into_iter().collect()
    }

    pub(crate) fn notices(&self) -> Vec<&Notice> {
        let mut notices = Vec::new();
        for seen in &self.seen {
            if let Seen::Say(notice) = seen {
                notices.push(notice);
            }
        }
        notices
    }

    /// What the loop would make of the changes: a batch.
    pub(crate) fn batch(&mut self) -> Option<Batch> {
        let mut changes: Vec<BatchChange> = Vec::new();
        for change in self.changes() {
            match changes.iter_mut().find(|known| known.path == change.path) {
                Some(known) if known.kind == ChangeKind::Touched => {}
                Some(known) => known.kind = change.kind,
                None => changes.push(BatchChange { path: change.path, kind: change.kind }),
            }
        }
        let now = Instant::now();
        (!changes.is_empty()).then_some(Batch {
            changes,
            first: now,
            last: now,
            forced: false,
            noisy: None,
        })
    }

    /// Everything that happened up to now becomes a run, unless nothing changed; whether there was one.
    pub(crate) fn run(&mut self) -> bool {
        self.sync();
        let Some(batch) = self.batch() else { return false };
        if self.watch.compare(&batch) == Comparison::Same {
            return false;
        }
        self.watch.run_started(&causes(&batch), Instant::now());
        // Until the run's beginning is certain.
        self.until("the confirmation", |rig| rig.watch.tree.contents.deadline().is_none());
        self.for_a_while(Duration::from_millis(15));
        true
    }
}

/// The paths of a batch, as a run's causes.
pub(crate) fn causes(batch: &Batch) -> Vec<Arc<Path>> {
    batch.changes.iter().map(|change| Arc::clone(&change.path)).collect()
}
