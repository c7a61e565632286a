//! When something happens after a start, and whether it moves with the start.

use std::time::Duration;

use crate::model::RunId;

/// Two times after a start are one moment when they are no further apart than this, below a second.
const TOLERANCE: Duration = Duration::from_millis(20);
/// Later moments may be further apart, by this part of their time.
const PART: u32 = 50;
/// The widest tolerance of a late moment.
const TOLERANCE_MOST: Duration = Duration::from_millis(100);
/// A start that was put off by `TELLING / TELLING_OF` tolerances more, or less, than another tells the two apart: what
/// moves with the save comes elsewhere then.
const TELLING: u32 = 5;
const TELLING_OF: u32 = 2;
/// The number of starts that were put off, with a change at the same moment of each, that make an output; one more
/// where the tolerance is more than twice as wide, since a person may come by there.
const HITS: u32 = 3;
/// The number of lags of earlier sightings that are remembered for a moment.
const REMEMBERED: usize = 4;

/// How far a change at this moment may be from it.
pub(super) fn tolerance(moment: Duration) -> Duration {
    if moment < Duration::from_secs(1) { TOLERANCE } else { (moment / PART).min(TOLERANCE_MOST) }
}

/// Whether two times after a start are the same moment.
pub(super) fn same_moment(one: Duration, other: Duration) -> bool {
    one.abs_diff(other) <= tolerance(one.max(other))
}

/// What a change does to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// Something is there under the name: written, renamed to here, touched.
    There,
    /// The name is gone. It is a moment of its own: a clean build removes first and writes later.
    Gone,
}

/// How long after its cause a start came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lag {
    /// After the first and the last change of the cause. A tool outside may react to either.
    After {
        /// After the first.
        first: Duration,
        /// After the last.
        last: Duration,
    },
    /// No change caused the start: a key, a request, a crash. What reacts to a save does not come then.
    Free,
}

impl Lag {
    /// A start at the moment of its cause.
    pub(super) const NONE: Lag = Lag::After { first: Duration::ZERO, last: Duration::ZERO };

    /// Whether the first changes of two causes were of different age when the starts came.
    pub(super) fn began_otherwise(self, other: Lag) -> bool {
        match (self, other) {
            (Lag::After { first, .. }, Lag::After { first: before, .. }) => {
                !same_moment(first, before)
            }
            (Lag::Free, Lag::Free) => false,
            _ => true,
        }
    }

    /// Whether something tied to the save would come at another moment after the one start than after the other.
    fn tells_from(self, other: Lag, tolerance: Duration) -> bool {
        let apart = |one: Duration, other: Duration| {
            one.abs_diff(other) * TELLING_OF >= tolerance * TELLING
        };
        match (self, other) {
            (Lag::After { first, last }, Lag::After { first: before, last: before_last }) => {
                apart(first, before) && apart(last, before_last)
            }
            (Lag::Free, Lag::Free) => false,
            _ => true,
        }
    }
}

/// A moment at which a path or a family changes: on trial, or learnt.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) way: Way,
    /// After the start.
    pub(super) at: Duration,
    /// The earliest and the latest sighting of it.
    within: (Duration, Duration),
    lags: Vec<Lag>,
    /// After so many starts that were put off it came at its moment.
    hits: u32,
    /// Whether it is certain that the run does it.
    learnt: bool,
    /// The runs in which it was seen.
    pub(super) runs: Vec<RunId>,
    /// The start after which it was seen last, by number.
    pub(super) seen: u64,
}

impl Moment {
    /// A moment that was seen after an earlier start.
    pub(super) fn new(way: Way, at: Duration, lag: Lag, run: RunId, act: u64) -> Moment {
        Moment {
            way,
            at,
            within: (at, at),
            lags: vec![lag],
            hits: 0,
            learnt: false,
            runs: vec![run],
            seen: act,
        }
    }

    /// Whether a change so long after a start is at this moment: all sightings lie within two tolerances. Once it is
    /// learnt, a busy machine may make it twice as imprecise.
    pub(super) fn has(&self, way: Way, at: Duration) -> bool {
        let width = tolerance(self.at) * if self.learnt { 4 } else { 2 };
        way == self.way && self.within.1.max(at) - self.within.0.min(at) <= width
    }

    /// Whether something tied to the save would come elsewhere after a start of this lag.
    pub(super) fn is_tried_by(&self, lag: Lag) -> bool {
        let tolerance = tolerance(self.at);
        self.lags.iter().any(|before| lag.tells_from(*before, tolerance))
    }

    /// Takes in one more sighting. `alone`: what came before it after this start was at known moments too; else it may
    /// be here by chance.
    pub(super) fn see(&mut self, at: Duration, lag: Lag, run: RunId, act: u64, alone: bool) {
        if self.seen != act && alone && self.is_tried_by(lag) {
            self.hits += 1;
        }
        self.seen = act;
        if !self.runs.contains(&run) && !self.is_learnt() {
            self.runs.push(run);
        }
        if self.lags.len() < REMEMBERED {
            self.lags.push(lag);
        }
        if !self.learnt {
            self.within = (self.within.0.min(at), self.within.1.max(at));
        }
    }

    /// Nothing else about its path is strange: enough hits make it certain, one less where the run is known to make
    /// that path. Whether they do so just now.
    pub(super) fn learn(&mut self, known: bool) -> bool {
        let needed = HITS + u32::from(tolerance(self.at) > TOLERANCE * 2) - u32::from(known);
        let news = !self.learnt && self.hits >= needed;
        self.learnt |= news;
        news
    }

    /// Whether it is certain that the run does it.
    pub(super) fn is_learnt(&self) -> bool {
        self.learnt
    }
}
