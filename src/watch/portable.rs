//! The portable event source: the system's recommended watcher on whole trees, normalised by
//! `notify-debouncer-full`. Its events only say where to look; what counts is the state of the path.

use std::path::PathBuf;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use tokio::sync::mpsc::UnboundedSender;

use super::links::Links;
use super::message::{Inner, Message, RawEvent, RawKind};
use super::native::{self, Armed};

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
        let links = Links::default();
        roots.iter().for_each(|root| links.learn(root));
        let trees = trees(roots.iter().map(|root| links.real(root).into_owned()).collect());
        let handler = move |result: DebounceEventResult| {
            for inner in messages(generation, result) {
                // The owner is gone only when the program ends.
                links.tell(inner, |inner| drop(to.send(Message(inner))));
            }
        };
        let mut debouncer =
            new_debouncer_opt(TOGETHER, Some(TICK), handler, NoCache::new(), config)?;
        let errors = trees
            .iter()
            .filter_map(|tree| debouncer.watch(tree, RecursiveMode::Recursive).err())
            // An ignore file that is looked for may be in a directory that is not there.
            .filter(|error| native::answer(error) != Armed::Gone)
            .collect();
        Ok((Self { _debouncer: debouncer }, errors))
    }
}

/// What lies in a tree is watched with it.
fn trees(mut all: Vec<PathBuf>) -> Vec<PathBuf> {
    all.sort();
    let mut trees: Vec<PathBuf> = Vec::new();
    for path in all {
        if !trees.iter().any(|tree| path.starts_with(tree)) {
            trees.push(path);
        }
    }
    trees
}

fn messages(generation: u32, result: DebounceEventResult) -> Vec<Inner> {
    let events = match result {
        Ok(events) => events,
        Err(errors) => {
            // A directory that cannot be read is said by the walk; being out of watches is not.
            let full = errors.iter().any(|error| matches!(error.kind, ErrorKind::MaxFilesWatch));
            return full.then_some(Inner::NoSource { generation }).into_iter().collect();
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
