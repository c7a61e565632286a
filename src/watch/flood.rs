//! In a flood of events the thread that reads them does not wake for each: it lets them gather in the kernel's
//! queue for a moment. A storm of 2,000 files costs about a third less processor time so, and a lone save
//! never notices. Pure: time is an argument.

use std::time::{Duration, Instant};

/// The shortest time from one event to the next that a wake-up takes: what comes sooner was read together.
const WAKE_GAP: Duration = Duration::from_micros(8);
/// This many wake-ups within [`WITHIN`] are a flood.
const FLOOD: u32 = 24;
const WITHIN: Duration = Duration::from_millis(10);
/// How long events gather: far from filling the kernel's queue of 16,384, and no longer than the quiet window of a
/// burst that has just become a flood, which it would split.
const GATHER: Duration = Duration::from_millis(2);
/// A flood is over when no more events than this gather.
const TRICKLE: u32 = 2;

/// How events come at the moment.
#[derive(Debug, Default)]
pub(super) struct Flood {
    handed_on: Option<Instant>,
    /// How often the thread had slept before the last event that was not read together with another.
    sleeps: u64,
    since: Option<Instant>,
    wakes: u32,
    /// Events since the last time that they were left to gather; `None`: there is no flood.
    gathered: Option<u32>,
}

impl Flood {
    /// How long to let more events gather before the one that has come is handed on. `sleeps` tells how often the
    /// thread has slept so far: it sleeps only when the queue is read empty, while a gap alone may be a read (`notify`
    /// reads a kilobyte at a time, and on some machines that takes as long as a wake-up). A pause while there is more
    /// to read would be falling behind.
    pub(super) fn event(&mut self, now: Instant, sleeps: impl FnOnce() -> u64) -> Option<Duration> {
        self.gathered = self.gathered.map(|count| count + 1);
        if self.handed_on.is_some_and(|before| now.duration_since(before) < WAKE_GAP) {
            return None;
        }
        let sleeps = sleeps();
        if std::mem::replace(&mut self.sleeps, sleeps) == sleeps {
            return None;
        }
        match self.since {
            Some(since) if now.duration_since(since) < WITHIN => self.wakes += 1,
            _ => (self.since, self.wakes) = (Some(now), 1),
        }
        let goes_on = self.gathered.map_or(self.wakes >= FLOOD, |count| count > TRICKLE);
        self.gathered = goes_on.then_some(0);
        goes_on.then_some(GATHER)
    }

    /// Events have been left to gather: that sleep does not count.
    pub(super) fn left(&mut self, sleeps: u64) {
        self.sleeps = sleeps;
    }

    /// An event was handed on.
    pub(super) fn handed_on(&mut self, now: Instant) {
        self.handed_on = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events that come after so many microseconds, by a wake-up or not.
    #[derive(Default)]
    struct Script {
        flood: Flood,
        at: Option<Instant>,
        sleeps: u64,
    }

    impl Script {
        /// How many times events were left to gather.
        fn play(&mut self, events: impl IntoIterator<Item = (u64, bool)>) -> usize {
            let mut count = 0;
            for (gap, woken) in events {
                let at = self.at.unwrap_or_else(Instant::now) + Duration::from_micros(gap);
                self.at = Some(at);
                self.sleeps += u64::from(woken);
                let sleeps = self.sleeps;
                if self.flood.event(at, || sleeps).is_some() {
                    count += 1;
                    self.sleeps += 1;
                    self.flood.left(self.sleeps);
                }
                self.flood.handed_on(at);
            }
            count
        }
    }

    #[test]
    fn saves_of_a_person_are_handed_on_at_once() {
        let mut script = Script::default();
        // A save-all of ten files, three milliseconds apart, three events each.
        let saves = (0..30).map(|n| if n % 3 == 0 { (3000, true) } else { (30, true) });
        assert_eq!(script.play(saves), 0);
        // Reading a queue without a sleep is no wake-up, however long it is and a read takes.
        let read = std::iter::repeat_n((1, false), 31).chain([(20, false)]);
        assert_eq!(script.play(std::iter::repeat_n(read, 600).flatten()), 0);
    }

    #[test]
    fn a_flood_gathers_until_it_is_a_trickle() {
        let mut script = Script::default();
        assert_eq!(script.play(std::iter::repeat_n((20, true), FLOOD as usize)), 1);
        // Gathered events are read in two goes: no reason to wait again, and none to think that the flood is over.
        for _ in 0..5 {
            let read = [(20, false)].into_iter().chain(std::iter::repeat_n((1, false), 31));
            assert_eq!(script.play(read.clone().chain(read)), 0);
            assert_eq!(script.play([(20, true)]), 1, "all is read");
        }
        // After the flood events are handed on at once.
        assert_eq!(script.play([(5000, true); 20]), 0);
    }
}
