//! Waiting: for a condition, by a deadline. Nothing here synchronises by sleeping.

use std::time::{Duration, Instant};

/// Generous: it is reached only when something is broken, and the machine may be busy.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// What happens at once takes at most so long while other tests run beside it, in ms: less than the usual grace
/// time, which it would take otherwise. How long it takes alone is for `make torture`.
pub(crate) const PROMPT_MS: u64 = 3000;

/// How long nothing may happen before a test believes that nothing will: well over the longest
/// window (250 ms for a half save) and its followers.
pub(crate) const QUIET: Duration = Duration::from_millis(500);

/// A clock tick is at most 10 ms, and a content counts as seen by a run only if it is 10 ms older.
pub(crate) const OLDER_THAN_A_TICK: Duration = Duration::from_millis(40);

/// Asks again and again until the condition gives a value; `None` after the deadline.
pub(crate) fn until<T>(deadline: Duration, condition: impl FnMut() -> Option<T>) -> Option<T> {
    until_every(Duration::from_millis(1), deadline, condition)
}

/// [`until`], asking no more often than this.
pub(crate) fn until_every<T>(
    interval: Duration,
    deadline: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(interval);
    }
}

/// Whether more processes want a processor than there are: then moments say little.
pub(crate) fn is_busy() -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    load > std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64)
}

/// A pause that *is* the scenario (saves 20 ms apart, a writer that takes 1.5 s), never a way to wait
/// for something.
pub(crate) fn pace(pause: Duration) {
    std::thread::sleep(pause);
}

/// [`pace`] in milliseconds.
pub(crate) fn pace_ms(milliseconds: u64) {
    pace(Duration::from_millis(milliseconds));
}

/// The clock of the stamps: `CLOCK_MONOTONIC` in nanoseconds.
pub(crate) fn monotonic() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Small seeded random numbers (SplitMix64), so that a failure can be repeated.
pub(crate) struct Random(pub u64);

impl Random {
    /// The next number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Prints a row of times (milliseconds) as median, 99th percentile and maximum; gives the last two.
pub(crate) fn figures(what: &str, times: &[u64]) -> (u64, u64) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |hundredths: usize| times[(times.len() * hundredths).div_ceil(100).max(1) - 1];
    let (median, high, longest) = (at(50), at(99), at(100));
    eprintln!("{what}: {} times, median {median} ms, p99 {high} ms, max {longest} ms", times.len());
    (high, longest)
}

/// Milliseconds since a moment of [`monotonic`].
pub(crate) fn ms_since(moment: u64) -> u64 {
    monotonic().saturating_sub(moment) / 1_000_000
}
