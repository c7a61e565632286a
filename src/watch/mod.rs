//! What the file system did.

pub mod change;
mod settings;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

pub use self::change::{Change, ChangeKind, Facts};
pub use self::settings::{Backend, Poll, Root, Settings, Timestamp};
use crate::filter::Filter;
use crate::report::{Notice, Watching};
use crate::settle::Batch;

/// Something that a thread of the engine has to tell its owner. Opaque: hand it to [`Watch::handle`].
#[derive(Debug)]
pub struct Message(());

/// What the engine tells the loop.
#[derive(Debug)]
pub enum Seen {
    /// A path that counts has changed.
    Change(Change),
    /// One of [`Settings::extra_files`] has changed.
    ConfigChanged(PathBuf),
    /// An ignore file changed; the new rules are being applied.
    RulesChanged,
    /// A name appeared in [`Settings::marker_dir`]: everything that was on disk before it has been seen.
    Marker(OsString),
    /// The first walk is done. `types` is left empty: the loop knows them from the configuration.
    Ready(Watching),
    /// Something to say.
    Say(Notice),
}

/// The answer of [`Watch::compare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// At least one file differs from what the last run saw, or nothing is known about it.
    Changed,
    /// Every file has the bytes that the last run saw.
    Same,
}

/// The engine. Lives on the loop's thread and is the single owner of the table of files.
#[derive(Debug)]
pub struct Watch(());

impl Watch {
    /// Starts the engine and returns at once: the walk runs on its own thread. `since` is taken just before
    /// the first spawn: what was changed after it counts.
    pub fn start(
        _settings: Settings,
        _roots: Vec<Root>,
        _filter: Arc<Filter>,
        _since: Timestamp,
        _messages: UnboundedSender<Message>,
    ) -> Self {
        todo!()
    }

    /// Takes in one message; what it means is appended to `out`. Never blocks on the walk.
    pub fn handle(&mut self, _message: Message, _now: Instant, _out: &mut Vec<Seen>) {}

    /// When [`Watch::tick`] wants to be called; `None` when nothing is due (the usual state: no wake-ups).
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, _now: Instant, _out: &mut Vec<Seen>) {}

    /// Whether the files of a batch differ from what the last run saw. Called at the moment of firing.
    pub fn compare(&mut self, _batch: &Batch) -> Comparison {
        Comparison::Changed
    }

    /// A run has been started, caused by `batch` if it was a change. From now on "what the last run saw"
    /// is the present content.
    pub fn run_started(&mut self, _batch: Option<&Batch>, _now: Instant) {}
}

impl Timestamp {
    /// The present, from the clock that file times come from.
    pub fn now() -> Self {
        todo!()
    }
}
