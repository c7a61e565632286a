//! What the watch engine is told: roots, backend, polling, and the few paths that are treated apart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::Backend;
use crate::sys::{clock, files};

/// One root of the watched tree: a directory, or a single file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Absolute path, lexically clean, links not resolved.
    pub path: PathBuf,
    /// The path as the person wrote it, for messages.
    pub shown: PathBuf,
    /// Whether the root was named (`-w`, `additional_paths`): then it is watched whatever a rule says, and a link is
    /// followed.
    pub named: bool,
}

/// When trees are polled (`watcher.poll`, `--poll`, `GO_WATCHER_POLL`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Poll {
    /// Where the file system sends no events, and where the system's limits are reached.
    #[default]
    Auto,
    /// Never, not even where nothing else can work.
    Never,
    /// Everything, at this interval.
    Every(Duration),
}

/// The settings of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// See [`Backend`].
    pub backend: Backend,
    /// See [`Poll`].
    pub poll: Poll,
    /// A save that leaves the bytes that the last run saw is no change (default true).
    pub exclude_unchanged: bool,
    /// Files that are reported as [`super::Seen::ConfigChanged`] whatever the filter says (the
    /// configuration in use).
    pub extra_files: Vec<PathBuf>,
    /// Path prefixes of our own temporary and socket files, which never count.
    pub own: Vec<PathBuf>,
    /// A directory whose new names come back as [`super::Seen::Marker`], in the order of the changes.
    pub marker_dir: Option<PathBuf>,
    /// Say every directory and every ignored change (`-v`).
    pub verbose: bool,
    /// Slows the background reading of contents down by this much for each file; for tests only.
    pub baseline_pause: Duration,
}

impl Settings {
    /// Why everything is polled, when a person wants that.
    pub(super) fn polls_all(&self) -> Option<String> {
        match self.poll {
            Poll::Every(interval) => Some(format!("watcher.poll: {interval:?}")),
            Poll::Auto | Poll::Never => {
                (self.backend == Backend::Poll).then(|| "watcher.backend: poll".to_owned())
            }
        }
    }
}

/// A point of wall time, as the kernel stamps files with it (`CLOCK_REALTIME_COARSE`): nanoseconds since
/// 1970. Changes made before the first listing are found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The present, from the clock that file times come from.
    pub fn now() -> Self {
        Self(clock::of_files())
    }

    /// When a file, or what a link leads to, was changed last. Where there is none: when it, or another name, was
    /// taken out of its directory; the present where that is gone too.
    pub fn of(file: &Path) -> Self {
        let stat = files::stat(file).ok().or_else(|| files::stat(file.parent()?).ok());
        stat.map_or_else(Self::now, |stat| Self(stat.ctime))
    }
}
