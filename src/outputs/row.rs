//! Runs that follow one another, each caused only by what changed while the one before lived.
//!
//! No tool can tell a loop from a person here, so a row is only slowed: nothing is lost, only late.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::Key;
use super::random::Random;
use crate::model::RunId;

/// The number of runs of a row that start at once; from the next on, starts are apart.
const AT_ONCE: usize = 3;
/// The least distance of two starts of a row. A change waits no longer than that.
pub(super) const APART: Duration = Duration::from_secs(1);
/// The wait of a change is a little random too: who saves regularly must not fall into step.
const WAIT_SPREAD: f64 = 0.1;
/// The distance is random, up to so many times as long.
const SPREAD: f64 = 0.8;
/// The distance doubles while the row looks like a loop, up to this.
const APART_MOST: Duration = Duration::from_secs(60);
/// The number of starts that had to wait, one after the other and without a change meanwhile, that look like a loop.
const WAITED: usize = 5;
/// The factor by which the moments of [`WAITED`] starts may differ.
const WAITED_ALIKE: u32 = 2;
/// The length of a row that looks like a loop.
const LONG: usize = 20;
/// The factor by which the moments of [`LONG`] runs may differ.
const LONG_ALIKE: u32 = 2;

/// One run of the row.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// When the change came that caused it, after the start of the run before.
    moment: Duration,
    /// Whether the run had to wait.
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
    /// The next distance as a multiple of the least.
    spread: f64,
    /// The longest wait of a change as a multiple of the least distance.
    patience: f64,
    /// People have been told that its runs wait.
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
    /// Whether it came at the same moment after each of the last four starts.
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
