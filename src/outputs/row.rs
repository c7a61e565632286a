//! Runs that follow one another, each caused only by what changed while the one before lived.
//!
//! No tool can tell a loop from a person here, so a row is only slowed: nothing is lost, only late.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::Key;
use super::random::Random;
use crate::model::RunId;

/// So many runs of a row start at once; from the next on, starts are apart.
const AT_ONCE: usize = 3;
/// How far apart, at least. A change waits no longer than that.
pub(super) const APART: Duration = Duration::from_secs(1);
/// The wait of a change is a little random too: who saves regularly must not fall into step.
const WAIT_SPREAD: f64 = 0.1;
/// The distance is random, up to so many times as long.
const SPREAD: f64 = 0.8;
/// The distance doubles while the row looks like a loop, up to this.
const APART_MOST: Duration = Duration::from_secs(60);
/// So many starts in a row that had to wait, without a change meanwhile …
const WAITED: usize = 5;
/// … at moments that differ by no more than this factor look like a loop.
const WAITED_ALIKE: u32 = 2;
/// So does a row of so many runs …
const LONG: usize = 20;
/// … whose moments differ by no more than this factor.
const LONG_ALIKE: u32 = 2;

/// One run of the row.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// When the change came that caused it, after the start of the run before.
    moment: Duration,
    /// It had to wait.
    waited: bool,
    /// Something changed while it waited: the run, which would have to start for that, did not do it.
    disturbed: bool,
}

/// The row that the current run is the latest of.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    steps: VecDeque<Step>,
    /// How many runs the row has, the first one, which something else caused, left out.
    length: usize,
    /// What caused its runs, and how many of them.
    causes: HashMap<Key, usize>,
    /// How often the distance has doubled.
    level: u32,
    /// The next distance is so many times the least …
    spread: f64,
    /// … and a change waits at most so many times as long.
    patience: f64,
    /// That its runs wait has been said.
    pub(super) said: bool,
}

/// A change that is to cause the next run of a row.
pub(super) struct Next<'a> {
    /// When the run before started.
    pub(super) started: Instant,
    /// When the first change came.
    pub(super) first: Instant,
    /// What changed.
    pub(super) causes: &'a [Key],
    /// It came at the same moment after each of the last four starts.
    pub(super) in_step: bool,
    /// Something in it changed again while it waited.
    pub(super) disturbed: bool,
}

impl Row {
    /// A row that begins with a run of another cause.
    pub(super) fn new(random: &mut Random) -> Row {
        let mut row = Row::default();
        row.draw(random);
        row
    }

    fn draw(&mut self, random: &mut Random) {
        self.spread = 1.0 + SPREAD * random.part();
        self.patience = 1.0 + WAIT_SPREAD * random.part();
    }

    /// One more run of it starts.
    pub(super) fn lengthen(
        &mut self,
        moment: Duration,
        causes: Vec<Key>,
        waited: bool,
        disturbed: bool,
        random: &mut Random,
    ) {
        if self.steps.len() == LONG {
            self.steps.pop_front();
        }
        self.steps.push_back(Step { moment, waited, disturbed });
        self.length += 1;
        for cause in causes {
            *self.causes.entry(cause).or_default() += 1;
        }
        self.draw(random);
    }

    /// When the next run may start, and whether the distance is one that doubles.
    pub(super) fn next(&mut self, next: &Next<'_>) -> (Instant, bool) {
        if self.length + 1 < AT_ONCE {
            return (next.first, false);
        }
        let looping = !next.causes.is_empty()
            && next.causes.iter().all(|cause| self.is_of(cause))
            && (next.in_step && self.length >= AT_ONCE
                || !next.disturbed
                    && (self.waits(WAITED, WAITED_ALIKE) || self.alike(LONG, LONG_ALIKE)));
        if looping {
            let doubled = APART * 2_u32.saturating_pow(self.level + 1);
            return (next.started + doubled.mul_f64(self.spread).min(APART_MOST), true);
        }
        let latest = next.first + APART.mul_f64(self.patience);
        ((next.started + APART.mul_f64(self.spread)).min(latest), false)
    }

    /// The first run of the row, when this is its latest one.
    pub(super) fn first_run(&self, latest: RunId) -> RunId {
        RunId(latest.0.saturating_sub(self.length as u64))
    }

    /// Whether this belongs to the row: it caused half of its runs or more.
    fn is_of(&self, cause: &Key) -> bool {
        self.causes.get(cause).is_some_and(|runs| runs * 2 >= self.length)
    }

    /// The next run starts after a doubled distance, or not.
    pub(super) fn double(&mut self, doubled: bool) {
        self.level = if doubled { self.level + 1 } else { 0 };
    }

    /// Whether the last runs all had to wait and nothing came meanwhile.
    fn waits(&self, runs: usize, factor: u32) -> bool {
        let last = self.steps.iter().rev().take(runs);
        self.alike(runs, factor)
            && last.fold(true, |all, step| all && step.waited && !step.disturbed)
    }

    /// Whether the last runs were caused at about the same moments.
    fn alike(&self, runs: usize, factor: u32) -> bool {
        let moments = || self.steps.iter().rev().take(runs).map(|step| step.moment);
        self.steps.len() >= runs
            && moments()
                .min()
                .zip(moments().max())
                .is_some_and(|(least, most)| most <= least * factor)
    }
}
