//! What is known of one path, or of one family of names.

use std::collections::VecDeque;
use std::time::Duration;

use super::moment::{Lag, Moment, Way, same_moment, tolerance};
use crate::model::RunId;

/// A change later than this after a start is no part of starting: somebody else may have made it.
pub(super) const LATEST: Duration = Duration::from_secs(10);
/// The most moments of one path that are tried.
const MOMENTS: usize = 4;
/// A path that changes more often after one start is a log, and never an output.
const SIGHTINGS: usize = 8;
/// A path that changes this often at no known moment, within the starts that are compared, is not learnt meanwhile.
const STRANGE: usize = 2;
/// A path that has started fewer runs needs no rule, such as a name that comes and goes at once.
const CAUSED: u32 = 2;
/// The number of starts whose sightings are compared.
pub(super) const COMPARED: u64 = 4;
/// The number of starts for which a path is not tried after its first miss; each further miss doubles it.
const REST: u64 = 20;
/// The most doublings of [`REST`].
const DOUBLINGS: u32 = 6;
/// A file that is being written is one sighting from its opening to its closing, for this time at most.
const OPEN_MOST: Duration = Duration::from_secs(2);
/// A writer that is silent for longer than this ends the sighting.
const OPEN_SILENCE: Duration = Duration::from_millis(500);
/// The number of changes of a file, after runs of another cause, that deserve a hint.
const HINT: usize = 3;
/// A hint is for what comes no later than this after a start: later it may well be the source.
const HINT_LATEST: Duration = Duration::from_secs(1);
/// Times after a start differ by no more than half, and this, when they are about the same.
const ABOUT: Duration = Duration::from_millis(100);

/// One change, as the start before it sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    /// The start, by number.
    pub(super) act: u64,
    pub(super) run: RunId,
    /// How long after its cause that start came.
    pub(super) lag: Lag,
    pub(super) way: Way,
    /// How long after the start the change came.
    pub(super) at: Duration,
    /// Its latest event.
    pub(super) last: Duration,
    /// Its writer has it open.
    pub(super) open: bool,
    /// The change came while no run lived: somebody else made it.
    pub(super) from_rest: bool,
    /// The change was taken as what the run makes.
    pub(super) output: bool,
}

/// What a new change turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The change counts.
    Counts,
    /// The change goes on with one that was judged.
    Same {
        /// As what that one was taken.
        output: bool,
    },
    /// The run made it.
    Output {
        /// Just now it became certain.
        news: bool,
    },
}

/// Since when it is not tried.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// The path is tried from this start on.
    until: u64,
    misses: u32,
}

/// What is known of one path, or of one family of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    sightings: VecDeque<Sighting>,
    pub(super) moments: Vec<Moment>,
    /// After this start it changed too often to be an output.
    busy: Option<u64>,
    /// For its coming and its going each.
    rests: [Rest; 2],
    /// The start, put off enough to tell, after which it came elsewhere too.
    strayed: Option<(u64, Way)>,
    /// An output that began a run from rest: it has to come at its moment after this start, or it is a source.
    owed: Option<u64>,
    /// When it came, after runs that something else had caused, and these runs.
    reloads: Vec<(Duration, RunId)>,
    hinted: bool,
    /// The number of runs that were started for it, alone or with others.
    pub(super) caused: u32,
    /// People have been told that it is an output.
    pub(super) told: bool,
}

impl Track {
    /// Takes in one change.
    pub(super) fn see(&mut self, mut seen: Sighting) -> Judged {
        if let Some(before) = self.going_on(&seen) {
            before.last = seen.at;
            before.open = seen.open;
            return Judged::Same { output: before.output };
        }
        while self.sightings.front().is_some_and(|old| old.act + COMPARED <= seen.act) {
            self.sightings.pop_front();
        }
        let judged = if seen.from_rest { Judged::Counts } else { self.judge(&seen) };
        seen.output = matches!(judged, Judged::Output { .. });
        match self.sightings_of(seen.act).count() < SIGHTINGS {
            true => self.sightings.push_back(seen),
            false => self.busy = Some(seen.act),
        }
        judged
    }

    fn going_on(&mut self, seen: &Sighting) -> Option<&mut Sighting> {
        self.sightings.iter_mut().rev().find(|before| {
            let silent = seen.at.saturating_sub(before.last);
            let writing = before.open && silent <= OPEN_SILENCE && seen.at <= before.at + OPEN_MOST;
            before.act == seen.act
                && before.way == seen.way
                && (writing || same_moment(before.at, seen.at))
        })
    }

    fn judge(&mut self, seen: &Sighting) -> Judged {
        let Sighting { act, run, lag, way, at, .. } = *seen;
        let strangers = self.strangers(way).filter(|before| before.act == act).count();
        let steady =
            self.busy.is_none() && self.strangers(way).count() < STRANGE && self.caused >= CAUSED;
        let known = self.is_learnt();
        if let Some(moment) = self.moments.iter_mut().find(|moment| moment.has(way, at)) {
            moment.see(at, lag, run, act, strangers == 0);
            let news = steady && moment.learn(known);
            return match moment.is_learnt() && self.busy.is_none() {
                true => Judged::Output { news },
                false => Judged::Counts,
            };
        }
        let elsewhere = |moment: &Moment| moment.way == way && moment.is_tried_by(lag);
        if self.moments.iter().any(elsewhere) {
            self.strayed = Some((act, way));
        }
        if let Some(known) = self.earlier(seen).copied()
            && act >= self.rests[way as usize].until
            && self.moments.len() < MOMENTS
        {
            let mut moment = Moment::new(way, known.at, known.lag, known.run, known.act);
            moment.see(at, lag, run, act, strangers == 0);
            self.moments.push(moment);
        }
        Judged::Counts
    }

    /// The remembered sightings that are at no known moment.
    fn strangers(&self, way: Way) -> impl Iterator<Item = &Sighting> {
        let known = |seen: &Sighting| self.moments.iter().any(|it| it.has(seen.way, seen.at));
        self.sightings.iter().filter(move |seen| seen.way == way && !known(seen))
    }

    /// The sighting at the same moment after an earlier start.
    fn earlier(&self, seen: &Sighting) -> Option<&Sighting> {
        self.sightings.iter().rev().find(|before| {
            before.act < seen.act && before.way == seen.way && same_moment(before.at, seen.at)
        })
    }

    /// What moves with something else than the start is not tried for a while.
    fn miss(&mut self, way: Way, act: u64) {
        self.moments.retain(|moment| moment.way != way);
        let rest = &mut self.rests[way as usize];
        rest.until = act + (REST << rest.misses.min(DOUBLINGS));
        rest.misses += 1;
    }

    /// The path is somebody else's from now on: a person released it, or it began a run from rest. Whether it was an
    /// output.
    pub(super) fn release(&mut self, act: u64) -> bool {
        let learnt = self.is_learnt();
        self.miss(Way::There, act);
        self.miss(Way::Gone, act);
        self.told = false;
        learnt
    }

    /// The path began a run from rest. Whether it was an output and is none any more: a person may edit what the run makes,
    /// and the run makes it again.
    pub(super) fn begins(&mut self, act: u64) -> bool {
        if self.is_learnt() {
            self.owed = Some(act + 1);
            return false;
        }
        self.release(act)
    }

    /// The start of this number is followed by another, after the run had lasted so long. Whether an output turned out
    /// to be none.
    pub(super) fn close(&mut self, act: u64, lasted: Duration) -> bool {
        self.busy.take_if(|busy| *busy != act);
        // What is removed at the end of a run is not when the run is cut short; what is written elsewhere cuts it short.
        let due = |moment: &Moment| moment.way == Way::There || moment.at < lasted;
        let unseen = |moment: &Moment| moment.seen != act && due(moment);
        let owed = self.owed.take_if(|owed| *owed <= act).is_some();
        if owed && self.moments.iter().all(unseen) {
            return self.release(act);
        }
        let strayed = self.strayed.take().filter(|(at, _)| *at == act);
        let Some((_, way)) = strayed else { return false };
        // After the start that strayed it did not come at its moment either.
        let learnt = self.is_learnt();
        if self.moments.iter().any(|moment| moment.way == way && unseen(moment)) {
            self.miss(way, act);
        }
        let lost = learnt && !self.is_learnt();
        self.told &= !lost;
        lost
    }

    pub(super) fn is_learnt(&self) -> bool {
        self.busy.is_none() && self.moments.iter().any(Moment::is_learnt)
    }

    /// Whether it changed while a run lived.
    pub(super) fn was_seen_in_a_run(&self) -> bool {
        !self.moments.is_empty() || self.sightings.iter().any(|seen| !seen.from_rest)
    }

    /// The moments that are still on trial.
    pub(super) fn tried(&self) -> impl Iterator<Item = Duration> {
        self.moments.iter().filter(|moment| !moment.is_learnt()).map(|moment| tolerance(moment.at))
    }

    /// The start after which it was seen last.
    pub(super) fn last_seen(&self) -> u64 {
        let of_moments = self.moments.iter().map(|moment| moment.seen);
        let of_sightings = self.sightings.back().map(|seen| seen.act);
        of_moments
            .chain(of_sightings)
            .max()
            .unwrap_or(0)
            .max(self.rests.iter().map(|rest| rest.until).max().unwrap_or(0))
    }

    fn sightings_of(&self, act: u64) -> impl Iterator<Item = &Sighting> {
        self.sightings.iter().filter(move |seen| seen.act == act)
    }

    /// Its changes after this start that count.
    pub(super) fn counted(&self, act: u64) -> impl Iterator<Item = &Sighting> {
        self.sightings_of(act).filter(|seen| !seen.output)
    }

    /// The moment at which it changed after each of the last four starts, although they were put off by other times;
    /// with the first of these runs.
    pub(super) fn in_step(&self, act: u64) -> Option<(Duration, RunId)> {
        let steady = |moment: &Moment| {
            let after = |act| self.counted(act).find(|seen| moment.has(seen.way, seen.at));
            let back = (0..COMPARED).rev().map(|back| after(act.checked_sub(back)?));
            let all = back.collect::<Option<Vec<&Sighting>>>()?;
            let (first, others) = all.split_first()?;
            let differ = others.iter().any(|other| other.lag.began_otherwise(first.lag));
            differ.then_some((moment.at, first.run))
        };
        self.moments.iter().find_map(steady)
    }

    /// Whether it has changed so long after a start while a run lived: an event that comes a little late is no other.
    pub(super) fn knows(&self, way: Way, at: Duration) -> bool {
        self.moments.iter().any(|moment| moment.has(way, at))
    }

    /// Whether a change so long after a start is one of an output.
    pub(super) fn expects(&self, way: Way, at: Duration) -> bool {
        self.moments.iter().any(|moment| moment.is_learnt() && moment.has(way, at))
    }

    /// The path caused a reload although something else had caused the run before. The runs of it, when that deserves a
    /// hint: once, when it came at about the same time after each.
    pub(super) fn reloads(&mut self, act: u64) -> Option<Vec<RunId>> {
        let seen = self.counted(act).next().map(|seen| (seen.at, seen.run))?;
        if self.reloads.len() == HINT {
            self.reloads.remove(0);
        }
        self.reloads.push(seen);
        let times = || self.reloads.iter().map(|(at, _)| *at);
        let (least, most) = (times().min()?, times().max()?);
        let alike = most <= least * 3 / 2 + ABOUT && most <= HINT_LATEST;
        let due = self.reloads.len() == HINT && alike && !self.hinted && !self.is_learnt();
        self.hinted |= due;
        due.then(|| self.reloads.iter().map(|(_, run)| *run).collect())
    }
}
