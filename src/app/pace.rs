//! In a flood of messages the loop does not wake for each: it looks at the queue once in a while, as network
//! drivers do. A lone save never notices. Pure: time is an argument.

use std::time::{Duration, Instant};

/// The number of wake-ups for messages within [`WITHIN`] that are a flood.
const FLOOD: u32 = 12;
/// The time in which wake-ups are counted.
const WITHIN: Duration = Duration::from_millis(10);
/// How often the queue is looked at in a flood.
const EVERY: Duration = Duration::from_millis(2);
/// A look that finds fewer messages ends the flood.
const TRICKLE: usize = 2;

/// How the loop takes messages at the moment.
#[derive(Debug, Default)]
pub(super) struct Pace {
    wakes: u32,
    since: Option<Instant>,
    next: Option<Instant>,
}

impl Pace {
    /// A message has woken the loop.
    pub(super) fn woken(&mut self, now: Instant) {
        match self.since {
            Some(since) if now.duration_since(since) < WITHIN => self.wakes += 1,
            _ => (self.since, self.wakes) = (Some(now), 1),
        }
        if self.wakes >= FLOOD {
            self.next = Some(now + EVERY);
        }
    }

    /// When the queue is to be looked at; `None`: whenever there is something in it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Whether it is time for a look.
    pub(super) fn over(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// A look has found so many messages.
    pub(super) fn looked(&mut self, taken: usize, now: Instant) {
        (self.since, self.wakes) = (None, 0);
        self.next = (taken >= TRICKLE).then(|| now + EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn a_save_and_a_save_all_wake_the_loop_for_each_message() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        // Ten files, three milliseconds apart, two wake-ups each.
        for n in 0..20 {
            pace.woken(after(start, n / 2 * 3));
            assert_eq!(pace.deadline(), None, "wake-up {n}");
        }
    }

    #[test]
    fn a_flood_is_looked_at_now_and_then_until_it_is_a_trickle() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        for _ in 0..FLOOD {
            pace.woken(start);
        }
        assert_eq!(pace.deadline(), Some(start + EVERY));
        assert!(!pace.over(after(start, 1)));
        assert!(pace.over(start + EVERY));
        pace.looked(40, start + EVERY);
        assert_eq!(pace.deadline(), Some(start + EVERY * 2));
        pace.looked(0, start + EVERY * 2);
        assert_eq!(pace.deadline(), None);
        pace.woken(start + EVERY * 2);
        assert_eq!(pace.deadline(), None, "one message is no flood");
    }
}
