//! Suspicion, conviction, acquittal, release.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chain::Chain;
use crate::filter::temporary_of;
use crate::process::{LeftOver, Opener};
use crate::supervisor::RunId;

/// What the run wrote is told of no later than this after nothing of it is left; what comes then is somebody else's …
const AFTERMATH: Duration = Duration::from_millis(250);
/// … and where the times of files tell, they tell it with this precision.
const DATED: Duration = Duration::from_millis(20);
/// So long after its end a run has not written what it left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// Who writes a path that has caused one run is looked for when it was written this soon after the start.
const SOON: Duration = Duration::from_secs(2);
/// A run with more causes is a storm from outside, not a loop.
const MANY: usize = 1024;

/// What a suspected path turned out to be when its batch was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It counts like any other.
    Innocent,
    /// It has the bytes that the run found when it started: nothing to do.
    Same,
    /// The run wrote it: it is convicted from now on.
    Guilty(Guilt),
    /// Nobody was seen, but everything else speaks for the run: it has time, and counts with any other
    /// change before.
    Doubtful {
        /// When it is to be judged again.
        until: Instant,
    },
}

/// The times of a batch that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Its first change.
    pub first: Instant,
    /// Its last.
    pub last: Instant,
    /// Something in it is still being written.
    pub forced: bool,
    /// The present.
    pub now: Instant,
}

/// A path to look after while a run lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The path.
    pub path: Arc<Path>,
    /// How long after its start the batch began in the run before, if it is known.
    pub expected: Option<Duration>,
    /// It has caused two runs in a row, or another cause of this run has, or runs are known to rewrite it.
    /// Otherwise nobody is to be kept waiting for it.
    pub suspected: bool,
}

impl Follow {
    /// Whether the run before may have written it, and this one may again before long.
    fn may_recur_soon(&self) -> bool {
        self.expected.is_some_and(|expected| expected < SOON)
    }
}

/// What a path is convicted of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guilt {
    /// The run that wrote it.
    pub run: RunId,
    /// The process of that run, when it was seen.
    pub process: Option<LeftOver>,
    /// The runs that the path had caused.
    pub caused: Vec<RunId>,
}

/// A path that is as ignored.
#[derive(Clone, Debug)]
struct Conviction {
    /// The run that wrote it.
    by: RunId,
    /// The process of it, when it was seen.
    process: Option<LeftOver>,
    /// When it wrote, after its start.
    offset: Duration,
    /// The current run wrote it again.
    written: bool,
}

/// The current run, or the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current {
    id: RunId,
    pub(super) started: Instant,
    /// Its leader has ended.
    pub(super) ended: Option<Instant>,
    /// Nothing of it is left.
    pub(super) gone: Option<Instant>,
    /// It ended otherwise: what it did not write shows nothing.
    cut_short: bool,
    /// A path has been convicted of being written by it.
    loops: bool,
}

/// Decides which paths the runs themselves write. Time is an argument.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    run: Option<Current>,
    /// How long after that run's start the batch began that the next run will answer.
    offset: Option<Duration>,
    chains: HashMap<Arc<Path>, Chain>,
    convicted: HashMap<Arc<Path>, Conviction>,
    /// What has been made or written during this run.
    made: HashSet<Arc<Path>>,
    /// What has been renamed during this run, and to what.
    renamed: HashMap<Arc<Path>, Arc<Path>>,
    /// A chain may be of interest: asked for each change, and a storm makes many chains.
    suspicious: bool,
}

impl Breaker {
    /// A run is about to start, caused by these paths. Returns which of them the process room is to look
    /// after.
    pub fn run_started(&mut self, run: RunId, causes: &[Arc<Path>], now: Instant) -> Vec<Follow> {
        let offset = self.offset.take();
        self.follow_renames();
        self.made.clear();
        self.renamed.clear();
        let mut old = std::mem::take(&mut self.chains);
        for path in causes.iter().take(if causes.len() > MANY { 0 } else { MANY }) {
            let mut chain = old.remove(path).unwrap_or_default();
            chain.lengthen(run, offset);
            self.chains.insert(Arc::clone(path), chain);
        }
        self.run = Some(Current {
            id: run,
            started: now,
            ended: None,
            gone: None,
            cut_short: false,
            loops: false,
        });
        self.convicted.values_mut().for_each(|conviction| conviction.written = false);
        old.retain(|_, chain| chain.pass());
        self.chains.extend(old);
        // A loop may have more files than the one that showed it.
        let row = self.chains.values().any(Chain::is_suspected);
        self.suspicious = self.chains.values().any(Chain::is_of_interest);
        let follow = |(path, chain): (&Arc<Path>, &Chain)| Follow {
            path: Arc::clone(path),
            expected: chain.expected(),
            suspected: row || chain.is_of_interest(),
        };
        let follows = self.chains.iter().map(follow);
        let mut follows: Vec<Follow> =
            follows.filter(|follow| follow.suspected || follow.may_recur_soon()).collect();
        // Whoever can't follow all begins with these.
        follows.sort_by_key(|follow| !follow.suspected);
        follows
    }

    /// The leader of the run has ended by itself.
    pub fn ended(&mut self, run: RunId, success: bool, now: Instant) {
        if let Some(current) = self.run.as_mut().filter(|current| current.id == run) {
            current.ended = Some(now);
            current.cut_short |= !success;
        }
    }

    /// The run could not be started: it has written nothing, and no row goes on through it.
    pub fn never_started(&mut self, run: RunId) {
        if self.run.is_some_and(|current| current.id == run) {
            self.run = None;
            self.chains.clear();
            self.suspicious = false;
        }
    }

    /// Nothing of the run is left.
    pub fn gone(&mut self, run: RunId, now: Instant) {
        if let Some(current) = self.run.as_mut().filter(|current| current.id == run) {
            current.gone = Some(now);
            current.cut_short |= current.ended.is_none();
        }
    }

    /// Whether a change of this path, or of a temporary that becomes it, is to be dropped. The hot path: nothing is done as long as nothing is
    /// convicted.
    pub fn drops(&mut self, path: &Path) -> bool {
        if self.convicted.is_empty() {
            return false;
        }
        if let Some(conviction) = self.convicted.get_mut(path) {
            conviction.written = true;
            return true;
        }
        self.convicted.keys().any(|convicted| becomes(path, convicted))
    }

    /// Whether this path is as ignored, because the runs write it themselves.
    #[must_use]
    pub fn convicted(&self, path: &Path) -> bool {
        self.convicted.contains_key(path)
    }

    /// Whether anything about changes matters: asked for each.
    #[must_use]
    pub fn is_wary(&self) -> bool {
        self.suspects_any() || !self.convicted.is_empty()
    }

    /// A path has been made or written.
    pub fn made(&mut self, path: &Arc<Path>) {
        if self.is_wary() && self.made.len() < MANY {
            self.made.insert(Arc::clone(path));
        }
    }

    /// A path has been renamed.
    pub fn renamed(&mut self, from: Arc<Path>, to: Arc<Path>) {
        // A backup: its name is back, and stands for the same as before.
        self.renamed.remove(&to);
        if self.made.contains(&from) || self.chains.contains_key(&from) {
            self.renamed.insert(from, to);
        }
    }

    /// What is known of a temporary is known of the file that it has become.
    pub fn follow_renames(&mut self) {
        let renamed = std::mem::take(&mut self.renamed);
        renamed.iter().for_each(|(from, to)| self.bequeath(from, to));
        self.renamed = renamed;
    }

    /// The same for one of the two, which is gone.
    pub fn bequeath(&mut self, from: &Path, to: &Arc<Path>) {
        if let Some(chain) = self.chains.remove(from) {
            self.chains.entry(Arc::clone(to)).or_default().take_over(chain);
        }
    }

    /// Whether a path that is gone was made by this run on the way to another one. What was there before is a
    /// change by itself, whatever it was renamed to.
    #[must_use]
    pub fn was_made_for(&self, path: &Path, whole: &Path) -> bool {
        let renamed = || self.renamed.get(path).is_some_and(|to| **to == *whole);
        self.made.contains(path) && (renamed() || becomes(path, whole))
    }

    /// Whether it was made on the way to a path that is as ignored.
    #[must_use]
    pub fn was_made_for_convicted(&self, path: &Path) -> bool {
        self.convicted.keys().any(|convicted| self.was_made_for(path, convicted))
    }

    /// Whether this path has to be judged.
    #[must_use]
    pub fn is_suspected(&self, path: &Path) -> bool {
        self.is_looping() || self.chains.get(path).is_some_and(Chain::is_of_interest)
    }

    /// Whether it means anything who writes this path.
    #[must_use]
    pub fn is_followed(&self, path: &Path) -> bool {
        self.is_looping() || self.chains.contains_key(path)
    }

    /// Whether the current run was caught writing: then its other files are looked at too.
    fn is_looping(&self) -> bool {
        self.run.is_some_and(|run| run.loops)
    }

    /// Whether anything at all may be suspected.
    #[must_use]
    pub fn suspects_any(&self) -> bool {
        self.suspicious || self.is_looping()
    }

    /// Who was seen to write a path.
    pub fn testify(&mut self, path: &Arc<Path>, opener: Opener) {
        match opener {
            Opener::Run(process) if self.is_followed(path) => {
                self.chains.entry(Arc::clone(path)).or_default().writer = Some(process);
            }
            Opener::Run(_) | Opener::Unclear => {}
            Opener::Outside => {
                self.chains.remove(path);
            }
            Opener::Unseen => {
                if let Some(chain) = self.chains.get_mut(path) {
                    chain.blind = true;
                }
            }
        }
    }

    /// Whether somebody of the run has been seen writing the path.
    #[must_use]
    pub fn has_writer(&self, path: &Path) -> bool {
        self.chains.get(path).is_some_and(|chain| chain.writer.is_some())
    }

    /// Judges one path of a batch. `same`: it has the bytes that the run found.
    pub fn judge(&mut self, path: &Arc<Path>, times: Times, same: bool) -> Judgement {
        let first = times.first;
        let Some(run) = &mut self.run else { return Judgement::Innocent };
        let late = run.gone.is_some_and(|gone| first > gone + AFTERMATH);
        let its_own = run.gone.is_none_or(|gone| times.last <= gone + AFTERMATH);
        let looping = run.loops;
        let Some(chain) = self.chains.get_mut(path).filter(|_| !late) else {
            self.chains.remove(path);
            return Judgement::Innocent;
        };
        if same {
            chain.rest();
            self.suspicious = true;
            return Judgement::Same;
        }
        if chain.at_rest {
            return Judgement::Innocent;
        }
        let offset = first.saturating_duration_since(run.started);
        let seen = match chain.writer {
            Some(_) => chain.caused.is_empty() || chain.recurs(offset),
            None => chain.recurs_unseen(offset),
        };
        let in_time = chain.keeps_time(offset) && chain.is_suspected();
        let guessed = chain.blind && in_time;
        // What else a run writes that was caught is of the same loop.
        let proven = seen && (chain.is_suspected() || looping);
        if !(its_own && (proven || guessed)) {
            let until = chain.doubt(run, times, in_time);
            return until.map_or(Judgement::Innocent, |until| Judgement::Doubtful { until });
        }
        run.loops = true;
        let guilt = Guilt {
            run: run.id,
            process: chain.writer.take(),
            caused: std::mem::take(&mut chain.caused),
        };
        self.chains.remove(path);
        let process = guilt.process.clone();
        let conviction = Conviction { by: run.id, process, offset, written: true };
        self.convicted.insert(Arc::clone(path), conviction);
        Judgement::Guilty(guilt)
    }

    /// Whether nothing of the latest run is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.run.is_some_and(|run| run.gone.is_some())
    }

    /// It is known when a path was written: after the end of the run somebody else did, and no row goes on.
    pub fn written_at(&mut self, path: &Path, at: Instant) {
        if self.run.and_then(|run| run.gone).is_some_and(|gone| at > gone + DATED) {
            self.chains.remove(path);
        }
    }

    /// A batch that begins at `first` is handed to the supervisor.
    pub fn hand_over(&mut self, first: Instant) {
        let Some(run) = self.run else { return };
        self.offset = Some(first.saturating_duration_since(run.started));
        if run.gone.is_some_and(|gone| first > gone + AFTERMATH) {
            // No run wrote this: no row goes on.
            self.chains.retain(|_, chain| chain.pass());
        }
    }

    /// When [`Breaker::tick`] may release something; `None` while time alone releases nothing.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let run = self.run?;
        self.convicted.values().filter_map(|conviction| release_at(run, conviction)).min()
    }

    /// Releases what a run of another cause has not written.
    pub fn tick(&mut self, now: Instant) -> Vec<Arc<Path>> {
        let Some(run) = self.run.filter(|_| !self.convicted.is_empty()) else { return Vec::new() };
        let due = |conviction: &Conviction| release_at(run, conviction).is_some_and(|at| at <= now);
        let free = self.convicted.iter().filter(|(_, conviction)| due(conviction));
        let free: Vec<Arc<Path>> = free.map(|(path, _)| Arc::clone(path)).collect();
        self.convicted.retain(|path, _| !free.contains(path));
        free
    }

    /// The convicted paths, each with the run that wrote it and the process that was seen.
    pub fn convictions(&self) -> impl Iterator<Item = (&Arc<Path>, RunId, Option<&LeftOver>)> {
        self.convicted.iter().map(|(path, by)| (path, by.by, by.process.as_ref()))
    }

    /// Releases a path; whether it had changed since the last run started. What this run was seen to do counts
    /// no more: it is wanted.
    pub fn release(&mut self, path: &Path) -> bool {
        self.chains.remove(path);
        if let Some(run) = &mut self.run {
            run.loops = false;
        }
        self.convicted.remove(path).is_some_and(|conviction| conviction.written)
    }
}

/// Whether a path is a temporary that becomes another one when it is complete.
#[must_use]
pub fn becomes(path: &Path, whole: &Path) -> bool {
    path.parent() == whole.parent()
        && path
            .file_name()
            .zip(whole.file_name())
            .is_some_and(|(name, whole)| temporary_of(name, whole))
}

/// When it will be certain that a run, which some other cause had, does not write the path.
fn release_at(run: Current, conviction: &Conviction) -> Option<Instant> {
    if conviction.written || conviction.by == run.id || run.cut_short {
        return None;
    }
    // What lives on has had twice the time that the write took.
    let over = run.started + conviction.offset * 2;
    Some(run.ended.unwrap_or(over) + LEFT_ALONE)
}
