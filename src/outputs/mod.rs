//! What the runs make themselves, and how much later the next one starts for it. Pure: time is an argument.
//!
//! The room stands twice in the pipeline. Each change passes [`Outputs::note`] on its way to settling: what the run makes at
//! the moment at which it always makes it causes nothing. Each batch passes [`Outputs::plan`] on its way to the
//! supervisor, which may put the start off: because runs that cause each other cool down ([`row`]), or because only
//! that tells what moves with the start from what moves with the save ([`moment`]). Nothing is lost by either.
//!
//! Nothing here asks the system who wrote a file. When the change came is all the evidence there is.

mod family;
mod moment;
mod random;
mod row;
#[cfg(test)]
mod tests;
mod track;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

pub use self::family::{family_of, is_made, part_for};
use self::moment::{Lag, Way};
use self::random::Random;
use self::row::{Next, Row};
use self::track::{Judged, LATEST, Sighting, Track};
use crate::model::{Batch, ChangeKind, Family, Made, RunId};

/// A change that a run made is told no later than this after its end, where the times of files tell.
pub const DATED: Duration = Duration::from_millis(20);
/// A change within this time after the end of a run was made by it, where the times of files do not tell.
pub const AFTERMATH: Duration = Duration::from_millis(250);
/// The longest time that the last events of a run may take on a busy machine.
const LATE_END: Duration = Duration::from_secs(1);
/// A trial puts a start off by at least this time, and by [`TRIAL_TOLERANCES`] tolerances.
const TRIAL_LEAST: Duration = Duration::from_millis(60);
/// A trial puts a start off by up to this time more, at random.
const TRIAL_SPREAD: Duration = Duration::from_millis(140);
const TRIAL_TOLERANCES: u32 = 3;
/// Once something is learnt, one start in about ten is put off, never more than this one after the other.
const DOUBT: std::ops::Range<u64> = 5..13;
/// A moment that did not recur after this number of starts is forgotten.
const FORGOTTEN: u64 = 8;
/// After a start with more changes nothing is learnt from the others: it is a storm from outside.
const MANY: usize = 1024;
/// The number of new names that are compared for what they have in common.
const NAMES: usize = 64;
/// The most families that are known.
const FAMILIES: usize = 32;
/// Outputs that become certain within this time are told together.
const TOGETHER: Duration = Duration::from_millis(300);
/// A change that comes this long after a start was put off is no part of its cause.
const ANOTHER: Duration = Duration::from_millis(100);

/// What is watched for moments: a path by itself, or the names of a family together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Path(Arc<Path>),
    Family(u32),
}

/// Something that the run makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What.
    pub made: Made,
    /// When, after the start.
    pub after: Duration,
    /// The runs by which that became certain, in order.
    pub runs: Vec<RunId>,
}

/// What people have to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Paths that are made by the run, and cause nothing at their moments from now on.
    Learnt(Vec<Output>),
    /// An output counts again.
    Released(Made),
    /// The next run of a row waits.
    Cooling {
        /// What causes it.
        made: Made,
        /// When that came, after the start of each of the runs; `None`: at no certain moment.
        after: Option<Duration>,
        /// The first and the last of these runs.
        runs: (RunId, RunId),
        /// When the next run starts.
        until: Instant,
    },
    /// Something changed after these runs, which something else had caused.
    Hint {
        /// What.
        made: Made,
        /// The runs.
        runs: Vec<RunId>,
    },
    /// The start is put off to see whether this moves with it.
    Trial {
        /// What.
        made: Made,
        /// By how much.
        by: Duration,
    },
}

/// Why a run starts, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first start.
    First,
    /// Something changed.
    Changes,
    /// A key, a request, a crash.
    Other,
}

/// A start, or a signal that reloads.
#[derive(Clone, Debug)]
struct Act {
    /// Counts the starts, from 1.
    number: u64,
    run: RunId,
    at: Instant,
    lag: Lag,
    /// What changed for it.
    causes: Vec<Key>,
    /// The moment at which the run was stopped, or ended.
    until: Option<Instant>,
    /// Nothing of the run is left since then.
    over: Option<Instant>,
    /// What is told until [`Outputs::ended`], and until this moment at the latest, may be of before the end.
    ending: Option<Instant>,
    /// The run is being stopped: what comes now belongs to the start of the next one.
    stopping: bool,
    /// Somebody outside has waited for the run, and knows since then what became of it.
    answered: Option<Instant>,
    sightings: usize,
}

/// The next start, as far as it has been planned.
#[derive(Clone, Debug)]
struct Planned {
    /// When the first change for it came.
    first: Instant,
    /// When the last one came that has been handed over.
    last: Instant,
    /// When it was first thought of, and by how much a trial puts it off.
    trial: Option<(Instant, Duration)>,
    causes: Vec<Key>,
    /// Something in it came while no run lived.
    from_rest: bool,
    /// Since when it waits.
    waits: Option<Instant>,
    /// The start waits for a distance that doubles.
    doubled: bool,
    /// Something changed while it waited.
    disturbed: bool,
    /// The supervisor has it.
    handed: bool,
}

/// A family with its number.
#[derive(Clone, Debug)]
struct Kin {
    id: u32,
    family: Family,
    /// Its latest members, and after which start each of them was made.
    members: VecDeque<(Arc<Path>, u64)>,
}

/// Knows what the runs make themselves.
#[derive(Debug)]
pub struct Outputs {
    random: Random,
    act: Option<Act>,
    planned: Option<Planned>,
    row: Row,
    tracks: HashMap<Key, Track>,
    families: Vec<Kin>,
    /// New names, and after which start they came.
    names: VecDeque<(Arc<Path>, u64)>,
    /// What came at its moment since the last start: the next run is told of it.
    along: Vec<Arc<Path>>,
    /// The number of starts until one is put off although everything is certain.
    doubt_in: u64,
    /// The next start is asked for.
    requested: bool,
    learnt: Vec<Key>,
    tell_at: Option<Instant>,
    findings: Vec<Finding>,
    taken: u64,
}

impl Outputs {
    /// Nothing is known. `seed`: for the random times by which starts are put off.
    #[must_use]
    pub fn new(seed: u64) -> Outputs {
        let mut random = Random(seed);
        Outputs {
            row: Row::new(&mut random),
            doubt_in: random.between(DOUBT),
            random,
            act: None,
            planned: None,
            tracks: HashMap::new(),
            families: Vec::new(),
            names: VecDeque::new(),
            along: Vec::new(),
            requested: false,
            learnt: Vec::new(),
            tell_at: None,
            findings: Vec::new(),
            taken: 0,
        }
    }

    /// Whether it matters when exactly a path was changed, and not only when that was told: it recurs.
    #[must_use]
    pub fn wants_time(&self, path: &Arc<Path>) -> bool {
        self.tracks.get(&self.known(path)).is_some_and(|track| !track.moments.is_empty())
    }

    /// Whether it matters when exactly the run ends: something has changed while one lived.
    #[must_use]
    pub fn wants_end(&self) -> bool {
        self.tracks.values().any(Track::was_seen_in_a_run)
    }

    /// When nothing of the latest run was left any more.
    #[must_use]
    pub fn over(&self) -> Option<Instant> {
        self.act.as_ref()?.over
    }

    /// Somebody who waited for the run has been answered. What changes from now on may be what they do next: it is no
    /// part of the start, however regularly it comes.
    pub fn answered(&mut self, now: Instant) {
        if let Some(act) = &mut self.act {
            act.answered.get_or_insert(now);
        }
    }

    /// A path changed at `at`. Whether it counts: `false` when the run made it at its moment. `lives`: something of
    /// the run was left then.
    #[must_use]
    pub fn note(
        &mut self,
        change: (&Arc<Path>, ChangeKind),
        at: Instant,
        lives: bool,
        now: Instant,
    ) -> bool {
        let (path, kind) = change;
        let Some(act) = &self.act else { return true };
        // The clock that stamps files may be behind by a tick.
        if act.stopping || at + DATED < act.at || act.sightings >= MANY {
            return true;
        }
        let after = at.saturating_duration_since(act.at);
        let (run, number, lag) = (act.run, act.number, act.lag);
        let lives = lives && after <= LATEST;
        let just_over = act.over.is_some_and(|over| at <= over + DATED);
        let answered = act.answered.is_some_and(|answered| at >= answered);
        let way = if kind.is_gone() { Way::Gone } else { Way::There };
        let key = self.key(path, way, number);
        let track = self.tracks.entry(key.clone()).or_default();
        let seen = Sighting {
            act: number,
            run,
            lag,
            way,
            at: after,
            last: after,
            open: kind == ChangeKind::Written,
            from_rest: !(lives || just_over && track.knows(way, after))
                || answered && !track.expects(way, after),
            output: false,
        };
        let judged = track.see(seen);
        if let (Some(act), Judged::Counts | Judged::Output { .. }) = (&mut self.act, judged) {
            act.sightings += 1;
        }
        match judged {
            Judged::Same { output: true } => false,
            Judged::Output { news } => {
                if news {
                    self.learnt.push(key);
                    self.tell_at = Some(now + TOGETHER);
                }
                self.taken += 1;
                if !self.along.contains(path) {
                    self.along.push(path.clone());
                }
                false
            }
            Judged::Counts | Judged::Same { output: false } => {
                self.disturb(now);
                true
            }
        }
    }

    /// Something changes while a start waits: nobody has started for it.
    fn disturb(&mut self, now: Instant) {
        if let Some(planned) = &mut self.planned
            && planned.waits.is_some_and(|since| now >= since + ANOTHER)
        {
            planned.disturbed = true;
        }
    }

    /// What a path is watched as.
    fn key(&mut self, path: &Arc<Path>, way: Way, number: u64) -> Key {
        let made = way == Way::There;
        if let Some(at) = self.families.iter().position(|kin| family::is_of(&kin.family, path)) {
            let kin = &mut self.families[at];
            match kin.members.iter().find(|(member, _)| member == path) {
                // A name that is made again is no new one each time.
                Some((_, act)) if made && *act != number => {
                    let id = self.families.swap_remove(at).id;
                    self.tracks.remove(&Key::Family(id));
                }
                known => {
                    if known.is_none() && made {
                        remember(&mut kin.members, path, number);
                    }
                    return Key::Family(kin.id);
                }
            }
        }
        let key = Key::Path(path.clone());
        if !made || self.tracks.contains_key(&key) {
            return key;
        }
        self.names.retain(|(_, act)| act + FORGOTTEN > number);
        let others = self.names.iter().filter(|(_, act)| *act != number);
        let kin = others
            .rev()
            .find_map(|(other, act)| Some(((other.clone(), *act), family_of(other, path)?)));
        if let Some((other, family)) = kin
            && self.families.len() < FAMILIES
        {
            let known = self.tracks.remove(&Key::Path(other.0.clone())).unwrap_or_default();
            let id = self.families.iter().map(|kin| kin.id + 1).max().unwrap_or(0);
            let members = VecDeque::from([other, (path.clone(), number)]);
            self.families.push(Kin { id, family, members });
            self.tracks.insert(Key::Family(id), known);
            return Key::Family(id);
        }
        remember(&mut self.names, path, number);
        key
    }

    /// When a run for this batch may start: no later than `now` if at once. The batch is to be handed over then; if
    /// it is later, it is to be planned anew, with whatever has come meanwhile.
    #[must_use]
    pub fn plan(&mut self, batch: &Batch, now: Instant) -> Instant {
        let Some(number) = self.act.as_ref().map(|act| act.number) else { return now };
        let (causes, from_rest) = self.causes(batch, number);
        let mut planned = self.planned.take().unwrap_or_else(|| Planned {
            first: batch.first,
            last: batch.last,
            trial: self.trial(&causes, now),
            causes: Vec::new(),
            from_rest: false,
            waits: None,
            doubled: false,
            disturbed: false,
            handed: false,
        });
        planned.first = planned.first.min(batch.first);
        planned.last = planned.last.max(batch.last);
        planned.from_rest |= from_rest;
        for cause in causes {
            if !planned.causes.contains(&cause) {
                planned.causes.push(cause);
            }
        }
        let at = self.earliest(&mut planned, number, now);
        if at > now {
            planned.waits.get_or_insert(now);
        } else {
            planned.handed = true;
        }
        self.planned = Some(planned);
        at
    }

    /// The batch that was planned last comes to nothing: its bytes are the same.
    pub fn cancel(&mut self) {
        self.planned.take_if(|planned| !planned.handed);
    }

    fn earliest(&mut self, planned: &mut Planned, number: u64, now: Instant) -> Instant {
        let (thought, by) = planned.trial.unwrap_or((now, Duration::ZERO));
        let trial = thought + by;
        let Some(act) = self.act.as_ref().filter(|_| !planned.from_rest) else {
            planned.doubled = false;
            return trial;
        };
        let steady = |cause: &Key| self.tracks.get(cause)?.in_step(number);
        // Somebody else's save during the row is not slowed with it.
        let all = planned.causes.iter().map(|cause| Some((cause, steady(cause)?)));
        let all: Option<Vec<(&Key, (Duration, RunId))>> = all.collect();
        let in_step = all.and_then(|all| all.into_iter().next());
        let (started, run) = (act.at, act.run);
        let (at, doubled) = self.row.next(&Next {
            started,
            first: planned.first,
            causes: &planned.causes,
            in_step: in_step.is_some(),
            disturbed: planned.disturbed,
        });
        // A trial comes on top: how long a change waits for the row varies little.
        let at = if at > planned.first { at + by } else { at };
        // A writer outside that comes every five seconds is not slowed for a wait that is over by then.
        planned.doubled = doubled && (planned.doubled || in_step.is_some() || at > now);
        if doubled && at > now && !self.row.said {
            self.row.said = true;
            let (cause, after, first) = match (in_step, planned.causes.first()) {
                (Some((cause, (after, first))), _) => (cause, Some(after), first),
                (None, Some(cause)) => (cause, None, self.row.first_run(run)),
                (None, None) => return at.max(trial),
            };
            if let Some(made) = self.made(cause) {
                let runs = (first, run);
                self.findings.push(Finding::Cooling { made, after, runs, until: at.max(trial) });
            }
        }
        at.max(trial)
    }

    /// What a batch stands for, and whether something in it came while no run lived.
    fn causes(&self, batch: &Batch, number: u64) -> (Vec<Key>, bool) {
        if batch.changes.len() > MANY {
            return (Vec::new(), true);
        }
        let (mut causes, mut from_rest) = (Vec::new(), false);
        for change in &batch.changes {
            let key = self.known(&change.path);
            let mut seen = false;
            for sighting in self.tracks.get(&key).iter().flat_map(|track| track.counted(number)) {
                seen = true;
                from_rest |= sighting.from_rest;
            }
            let belongs = self.act.as_ref().is_some_and(|act| act.stopping);
            from_rest |= !seen && !belongs;
            if seen && !causes.contains(&key) {
                causes.push(key);
            }
        }
        (causes, from_rest)
    }

    fn known(&self, path: &Arc<Path>) -> Key {
        let kin = self.families.iter().find(|kin| family::is_of(&kin.family, path));
        kin.map_or_else(|| Key::Path(path.clone()), |kin| Key::Family(kin.id))
    }

    fn made(&self, key: &Key) -> Option<Made> {
        match key {
            Key::Path(path) => Some(Made::Path(path.clone())),
            Key::Family(id) => {
                let kin = self.families.iter().find(|kin| kin.id == *id)?;
                Some(Made::Names(kin.family.clone()))
            }
        }
    }

    /// By how much the next start is put off, if something is on trial.
    fn trial(&mut self, causes: &[Key], now: Instant) -> Option<(Instant, Duration)> {
        let tried =
            self.tracks.iter().flat_map(|(key, track)| track.tried().map(move |it| (it, key)));
        let most = tried.max_by_key(|(tolerance, _)| *tolerance);
        // Somebody edits what the run makes: does the run make it still?
        let learnt = |key: &Key| self.tracks.get(key).is_some_and(Track::is_learnt);
        let (tolerance, key) = match most {
            Some((tolerance, key)) => (tolerance, Some(key.clone())),
            None if self.doubt_in == 0 || causes.iter().any(learnt) => (self.widest()?, None),
            None => return None,
        };
        let least = TRIAL_LEAST.max(tolerance * TRIAL_TOLERANCES);
        let by = least + TRIAL_SPREAD.mul_f64(self.random.part());
        if let Some(made) = key.as_ref().and_then(|key| self.made(key)) {
            self.findings.push(Finding::Trial { made, by });
        }
        Some((now, by))
    }

    /// The tolerance of the latest moment that is learnt.
    fn widest(&self) -> Option<Duration> {
        let learnt = self.tracks.values().flat_map(|track| &track.moments);
        learnt.filter(|it| it.is_learnt()).map(|it| moment::tolerance(it.at)).max()
    }

    /// The next start is asked for: it is not put off, and ends the row.
    pub fn request(&mut self) {
        self.requested = true;
    }

    /// A run starts, or a signal reloads it. What came at its moments since the last start: this run is told of it too.
    pub fn started(&mut self, run: RunId, start: Start, now: Instant) -> Vec<Arc<Path>> {
        let number = self.act.as_ref().map_or(1, |act| act.number + 1);
        let requested = std::mem::take(&mut self.requested) || start == Start::Other;
        let planned = self.planned.take().filter(|planned| planned.handed);
        self.close(number - 1, planned.as_ref().filter(|_| !requested));
        let lag = match &planned {
            _ if requested => Lag::Free,
            Some(planned) => Lag::After {
                first: now.saturating_duration_since(planned.first),
                last: now.saturating_duration_since(planned.last),
            },
            None if start == Start::First => Lag::NONE,
            None => Lag::Free,
        };
        let causes = planned.as_ref().map(|planned| planned.causes.clone()).unwrap_or_default();
        match (planned, &self.act) {
            (Some(planned), Some(act)) if !requested && !planned.from_rest => {
                let moment = planned.first.saturating_duration_since(act.at);
                self.row.double(planned.doubled);
                let waited = planned.waits.is_some();
                let disturbed = planned.disturbed;
                self.row.lengthen(moment, planned.causes, waited, disturbed, &mut self.random);
            }
            _ => self.row = Row::new(&mut self.random),
        }
        self.doubt_in = match self.doubt_in.checked_sub(1) {
            Some(left) => left,
            None => self.random.between(DOUBT),
        };
        self.act = Some(Act {
            number,
            run,
            at: now,
            lag,
            causes,
            until: None,
            over: None,
            ending: None,
            stopping: false,
            answered: None,
            sightings: 0,
        });
        std::mem::take(&mut self.along)
    }

    /// A start is followed by another: what it showed, and what is of no interest any more.
    fn close(&mut self, number: u64, planned: Option<&Planned>) {
        let mut released = Vec::new();
        let lasted = self.act.as_ref().and_then(|act| Some((act.until?, act.at)));
        let lasted =
            lasted.map_or(Duration::MAX, |(until, at)| until.saturating_duration_since(at));
        for (key, track) in &mut self.tracks {
            let strayed = track.close(number, lasted);
            let mut learnt = track.is_learnt();
            track.moments.retain(|moment| moment.seen + FORGOTTEN > number);
            learnt &= !track.is_learnt();
            if strayed || learnt {
                released.push(key.clone());
            }
        }
        for cause in planned.iter().flat_map(|planned| &planned.causes) {
            let Some(track) = self.tracks.get_mut(cause) else { continue };
            track.caused += 1;
            let own = self.act.as_ref().is_some_and(|act| act.causes.contains(cause));
            if track.counted(number).any(|seen| seen.from_rest) {
                if track.begins(number) {
                    released.push(cause.clone());
                }
            } else if !own
                && let Some(runs) = track.reloads(number)
                && let Some(made) = self.made(cause)
            {
                self.findings.push(Finding::Hint { made, runs });
            }
        }
        released.dedup();
        let released: Vec<Made> = released.iter().filter_map(|key| self.made(key)).collect();
        self.findings.extend(released.into_iter().map(Finding::Released));
        self.tracks.retain(|_, track| track.last_seen() + FORGOTTEN > number);
        let tracks = &self.tracks;
        self.families.retain(|kin| tracks.contains_key(&Key::Family(kin.id)));
    }

    /// The run could not be started: it makes nothing, and no row goes on through it.
    pub fn never_started(&mut self, run: RunId, now: Instant) {
        self.row = Row::new(&mut self.random);
        self.gone(run, now);
    }

    /// The run is being stopped.
    pub fn stopping(&mut self, run: RunId, now: Instant) {
        if let Some(act) = self.act.as_mut().filter(|act| act.run == run) {
            act.stopping = true;
            act.until.get_or_insert(now);
        }
    }

    /// Nothing of the run is left.
    pub fn gone(&mut self, run: RunId, now: Instant) {
        if let Some(act) = self.act.as_mut().filter(|act| act.run == run) {
            act.over = Some(now);
            act.until.get_or_insert(now);
            act.stopping = false;
        }
    }

    /// What the run did at its end is still being told.
    pub fn ending(&mut self, now: Instant) {
        if let Some(act) = &mut self.act {
            act.ending = Some(now + LATE_END);
        }
    }

    /// Everything that the run did has been told.
    pub fn ended(&mut self) {
        if let Some(act) = &mut self.act {
            act.ending = None;
        }
    }

    /// Whether what is told now may be of before the end of the run.
    #[must_use]
    pub fn is_ending(&self, now: Instant) -> bool {
        self.act.as_ref().and_then(|act| act.ending).is_some_and(|until| now < until)
    }

    /// When [`Outputs::findings`] has something to tell.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.tell_at
    }

    /// What is to be told by now.
    pub fn findings(&mut self, now: Instant) -> Vec<Finding> {
        if self.tell_at.is_some_and(|at| at <= now) {
            self.tell_at = None;
            let mut keys = std::mem::take(&mut self.learnt);
            let mut first = |key: &Key| {
                let track = self.tracks.get_mut(key);
                track.is_some_and(|track| !std::mem::replace(&mut track.told, true))
            };
            keys.retain(|key| first(key));
            let outputs: Vec<Output> = keys.iter().filter_map(|key| self.output(key)).collect();
            if !outputs.is_empty() {
                self.findings.push(Finding::Learnt(outputs));
            }
        }
        std::mem::take(&mut self.findings)
    }

    fn output(&self, key: &Key) -> Option<Output> {
        let moments = &self.tracks.get(key)?.moments;
        let learnt = moments.iter().filter(|it| it.is_learnt());
        let moment = learnt.min_by_key(|it| (it.way == Way::Gone, it.at))?;
        Some(Output { made: self.made(key)?, after: moment.at, runs: moment.runs.clone() })
    }

    /// Everything that is known to be made by the run.
    #[must_use]
    pub fn known_outputs(&self) -> Vec<Output> {
        self.tracks.keys().filter_map(|key| self.output(key)).collect()
    }

    /// How many changes were taken as what the run makes.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// A person wants this to count: all of it, or what `which` says. What of it came since the last start was no
    /// change then, and is one now.
    pub fn release(&mut self, which: impl Fn(&Made) -> bool) -> Vec<Arc<Path>> {
        let number = self.act.as_ref().map_or(0, |act| act.number);
        let mut released = Vec::new();
        let keys: Vec<Key> = self.tracks.keys().cloned().collect();
        for key in keys {
            let Some(made) = self.made(&key).filter(|made| which(made)) else { continue };
            if let Some(track) = self.tracks.get_mut(&key)
                && track.is_learnt()
            {
                track.release(number);
                released.push(made);
            }
        }
        let of = |path: &Arc<Path>| released.iter().any(|made| is_made(made, path));
        let (missed, along) = std::mem::take(&mut self.along).into_iter().partition(of);
        self.along = along;
        self.findings.extend(released.into_iter().map(Finding::Released));
        missed
    }

    /// A rule ignores it now: there is nothing left to know about it.
    pub fn drop_output(&mut self, made: &Made) {
        let keys: Vec<Key> = self.tracks.keys().cloned().collect();
        for key in keys {
            if self.made(&key).is_some_and(|own| own == *made) {
                self.tracks.remove(&key);
            }
        }
        self.along.retain(|path| !is_made(made, path));
    }

    /// Another command makes other things: nothing is known any more.
    pub fn forget(&mut self) -> Vec<Arc<Path>> {
        let missed = self.release(|_| true);
        self.tracks.clear();
        self.families.clear();
        self.names.clear();
        self.row = Row::new(&mut self.random);
        missed
    }
}

/// Adds a name to a list of a limited length.
fn remember(names: &mut VecDeque<(Arc<Path>, u64)>, path: &Arc<Path>, number: u64) {
    if names.len() == NAMES {
        names.pop_front();
    }
    names.push_back((path.clone(), number));
}
