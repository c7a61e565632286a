//! Runs in a row that the same path caused.

use std::time::{Duration, Instant};

use super::state::{Current, Times};
use crate::process::LeftOver;
use crate::supervisor::RunId;

/// Writes at the same moment of three runs are no more than so far apart.
const SAME_OFFSET: Duration = Duration::from_millis(50);
/// What recurs may come so much earlier or later, and half of its time.
const ABOUT: Duration = Duration::from_millis(150);
/// So many runs in a row have to show the same offset.
const OFFSETS: usize = 3;
/// What runs rewrite with the same bytes is known as such for so many runs more.
const REMEMBERED: u32 = 16;
/// So many runs make a row.
const A_ROW: usize = 2;

/// A run at which a change is in doubt has so long to end …
const LET_END: Duration = Duration::from_millis(100);
/// … and if it does, the next one starts so long after it did: a loop that hides is slow.
const APART: Duration = Duration::from_secs(10);

/// One path that caused the current run.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// The runs in a row that it was in the cause of, the latest last.
    pub(super) caused: Vec<RunId>,
    /// How long after a run's start the batch began that caused the next one, the latest last.
    offsets: Vec<Duration>,
    /// The process of the current run that was seen to write it.
    pub(super) writer: Option<LeftOver>,
    /// A process of the run before was seen to write it too.
    written_before: bool,
    /// No other evidence can be had for it in the current run.
    pub(super) blind: bool,
    /// Since when the current run may have written it, though nobody was seen.
    doubtful: Option<Instant>,
    /// The current run left the bytes that it had found: what comes now is the beginning of something else.
    pub(super) at_rest: bool,
    /// For so many runs more its bytes are compared, whatever causes them: it has been rewritten with the
    /// same ones.
    idle: u32,
}

impl Chain {
    /// It is in the cause of one more run.
    pub(super) fn lengthen(&mut self, run: RunId, offset: Option<Duration>) {
        if self.at_rest {
            *self = Chain { idle: self.idle, ..Chain::default() };
        }
        push(&mut self.caused, run);
        match offset {
            Some(offset) => push(&mut self.offsets, offset),
            None => self.offsets.clear(),
        }
        self.written_before = self.writer.take().is_some();
        self.blind = false;
        self.doubtful = None;
    }

    /// It goes on with what is known of another name of it, if that is more.
    pub(super) fn take_over(&mut self, other: Chain) {
        if other.caused.len() > self.caused.len() {
            *self = Chain { writer: self.writer.take().or(other.writer), ..other };
        }
    }

    /// Another run starts that it did not cause. False when there is nothing to remember of it.
    pub(super) fn pass(&mut self) -> bool {
        *self = Chain { idle: self.idle.saturating_sub(1), ..Chain::default() };
        self.idle > 0
    }

    /// The current run left the bytes that it had found.
    pub(super) fn rest(&mut self) {
        self.at_rest = true;
        self.writer = None;
        self.idle = REMEMBERED;
    }

    /// Whether it is to be looked at in this run.
    pub(super) fn is_of_interest(&self) -> bool {
        self.is_suspected() || self.idle > 0
    }

    /// Whether a write by the current run is a loop.
    pub(super) fn is_suspected(&self) -> bool {
        self.caused.len() >= A_ROW
    }

    /// After how long it was written in the run before.
    pub(super) fn expected(&self) -> Option<Duration> {
        self.offsets.last().copied()
    }

    /// Whether a write so long after the start is about when the batch began that caused the run. A run
    /// does the same thing at about the same time; a person who saved a while after the start of the run
    /// before, and whose file this run now puts into shape, does not.
    pub(super) fn recurs(&self, offset: Duration) -> bool {
        // Seen in two runs in a row, it needs no clock, which a starved machine makes useless.
        self.written_before
            || self.expected().is_some_and(|before| offset.abs_diff(before) <= ABOUT + before / 2)
    }

    /// Whether a write that nobody was seen at is the one that a process of the run before was seen at, at
    /// the same moment: what is made anew is open for some microseconds.
    pub(super) fn recurs_unseen(&self, offset: Duration) -> bool {
        let same = |before: Duration| offset.abs_diff(before) <= SAME_OFFSET;
        self.written_before && self.expected().is_some_and(same)
    }

    /// Until when a change at which nobody was seen is in doubt; `None`: it is in none. `in_time`: it was written
    /// at the same moment of three runs.
    pub(super) fn doubt(&mut self, run: &Current, times: Times, in_time: bool) -> Option<Instant> {
        // Whoever waits for the end of the run, and then saves, keeps time too.
        let by_run = |at: Instant| run.ended.is_none_or(|ended| at <= ended);
        let since = match self.doubtful {
            Some(since) if times.last <= since || by_run(times.last) => since,
            // A batch that goes on after the run says nothing of when each of its paths changed.
            None if in_time && by_run(times.last) && !times.forced => times.now,
            _ => return None,
        };
        self.doubtful = Some(since);
        let until = if run.gone.is_some() { run.started + APART } else { since + LET_END };
        Some(until).filter(|until| times.now < *until)
    }

    /// Whether a write so long after the start is the third in a row at the same moment.
    pub(super) fn keeps_time(&self, offset: Duration) -> bool {
        let all = || self.offsets.iter().copied().chain([offset]);
        let spread = all().max().unwrap_or(offset) - all().min().unwrap_or(offset);
        self.offsets.len() + 1 >= OFFSETS && spread <= SAME_OFFSET
    }
}

/// Keeps the latest few: a row of runs may be long.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() + 1 >= OFFSETS {
        list.drain(..list.len() + 2 - OFFSETS);
    }
    list.push(item);
}
