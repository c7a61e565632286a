//! `on_crash: restart`: how long to wait before a failed command is started again, and when to give up.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The first wait; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(8);
/// The most starts within [`WITHIN`].
const STARTS: usize = 8;
/// The time in which starts are counted.
const WITHIN: Duration = Duration::from_secs(30);
/// A run that lived for this long was no failure at once: the next wait is the first again.
const HEALTHY: Duration = LONGEST;

/// What to do about a failed run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Start it again after this time.
    Again(Duration),
    /// Wait for a change; so many starts were tried.
    GiveUp(usize),
}

/// The starts and failures since the last edit.
#[derive(Clone, Debug, Default)]
pub(super) struct Crash {
    failures: u32,
    starts: VecDeque<Instant>,
}

impl Crash {
    /// A run was ordered.
    pub(super) fn started(&mut self, now: Instant) {
        self.forget(now);
        self.starts.push_back(now);
    }

    /// A run failed by itself after it had lived so long.
    pub(super) fn failed(&mut self, lived: Duration, now: Instant) -> Verdict {
        self.forget(now);
        if self.starts.len() >= STARTS {
            return Verdict::GiveUp(self.starts.len());
        }
        if lived >= HEALTHY {
            self.failures = 0;
        }
        let wait = FIRST.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        Verdict::Again(wait)
    }

    /// An edit or a request: all is forgiven.
    pub(super) fn reset(&mut self) {
        *self = Crash::default();
    }

    fn forget(&mut self, now: Instant) {
        while self.starts.front().is_some_and(|&at| now.duration_since(at) >= WITHIN) {
            self.starts.pop_front();
        }
    }
}

#[cfg(test)]
impl Crash {
    /// What decides about the next failure.
    pub(super) fn shape(&self, now: Instant) -> (u32, usize) {
        let recent = self.starts.iter().filter(|&&at| now.duration_since(at) < WITHIN);
        (self.failures, recent.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do for virtual time")]
    fn zero() -> Instant {
        Instant::now()
    }

    /// Waits in milliseconds until it gives up, for a command that lives so long each time.
    fn waits(lives: Duration) -> Vec<u128> {
        let mut crash = Crash::default();
        let mut now = zero();
        let mut waits = vec![];
        for _ in 0..20 {
            crash.started(now);
            now += lives;
            match crash.failed(lives, now) {
                Verdict::Again(wait) => {
                    waits.push(wait.as_millis());
                    now += wait;
                }
                Verdict::GiveUp(starts) => {
                    assert_eq!(starts, STARTS);
                    return waits;
                }
            }
        }
        waits
    }

    #[test]
    fn a_command_that_fails_at_once_is_tried_eight_times_in_half_a_minute() {
        assert_eq!(waits(Duration::ZERO), [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    }

    #[test]
    fn a_command_that_lives_is_started_for_ever() {
        assert_eq!(waits(Duration::from_secs(10)), [250; 20]);
        assert_eq!(waits(Duration::from_secs(5))[6..], [8_000; 14]);
    }

    #[test]
    fn an_edit_forgives() {
        let mut crash = Crash::default();
        let now = zero();
        for _ in 0..8 {
            crash.started(now);
            let _ = crash.failed(Duration::ZERO, now);
        }
        assert_eq!(crash.failed(Duration::ZERO, now), Verdict::GiveUp(8));
        crash.reset();
        crash.started(now);
        assert_eq!(crash.failed(Duration::ZERO, now), Verdict::Again(FIRST));
    }
}
