//! The portable event source: the system's recommended watcher on whole trees, normalised by
//! `notify-debouncer-full`. Its events only say where to look; what counts is the state of the path.

use std::path::PathBuf;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use tokio::sync::mpsc::UnboundedSender;

use super::message::{Inner, Message, RawEvent, RawKind};
use super::native;

/// Events of one path that are so close are one.
const TOGETHER: Duration = Duration::from_millis(20);

/// How often the debouncer looks whether something is due.
const TICK: Duration = Duration::from_millis(10);

/// The source. A cache of file identities would walk ignored trees; we compare with our own table anyway.
pub(crate) struct Portable {
    _debouncer: Debouncer<RecommendedWatcher, NoCache>,
}

impl Portable {
    /// Watches whole trees. The paths that could not be watched come back with the reason.
    pub(crate) fn new(
        generation: u32,
        roots: &[PathBuf],
        to: UnboundedSender<Message>,
    ) -> notify::Result<(Self, Vec<notify::Error>)> {
        let config = Config::default().with_event_kinds(native::mask()).with_follow_symlinks(false);
        let handler = move |result: DebounceEventResult| {
            for inner in messages(generation, result) {
                // The owner is gone only when the program ends.
                let _ = to.send(Message(inner));
            }
        };
        let mut debouncer =
            new_debouncer_opt(TOGETHER, Some(TICK), handler, NoCache::new(), config)?;
        let errors = roots
            .iter()
            .filter_map(|root| debouncer.watch(root, RecursiveMode::Recursive).err())
            .collect();
        Ok((Self { _debouncer: debouncer }, errors))
    }
}

fn messages(generation: u32, result: DebounceEventResult) -> Vec<Inner> {
    let events = match result {
        Ok(events) => events,
        Err(errors) => {
            // A directory that cannot be read is said by the walk; being out of watches is not.
            let full = errors.iter().find(|error| matches!(error.kind, ErrorKind::MaxFilesWatch));
            let error = full.map(ToString::to_string);
            return error.map(|error| Inner::NoSource { generation, error }).into_iter().collect();
        }
    };
    let mut inner = Vec::new();
    for event in events {
        if event.event.need_rescan() {
            return vec![Inner::Lost { generation }];
        }
        let kind = match event.event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => RawKind::Any,
            EventKind::Access(_) => continue,
            EventKind::Modify(ModifyKind::Metadata(_)) => RawKind::Metadata,
            _ => RawKind::Any,
        };
        inner.extend(event.event.paths.into_iter().map(|path| {
            let event = RawEvent { kind, path };
            Inner::Event { generation, event }
        }));
    }
    inner
}
