//! Settling in virtual time: what editors and tools do, microsecond by microsecond, and when the run
//! would begin.

mod anything;
mod drafts;
mod endless;
mod git_and_interval;
mod saves;
mod scale;
mod sweeps;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Due, Settings, Settle};
use crate::model::{Batch, Change, ChangeKind, Facts};

/// One moment as the process would see it.
#[expect(clippy::disallowed_methods, reason = "any instant will do for virtual time")]
fn zero() -> Instant {
    Instant::now()
}

fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What happens to a file system, told in order of time: one method for each way to save.
#[derive(Default)]
struct Script {
    /// Time in microseconds, path, what, facts.
    events: Vec<(u64, String, ChangeKind, Facts)>,
}

const TEMPORARY: Facts = Facts { new: true, temporary: true, emptied: false, found: false };
const NEW: Facts = Facts { new: true, temporary: false, emptied: false, found: false };
const EMPTIED: Facts = Facts { new: false, temporary: false, emptied: true, found: false };
const PLAIN: Facts = Facts { new: false, temporary: false, emptied: false, found: false };

impl Script {
    fn event(mut self, at: u64, path: &str, kind: ChangeKind, facts: Facts) -> Script {
        self.events.push((at, path.to_owned(), kind, facts));
        self
    }

    /// Opened for writing and closed 80 µs later.
    fn save(self, at: u64, path: &str) -> Script {
        self.event(at, path, ChangeKind::Written, PLAIN).event(
            at + 80,
            path,
            ChangeKind::Closed,
            PLAIN,
        )
    }

    /// A temporary is written, closed and, after `pause` µs, renamed over the path.
    fn atomic(self, at: u64, pause: u64, path: &str) -> Script {
        let temporary = format!("{path}.1.tmp");
        self.event(at, &temporary, ChangeKind::Written, TEMPORARY)
            .event(at + 80, &temporary, ChangeKind::Closed, TEMPORARY)
            .event(at + 80 + pause, &temporary, ChangeKind::RenamedAway, TEMPORARY)
            .event(at + 80 + pause, path, ChangeKind::Appeared, PLAIN)
    }

    fn run(self, settings: Settings) -> Played {
        Played::play(self, settings, |_, _, _| true)
    }

    /// The batches under the default settings.
    fn batches(self) -> Vec<Fired> {
        self.run(Settings::default()).batches
    }
}

/// A batch and when it fired, after the start of the script.
#[derive(Debug)]
struct Fired {
    at: Duration,
    batch: Batch,
}

impl Fired {
    fn paths(&self) -> Vec<&str> {
        self.kinds().into_iter().map(|(path, _)| path).collect()
    }

    fn kinds(&self) -> Vec<(&str, ChangeKind)> {
        self.batch.changes.iter().map(|c| (c.path.to_str().unwrap_or("?"), c.kind)).collect()
    }
}

struct Played {
    batches: Vec<Fired>,
    /// When a delay was told, and until when.
    delays: Vec<(Duration, Duration)>,
    settle: Settle,
    start: Instant,
}

impl Played {
    /// Feeds the script, asks at each deadline, and tells each batch's run as started at once. The gate
    /// is asked when a batch is due; it says whether the batch is taken.
    fn play(
        mut script: Script,
        settings: Settings,
        mut gate: impl FnMut(&mut Settle, Duration, Instant) -> bool,
    ) -> Played {
        script.events.sort_by_key(|(at, ..)| *at);
        let start = zero();
        let mut played =
            Played { batches: vec![], delays: vec![], settle: Settle::new(settings), start };
        for (at, path, kind, facts) in script.events {
            played.wait_until(start + us(at), &mut gate);
            let path: Arc<Path> = Path::new(&path).into();
            played.settle.note(Change { path, kind, facts }, start + us(at));
        }
        played.wait_until(start + Duration::from_secs(3600), &mut gate);
        assert_eq!(played.settle.waiting(), 0, "something was never handed out");
        played
    }

    fn wait_until(
        &mut self,
        end: Instant,
        gate: &mut impl FnMut(&mut Settle, Duration, Instant) -> bool,
    ) {
        let mut asked = 0;
        let mut last = None;
        while let Some(now) = self.settle.deadline().filter(|&at| at < end) {
            // A deadline that does not move when it is asked would be a busy loop.
            asked = if last == Some(now) { asked + 1 } else { 0 };
            assert!(asked < 4, "busy at {:?}", now - self.start);
            last = Some(now);
            self.ask(now, gate);
        }
    }

    fn ask(&mut self, now: Instant, gate: &mut impl FnMut(&mut Settle, Duration, Instant) -> bool) {
        let at = now.duration_since(self.start);
        match self.settle.due(now) {
            Some(Due::Ready) if !gate(&mut self.settle, at, now) => {}
            Some(Due::Ready) => {
                let batch = self.settle.take(now).expect("what is ready can be taken");
                self.settle.run_started(now);
                self.batches.push(Fired { at, batch });
            }
            Some(Due::Delayed { until, .. }) => {
                self.delays.push((at, until.duration_since(self.start)));
            }
            None => {}
        }
    }
}
