//! Every number of settling, in one place. Change one only with a measurement.

use std::time::Duration;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The quiet window is this many times the burst's age.
pub const WINDOW_FACTOR: u32 = 2;
/// The quiet window of a lone save. A whole `write` + `close` takes about a third of it.
pub const WINDOW_LEAST: Duration = Duration::from_micros(300);
/// The longest quiet window, but for files that come one after the other, as from a formatter.
pub const WINDOW_MOST: Duration = ms(50);
/// The longest quiet window for files that come one after the other, as a multiple of the distance between them.
pub const WINDOW_DISTANCES: u32 = 5;
/// The number of waiting files from which [`WINDOW_DISTANCES`] applies.
pub const WINDOW_FILES: usize = 3;
/// The longest quiet window for files that come one after the other. One file that takes longer than the others is no
/// end.
pub const WINDOW_SWEEP: Duration = ms(200);
/// Changes less than this apart are one burst, also across a run that fired early.
pub const BURST_GAP: Duration = ms(250);
/// An open writer that is silent for this long counts as closed.
pub const WRITER_SILENCE: Duration = ms(500);
/// A name that went away, or a new temporary, is waited for so long: the other half of a save follows.
pub const HOLD_HALF: Duration = ms(25);
/// A file that became empty is waited for so long: its content follows.
pub const HOLD_EMPTIED: Duration = ms(250);
/// A new temporary beside changes of others, as a backup is beside the file that is being saved: it is waited for
/// until so long after the last of these changes. Helix removes its backup up to 20 ms after the save.
pub const HOLD_BACKUP: Duration = ms(50);
/// A new temporary that is being written holds others for so long from its first write: what comes of it may be the
/// other half of a save, but it may also be a large file that is being copied.
pub const HOLD_DRAFT: Duration = Duration::from_secs(1);
/// A new temporary that is being written is no change by itself: the file that it becomes is. It is one when it is
/// silent, and still open, for so long.
pub const DRAFT_SILENCE: Duration = Duration::from_secs(2);
/// From the first change that no run has got until it gets one, under endless writing.
pub const MAX_WAIT: Duration = Duration::from_secs(2);
/// The number of complete saves of one file within one maximum wait, without a quiet window between them,
/// that are endless writing although each save is closed (`echo >> file` in a loop).
pub const NOISY_REPEATS: u32 = 3;
/// A file is blamed for a maximum wait only if it has been changing for at least this long.
pub const NOISY_SINCE: Duration = Duration::from_secs(1);
/// A sweep goes on until nothing has changed for so long.
pub const SWEEP_GAP: Duration = Duration::from_secs(1);
/// After this number of reloads of a sweep the next one has a window of
/// twice [`WINDOW_MOST`], and each after it of twice as much again.
pub const SWEEP_RELOADS: u32 = 2;
/// Files of a sweep that are further apart than this on average are not waited for: the longest window would hardly
/// bring two of them together, and a person can be as fast.
pub const SWEEP_DISTANCE: Duration = ms(300);
/// The window of a sweep never gets longer than this.
pub const SWEEP_WINDOW: Duration = ms(400);
/// From this number of reloads of a sweep on, the maximum wait is [`SWEEP_MAX_WAIT`].
pub const SWEEP_LONG: u32 = 3;
/// The maximum wait in a long sweep: each run before its end is for nothing.
pub const SWEEP_MAX_WAIT: Duration = Duration::from_secs(4);
/// The number of files of a sweep that are remembered; any further file counts as another one.
pub const SWEEP_FILES: usize = 4_096;
/// While git holds its lock, look again after this.
pub const GIT_ASK_AGAIN: Duration = ms(5);
/// Git's lock holds a batch no longer than this.
pub const GIT_PATIENCE: Duration = Duration::from_secs(10);
/// The least quiet window while a rebase or another sequence of git is under way.
pub const GIT_SEQUENCE_WINDOW: Duration = ms(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_one_that_was_measured() {
        let micros = |d: Duration| d.as_micros();
        let table = [
            ("window, least", micros(WINDOW_LEAST), 300),
            ("window, most", micros(WINDOW_MOST), 50_000),
            ("window, sweep", micros(WINDOW_SWEEP), 200_000),
            ("window, files", WINDOW_FILES as u128, 3),
            ("window, distances", u128::from(WINDOW_DISTANCES), 5),
            ("burst gap", micros(BURST_GAP), 250_000),
            ("writer silence", micros(WRITER_SILENCE), 500_000),
            ("half save", micros(HOLD_HALF), 25_000),
            ("emptied", micros(HOLD_EMPTIED), 250_000),
            ("backup", micros(HOLD_BACKUP), 50_000),
            ("draft", micros(HOLD_DRAFT), 1_000_000),
            ("draft, silence", micros(DRAFT_SILENCE), 2_000_000),
            ("maximum wait", micros(MAX_WAIT), 2_000_000),
            ("sweep, gap", micros(SWEEP_GAP), 1_000_000),
            ("sweep, reloads", u128::from(SWEEP_RELOADS), 2),
            ("sweep, distance", micros(SWEEP_DISTANCE), 300_000),
            ("sweep, window", micros(SWEEP_WINDOW), 400_000),
            ("sweep, long", u128::from(SWEEP_LONG), 3),
            ("sweep, maximum wait", micros(SWEEP_MAX_WAIT), 4_000_000),
            ("sweep, files", SWEEP_FILES as u128, 4_096),
            ("git, ask again", micros(GIT_ASK_AGAIN), 5_000),
            ("git, patience", micros(GIT_PATIENCE), 10_000_000),
            ("git, sequence", micros(GIT_SEQUENCE_WINDOW), 250_000),
            ("window factor", u128::from(WINDOW_FACTOR), 2),
        ];
        for (name, is, measured) in table {
            assert_eq!(is, measured, "{name}");
        }
    }

    #[test]
    fn the_numbers_fit_each_other() {
        // A burst outlives its own longest window and the longest hold of a half save.
        assert!(WINDOW_MOST < WINDOW_SWEEP && WINDOW_SWEEP < BURST_GAP && HOLD_HALF < BURST_GAP);
        // A hold ends before a silent writer is given up, and that before the maximum wait.
        assert!(HOLD_EMPTIED < WRITER_SILENCE && WRITER_SILENCE < MAX_WAIT);
        assert!(
            NOISY_SINCE < MAX_WAIT && MAX_WAIT < SWEEP_MAX_WAIT && SWEEP_MAX_WAIT < GIT_PATIENCE
        );
        // A sweep outlives its own longest window, also while the run before is being stopped.
        assert!(WINDOW_MOST < SWEEP_WINDOW && SWEEP_WINDOW * 2 < SWEEP_GAP);
        assert!(SWEEP_DISTANCE < SWEEP_WINDOW);
        // The window is longer already when the maximum wait becomes so.
        assert!(SWEEP_RELOADS < SWEEP_LONG && HOLD_DRAFT < DRAFT_SILENCE);
        assert!(HOLD_HALF < HOLD_BACKUP && HOLD_BACKUP < HOLD_EMPTIED);
    }
}
