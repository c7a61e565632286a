//! When what is pending is due.

use std::time::{Duration, Instant};

use super::numbers::{
    GIT_PATIENCE, HOLD_BACKUP, HOLD_DRAFT, MAX_WAIT, WINDOW_DISTANCES, WINDOW_FACTOR, WINDOW_FILES,
    WINDOW_LEAST, WINDOW_MOST, WINDOW_ROW, WRITER_SILENCE,
};
use super::state::Settle;
use super::table::Stage;

impl Settle {
    pub(super) fn interval_over(&self) -> Option<Instant> {
        let reloaded = self.reloaded?;
        (!self.settings.duration.is_zero()).then(|| after(reloaded, self.settings.duration))
    }

    /// When what is pending is due, `watcher.duration` and git's lock aside.
    pub(super) fn settled(&self) -> Option<Instant> {
        if let Some(complete) = self.complete_at() {
            return Some(complete.min(self.limit(self.quiet.first?)));
        }
        let alone = after(self.noisy.first?, self.max_wait(MAX_WAIT));
        Some(later(alone, self.git.reopened.map(|at| after(at, self.window()))))
    }

    /// When every pending save that is not noisy is complete and the quiet window over, as far as is
    /// known now.
    pub(super) fn complete_at(&self) -> Option<Instant> {
        let first = self.quiet.first?;
        let last = self.burst.map_or(first, |(_, last)| last);
        let mut at = after(later(last, self.git.reopened), self.window());
        if let Some(draft) = self.table.newest(Stage::Draft) {
            at = at.max((draft.at + WRITER_SILENCE).min(draft.since + HOLD_DRAFT));
        }
        for stage in [Stage::Writing, Stage::Beside, Stage::Half, Stage::Emptied] {
            let held = self.table.newest(stage).and_then(|slot| Some(slot.at + stage.hold()?));
            at = later(at, held);
        }
        Some(later(at, self.backup_until()))
    }

    /// Until when a new temporary beside other changes is waited for: what is saved is complete, and a backup of it
    /// may be about to go.
    fn backup_until(&self) -> Option<Instant> {
        let came = self.table.newest(Stage::Beside)?.since;
        let (_, last) = self.burst.filter(|(_, last)| *last >= came)?;
        Some(last + HOLD_BACKUP)
    }

    pub(super) fn window(&self) -> Duration {
        let own = self.settings.debounce.unwrap_or_else(|| {
            let age = self.burst.map_or(Duration::ZERO, |(first, last)| last.duration_since(first));
            let window = age.saturating_mul(WINDOW_FACTOR).clamp(WINDOW_LEAST, self.window_most());
            window.max(self.row.window(&self.quiet))
        });
        own.max(self.git.window)
    }

    /// The longest window, as far as the files that wait came one after the other.
    fn window_most(&self) -> Duration {
        let files = self.quiet.count;
        let waiting = self.quiet.first.zip(self.burst).filter(|_| files >= WINDOW_FILES);
        let Some((first, (_, last))) = waiting else { return WINDOW_MOST };
        let gaps = u32::try_from(files - 1).unwrap_or(u32::MAX);
        let distance = last.saturating_duration_since(first) / gaps;
        (distance * WINDOW_DISTANCES).clamp(WINDOW_MOST, WINDOW_ROW)
    }

    /// The end of the maximum wait. Each time git lets go it begins anew (git makes progress), within
    /// git's patience, which is also the limit of a sequence of git's under way.
    fn limit(&self, first: Instant) -> Instant {
        let patience = first + GIT_PATIENCE;
        let in_sequence = !self.git.window.is_zero();
        let begin = if in_sequence { patience } else { later(first, self.git.reopened) };
        after(begin.min(patience), self.max_wait(self.row.max_wait(&self.quiet)))
    }

    /// A fixed window longer than the maximum wait is what the person asked for.
    fn max_wait(&self, usual: Duration) -> Duration {
        usual.max(self.settings.debounce.unwrap_or_default().saturating_mul(2))
    }
}

/// The later of the two.
pub(super) fn later(at: Instant, other: Option<Instant>) -> Instant {
    other.map_or(at, |other| other.max(at))
}

/// `at + wait`, also for a wait that a person set to a thousand years.
pub(super) fn after(at: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 86_400);
    at.checked_add(wait).unwrap_or(at + FAR)
}
