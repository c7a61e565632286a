//! What a person can set about settling; everything else is a constant in [`super::numbers`].

use std::time::Duration;

/// The settings that settling depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `watcher.debounce`: a fixed quiet window in place of the one that grows with the burst.
    /// `None` is `auto`. Open writers and half saves hold a batch either way.
    pub debounce: Option<Duration>,
    /// `watcher.duration`: the least time between two reloads, start to start. Zero: none.
    pub duration: Duration,
}
