//! The loop's part that finds files which the runs themselves write.

use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::run::Instance;
use crate::breaker::{Breaker, Follow, Guilt, Judgement, Times, becomes};
use crate::config::Origin;
use crate::control::{BrokenLoop, Name, Writer};
use crate::explain;
use crate::process::{Ended, LeftOver, Opener, Witness};
use crate::report::Notice;
use crate::settle::{Batch, BatchChange};
use crate::supervisor::{Event, RunId};
use crate::watch::{Change, ChangeKind, Comparison, Facts, Survey, content};

/// More files than this are not looked at: descriptors are not for nothing.
const LEASES: usize = 128;
/// So long after the moment at which it was written in the run before, a suspected file is let go of: who
/// opens it has to wait for us, and its file system can't be unmounted.
const WATCHING: Duration = Duration::from_secs(1);
/// A hunt begins so long before the moment at which the file was written in the run before …
const BEFORE: Duration = Duration::from_millis(30);
/// … and takes so long. It takes a processor.
const HUNT: Duration = Duration::from_millis(100);
/// No run is as fast as the other: a fifth of the time, but no more than this, is added on both sides.
const SPREAD: Duration = Duration::from_millis(100);
/// Beside a hunt, so many events make us look at once.
const LOOKS: u32 = 64;
/// The two events of a rename are no further apart than this, when we come to them.
const ONE_RENAME: Duration = Duration::from_millis(2);
/// A run that was caught writes other files too.
const LONG_HUNT: Duration = Duration::from_secs(1);

/// The breaker with what the shell knows for it.
#[derive(Debug, Default)]
pub(super) struct Loops {
    pub(super) breaker: Breaker,
    pub(super) witness: Witness,
    /// What the current run found in suspected files when it started.
    saw: HashMap<Arc<Path>, u64>,
    /// Suspected files that somebody opened who is not of the run; what for, the next event tells.
    opened: HashSet<Arc<Path>>,
    /// Paths of the last batch that were put there whole.
    renamed: HashSet<Arc<Path>>,
    /// The last change was that this was renamed: the next one tells to what.
    away: Option<(Arc<Path>, Instant)>,
    /// How often more an event makes us look what the run has open.
    looks: u32,
    /// When suspected files are let go of.
    until: Option<Instant>,
    /// It has been said that a change of this run is in doubt.
    doubt_said: bool,
    /// When the files of the last batch were written, where a pass of polling told of them.
    dated: HashMap<Arc<Path>, Instant>,
}

/// What of a batch does not count like any other change.
#[derive(Debug, Default)]
struct Sorted {
    same: Vec<Arc<Path>>,
    guilty: Vec<(Arc<Path>, Guilt)>,
    doubtful: Vec<BatchChange>,
    /// When the first of the doubtful ones is to be judged again.
    until: Option<Instant>,
}

impl Sorted {
    /// Whether the change stays in the batch.
    fn stays(&mut self, change: &BatchChange, judgement: Judgement) -> bool {
        match judgement {
            Judgement::Innocent => return true,
            Judgement::Doubtful { until } => {
                self.doubtful.push(change.clone());
                self.until = Some(self.until.map_or(until, |at| at.min(until)));
            }
            Judgement::Same => self.same.push(Arc::clone(&change.path)),
            Judgement::Guilty(guilt) => self.guilty.push((Arc::clone(&change.path), guilt)),
        }
        false
    }
}

impl Loops {
    /// When [`Instance::look_after_loops`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.until.into_iter().chain(self.breaker.deadline()).min()
    }

    /// The times of one path of a batch.
    fn times(&self, path: &Path, of_batch: Times) -> Times {
        let dated = self.dated.get(path);
        dated.map_or(of_batch, |at| Times { first: *at, last: *at, ..of_batch })
    }

    /// The convicted paths, in order.
    fn convicted(&self) -> Vec<Arc<Path>> {
        let all = self.breaker.convictions();
        let mut paths: Vec<Arc<Path>> = all.map(|(path, ..)| Arc::clone(path)).collect();
        paths.sort();
        paths
    }

    /// The convicted paths as `explain` tells of them, in order.
    pub(super) fn broken(&self) -> Vec<BrokenLoop> {
        let each = |(path, run, process): (&Arc<Path>, RunId, Option<&LeftOver>)| BrokenLoop {
            path: Name::from(&**path),
            run: run.0,
            process: process.map(|process| Writer {
                pid: process.pid,
                name: Name(process.name.as_bytes().to_vec()),
            }),
        };
        let mut broken: Vec<BrokenLoop> = self.breaker.convictions().map(each).collect();
        broken.sort_by(|a, b| a.path.0.cmp(&b.path.0));
        broken
    }

    /// A run is about to start.
    fn start(&mut self, run: RunId, causes: &[Arc<Path>], shim: Option<u32>, now: Instant) {
        self.witness.begin();
        self.saw.clear();
        self.opened.clear();
        self.looks = 0;
        self.doubt_said = false;
        let follows = self.breaker.run_started(run, causes, now);
        self.until = None;
        let mut hunted = None;
        for Follow { path, expected, suspected } in follows.into_iter().take(LEASES) {
            let leased = suspected && self.witness.watch(&path);
            if !leased && suspected || self.renamed.contains(&path) {
                hunted = hunted.or(expected);
            }
            if suspected {
                self.until = self.until.max(Some(now + expected.unwrap_or_default() + WATCHING));
                self.saw.extend(content(&path).map(|hash| (path, hash)));
            }
        }
        if let Some(expected) = hunted {
            let spread = (expected / 5).min(SPREAD);
            self.hunt(shim, expected.saturating_sub(BEFORE + spread), HUNT + spread * 2);
        }
    }

    /// The run would have written by now.
    fn let_go(&mut self) {
        self.until = None;
        self.witness.release_all();
    }

    /// Nothing of the run can write any more.
    fn over(&mut self) {
        self.until = None;
        self.witness.end();
    }

    /// Looks who writes files that can't be leased.
    fn hunt(&mut self, shim: Option<u32>, after: Duration, length: Duration) {
        self.looks = LOOKS;
        self.witness.hunt(shim, after, length);
    }

    /// Something is being written while a hunt is on.
    fn look(&mut self, shim: Option<u32>) {
        if self.looks > 0 {
            self.looks -= 1;
            self.witness.look(shim);
        }
    }

    /// Follows files from name to name. The two events of a rename come one after the other (inotify(7)).
    fn note_name(&mut self, change: &Change, now: Instant) {
        let away = self.away.take();
        match change.kind {
            ChangeKind::RenamedAway => self.away = Some((Arc::clone(&change.path), now)),
            ChangeKind::Removed => {}
            _ => self.breaker.made(&change.path),
        }
        if let Some((from, at)) = away
            && change.kind == ChangeKind::Appeared
            && now <= at + ONE_RENAME
        {
            self.breaker.renamed(from, Arc::clone(&change.path));
        }
    }

    /// A change of a suspected path.
    fn note(&mut self, change: &Change, shim: Option<u32>) {
        let path = &change.path;
        if self.opened.remove(path) {
            // `touch` does not wait for a lease: then it is not known who it was.
            let touched = change.kind == ChangeKind::Touched;
            let opener = if touched { Opener::Unseen } else { Opener::Outside };
            self.breaker.testify(path, opener);
        }
        match change.kind {
            ChangeKind::Written if !self.breaker.has_writer(path) => {
                if let Some(process) = self.witness.writer(path, shim) {
                    self.breaker.testify(path, Opener::Run(process));
                }
            }
            ChangeKind::Closed | ChangeKind::Appeared
                if self.until.is_some() && self.saw.contains_key(path) =>
            {
                // The next one who opens it may be somebody else.
                self.witness.watch(path);
            }
            gone if gone.is_gone() && self.until.is_some() => {
                self.hunt(shim, Duration::ZERO, HUNT);
            }
            _ => {}
        }
    }

    /// Takes out of a batch what does not count like any other change.
    fn sort_out(&mut self, batch: &mut Batch, shim: Option<u32>, now: Instant) -> Sorted {
        self.follow_names(batch);
        let Batch { first, last, forced, .. } = *batch;
        let times = Times { first, last, forced, now };
        let mut sorted = Sorted::default();
        loop {
            let before = sorted.guilty.len();
            batch.changes.append(&mut sorted.doubtful);
            batch.changes.retain(|change| {
                let judgement = self.judge(change, times, shim);
                sorted.stays(change, judgement)
            });
            if sorted.guilty.len() == before {
                break;
            }
            // A guilty one shows others in a new light.
            self.hunt(shim, Duration::ZERO, LONG_HUNT);
        }
        let breaker = &self.breaker;
        batch.changes.retain(|change| {
            !(change.kind.is_gone() && breaker.was_made_for_convicted(&change.path))
        });
        let (temporaries, rest) =
            std::mem::take(&mut batch.changes).into_iter().partition(|change| {
                let whole =
                    |doubtful: &BatchChange| breaker.was_made_for(&change.path, &doubtful.path);
                change.kind.is_gone() && sorted.doubtful.iter().any(whole)
            });
        batch.changes = rest;
        sorted.doubtful.extend::<Vec<BatchChange>>(temporaries);
        sorted
    }

    /// What is known of a temporary is known of the file that it has become.
    fn follow_names(&mut self, batch: &Batch) {
        self.breaker.follow_renames();
        if batch.changes.len() > LEASES {
            return;
        }
        let (gone, there): (Vec<_>, Vec<_>) =
            batch.changes.iter().partition(|change| change.kind.is_gone());
        for temporary in gone {
            let mut names = there.iter().map(|change| &change.path);
            if let Some(whole) = names.find(|whole| becomes(&temporary.path, whole)) {
                self.breaker.bequeath(&temporary.path, whole);
            }
        }
    }

    /// Judges one path of a batch.
    fn judge(&mut self, change: &BatchChange, times: Times, shim: Option<u32>) -> Judgement {
        let path = &change.path;
        if !self.breaker.is_followed(path) {
            return Judgement::Innocent;
        }
        let suspected = self.breaker.is_suspected(path);
        if !self.breaker.has_writer(path) {
            match self.witness.caught(path) {
                Some(process) => self.breaker.testify(path, Opener::Run(process)),
                None if suspected && !self.witness.can_see(shim) => {
                    self.breaker.testify(path, Opener::Unseen);
                }
                None => {}
            }
        }
        if !suspected {
            return Judgement::Innocent;
        }
        let same = change.kind != ChangeKind::Touched
            && self.saw.get(path).is_some_and(|saw| content(path) == Some(*saw));
        self.breaker.judge(path, self.times(path, times), same)
    }
}

impl Instance {
    /// A run is about to start.
    pub(super) fn watch_for_loops(&mut self, run: RunId, causes: &[Arc<Path>], now: Instant) {
        let shim = self.host.shim();
        self.loops.start(run, causes, shim, now);
    }

    /// Whether a change is that of a path which the runs themselves write.
    pub(super) fn is_of_a_loop(&mut self, change: &Change, now: Instant) -> bool {
        self.loops.note_name(change, now);
        if self.loops.breaker.suspects_any() {
            let shim = self.host.shim();
            if change.kind == ChangeKind::Written {
                self.loops.look(shim);
            }
            if self.loops.breaker.is_suspected(&change.path) {
                self.loops.note(change, shim);
            }
        }
        self.loops.breaker.drops(&change.path)
    }

    /// Somebody opened a suspected file and waits.
    pub(super) fn hear_witness(&mut self) {
        let shim = self.host.shim();
        for (path, opener) in self.loops.witness.testimony(shim) {
            match opener {
                Opener::Outside => drop(self.loops.opened.insert(path)),
                seen => self.loops.breaker.testify(&path, seen),
            }
        }
    }

    /// What a process event means for loops.
    pub(super) fn ended_for_loops(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Exited { run, ended, .. } => {
                self.loops.breaker.ended(*run, *ended == Ended::Exit(0), now);
            }
            Event::SpawnFailed { run, .. } => {
                self.loops.breaker.never_started(*run);
                self.loops.over();
            }
            Event::Gone { run, .. } => {
                self.loops.breaker.gone(*run, now);
                self.loops.over();
            }
            _ => {}
        }
    }

    /// Takes out of a batch what the run itself wrote. `None` when nothing is left of it.
    pub(super) fn break_loops(&mut self, mut batch: Batch, now: Instant) -> Option<Batch> {
        self.date(&batch, now);
        if !self.loops.breaker.is_wary() && !self.loops.witness.has_caught() {
            return Some(batch);
        }
        let shim = self.host.shim();
        let Sorted { same, guilty, doubtful, until } = self.loops.sort_out(&mut batch, shim, now);
        for (path, guilt) in guilty {
            self.convict(path, guilt, now);
        }
        if let Some(until) = until {
            // A file that has come and gone meanwhile is no second cause.
            let alone = batch.changes.is_empty() || self.watch.compare(&batch) == Comparison::Same;
            if alone {
                self.say_doubt(&doubtful, until, now);
            }
            batch.changes.extend(doubtful);
            if alone {
                self.settle.hold(batch, until);
                return None;
            }
        }
        if !batch.changes.is_empty() {
            return Some(batch);
        }
        if let Some(path) = same.first() {
            self.same_bytes += 1;
            let notice = Notice::SameBytes { path: Arc::clone(path), more: same.len() - 1 };
            self.reporter.say(&notice, now);
        }
        None
    }

    /// A pass of polling comes when it comes; whose write it was, the time of the write tells.
    fn date(&mut self, batch: &Batch, now: Instant) {
        let few = batch.changes.iter().take(LEASES);
        let dated = few.filter_map(|change| {
            let at = self.watch.changed_at(&change.path, now)?;
            Some((Arc::clone(&change.path), at))
        });
        self.loops.dated = dated.collect();
        for (path, at) in &self.loops.dated {
            self.loops.breaker.written_at(path, *at);
        }
    }

    /// Once for a run, and not before it is clear that it takes longer than anybody would overlook.
    fn say_doubt(&mut self, doubtful: &[BatchChange], until: Instant, now: Instant) {
        if self.loops.breaker.is_over()
            && !std::mem::replace(&mut self.loops.doubt_said, true)
            && let Some(change) = doubtful.first()
        {
            let path = Arc::clone(&change.path);
            let wait = until.saturating_duration_since(now);
            self.reporter.say(&Notice::LoopDoubted { path, wait }, now);
        }
    }

    fn convict(&mut self, path: Arc<Path>, guilt: Guilt, now: Instant) {
        self.loops.witness.release(&path);
        self.settle.forget(&path);
        let file = match &self.config.origin {
            Origin::File(file) => Some(file.display().to_string()),
            _ => None,
        };
        let Guilt { run, process, caused } = guilt;
        self.reporter.say(&Notice::Loop { path, run, process, caused, file }, now);
    }

    /// A batch goes to the supervisor.
    pub(super) fn hand_over(&mut self, batch: &Batch) {
        let dated = self.loops.dated.values().copied();
        self.loops.breaker.hand_over(dated.fold(batch.first, Instant::min));
        self.loops.renamed.clear();
        if batch.changes.len() <= LEASES {
            let whole = batch.changes.iter().filter(|change| change.kind != ChangeKind::Closed);
            self.loops.renamed.extend(whole.map(|change| Arc::clone(&change.path)));
        }
    }

    /// What is due by now.
    pub(super) fn look_after_loops(&mut self, now: Instant) {
        if self.loops.until.is_some_and(|until| until <= now) {
            self.loops.let_go();
        }
        for path in self.loops.breaker.tick(now) {
            self.reporter.say(&Notice::LoopReleased { path, ignored: false }, now);
        }
    }

    /// Everything convicted counts again; what changed meanwhile is a change now.
    pub(super) fn release_loops(&mut self, now: Instant) {
        for path in self.loops.convicted() {
            self.release_loop(path, now);
        }
    }

    /// The rules have changed: what they ignore now needs nobody to break its loop.
    pub(super) fn forget_ignored_loops(&mut self, now: Instant) {
        let paths = self.loops.convicted();
        if paths.is_empty() {
            return;
        }
        let (filter, roots) = (Arc::clone(&self.config.filter), self.config.roots.clone());
        let mut survey = Survey::new(filter, roots, &self.private.complete(&self.config.watch));
        let names: Vec<Name> = paths.iter().map(|path| Name::from(&**path)).collect();
        let verdicts = explain::judge(&mut survey, None, &names, &|| true).unwrap_or_default();
        for (path, verdict) in paths.into_iter().zip(verdicts) {
            if !verdict.watched {
                self.loops.breaker.release(&path);
                self.reporter.say(&Notice::LoopReleased { path, ignored: true }, now);
            }
        }
    }

    fn release_loop(&mut self, path: Arc<Path>, now: Instant) {
        let missed = self.loops.breaker.release(&path);
        let released = Notice::LoopReleased { path: Arc::clone(&path), ignored: false };
        self.reporter.say(&released, now);
        if missed {
            let facts = Facts::default();
            self.settle.note(Change { path, kind: ChangeKind::Appeared, facts }, now);
        }
    }
}
