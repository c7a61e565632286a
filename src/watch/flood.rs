//! In a flood of events the thread that reads them does not wake for each: it lets them gather in the kernel's
//! queue for a moment. A storm of 2,000 files costs about a third less processor time so, and a lone save
//! never notices. Pure: time is an argument.

use std::time::{Duration, Instant};

/// An event that comes so long after the one before was handed on has woken the thread: what is read in one go
/// comes within a microsecond or two.
const WAKE_GAP: Duration = Duration::from_micros(8);
/// So many wake-ups …
const FLOOD: u32 = 24;
/// … within this time are a flood.
const WITHIN: Duration = Duration::from_millis(10);
/// How long events gather: far from filling the kernel's queue of 16,384.
const GATHER: Duration = Duration::from_millis(2);
/// No more events than this in that time are the end of it.
const TRICKLE: u32 = 2;
/// So many without a wake-up among them may be a full read, with more behind it: events are read a kilobyte at a
/// time (`notify`), and on some machines a read takes as long as a wake-up. Waiting there would be falling behind.
const READ: u32 = 16;

/// How events come at the moment.
#[derive(Debug, Default)]
pub(super) struct Flood {
    handed_on: Option<Instant>,
    since: Option<Instant>,
    wakes: u32,
    /// Events since the last time that they were left to gather; `None`: there is no flood.
    gathered: Option<u32>,
    /// Events since the last wake-up.
    at_once: u32,
}

impl Flood {
    /// An event is here: how long to let more of them gather before it is handed on.
    pub(super) fn event(&mut self, now: Instant) -> Option<Duration> {
        let gathered = self.gathered.map(|count| count + 1);
        self.gathered = gathered;
        if self.handed_on.is_some_and(|before| now.duration_since(before) < WAKE_GAP) {
            self.at_once += 1;
            return None;
        }
        let drained = std::mem::replace(&mut self.at_once, 1) < READ;
        match self.since {
            Some(since) if now.duration_since(since) < WITHIN => self.wakes += 1,
            _ => (self.since, self.wakes) = (Some(now), 1),
        }
        let goes_on = gathered.map_or(self.wakes >= FLOOD, |count| count > TRICKLE);
        if goes_on && !drained {
            self.gathered = gathered.or(Some(0));
            return None;
        }
        self.gathered = goes_on.then_some(0);
        goes_on.then_some(GATHER)
    }

    /// It was handed on.
    pub(super) fn handed_on(&mut self, now: Instant) {
        self.handed_on = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events at these distances; how many times they were left to gather.
    fn gatherings(flood: &mut Flood, at: &mut Instant, gaps: impl Iterator<Item = u64>) -> usize {
        let mut count = 0;
        for gap in gaps {
            *at += Duration::from_micros(gap);
            count += usize::from(flood.event(*at).is_some());
            flood.handed_on(*at);
        }
        count
    }

    #[test]
    fn saves_of_a_person_are_handed_on_at_once() {
        let (mut flood, mut at) = (Flood::default(), Instant::now());
        // A save-all of ten files, three milliseconds apart, three events each.
        let gaps = (0..30).map(|n| if n % 3 == 0 { 3000 } else { 30 });
        assert_eq!(gatherings(&mut flood, &mut at, gaps), 0);
        // A queue that is read in one go wakes nobody, however long it is.
        assert_eq!(gatherings(&mut flood, &mut at, std::iter::repeat_n(1, 20_000)), 0);
    }

    #[test]
    fn a_flood_gathers_until_it_is_a_trickle() {
        let (mut flood, mut at) = (Flood::default(), Instant::now());
        let wakes = FLOOD as usize;
        assert_eq!(gatherings(&mut flood, &mut at, std::iter::repeat_n(20, wakes)), 1);
        // Forty have gathered each time, and are read in one go; the one after them comes by itself.
        for _ in 0..5 {
            let gaps = std::iter::repeat_n(1, 40).chain([20, 20]);
            assert_eq!(gatherings(&mut flood, &mut at, gaps), 1);
        }
        // Where a read takes its time: what has gathered is no reason to wait again before it is read.
        let gaps = std::iter::repeat_n(std::iter::repeat_n(1, 31).chain([20]), 5).flatten();
        assert_eq!(gatherings(&mut flood, &mut at, gaps), 0);
        assert_eq!(gatherings(&mut flood, &mut at, std::iter::once(5000)), 1, "all is read");
        // It is over: the next ones are handed on at once.
        assert_eq!(gatherings(&mut flood, &mut at, [5000; 20].into_iter()), 0);
    }
}
