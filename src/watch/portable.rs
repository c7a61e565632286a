//! The portable event source: the system's recommended watcher on whole trees, normalised by
//! `notify-debouncer-full`. Its events only say where to look; what counts is the state of the path.
//!
//! The debouncer's thread looks every [`TICK`] whether something is due, for as long as it runs. Here it rests while
//! nothing is in flight: a mark goes through it behind the events, and when the last one comes out, the handler, which
//! the thread itself calls, does not return before the next event.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{
    Config, ErrorKind, Event, EventHandler, RecommendedWatcher, RecursiveMode, Watcher, WatcherKind,
};
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
    _debouncer: Debouncer<Gate, NoCache>,
    rest: Arc<Rest>,
}

impl Portable {
    /// Watches whole trees.
    pub(crate) fn new(
        generation: u32,
        roots: &[PathBuf],
        to: UnboundedSender<Message>,
    ) -> notify::Result<Self> {
        let config = Config::default().with_event_kinds(native::mask()).with_follow_symlinks(false);
        let links = Links::default();
        roots.iter().for_each(|root| links.learn(root));
        let trees = trees(roots.iter().map(|root| links.real(root).into_owned()).collect());
        let rest = Arc::<Rest>::default();
        let resting = Arc::clone(&rest);
        let handler = move |mut result: DebounceEventResult| {
            let mark = result.as_mut().ok().and_then(Mark::take);
            for inner in messages(generation, result) {
                // The owner is gone only when the program ends.
                links.tell(inner, |inner| drop(to.send(Message(inner))));
            }
            if let Some(mark) = mark {
                resting.rest(mark);
            }
        };
        REST.set(Some(Arc::clone(&rest)));
        let mut debouncer =
            new_debouncer_opt(TOGETHER, Some(TICK), handler, NoCache::new(), config)?;
        for tree in &trees {
            match debouncer.watch(tree, RecursiveMode::Recursive) {
                // An ignore file that is looked for may be in a directory that is not there.
                Err(error) if native::answer(&error) != Armed::Gone => return Err(error),
                _ => {}
            }
        }
        Ok(Self { _debouncer: debouncer, rest })
    }
}

impl Drop for Portable {
    fn drop(&mut self) {
        self.rest.end();
    }
}

/// Lets the debouncer's thread rest while nothing is in flight.
#[derive(Default)]
struct Rest {
    flight: Mutex<Flight>,
    changed: Condvar,
}

/// What is in flight through the debouncer.
#[derive(Default)]
struct Flight {
    /// The way into the debouncer.
    entry: Option<Box<dyn EventHandler>>,
    /// Events that have gone in so far.
    count: usize,
    /// A mark is in there.
    marked: bool,
    over: bool,
}

/// A mark in the debouncer: so many events have gone in before it.
#[derive(Clone, Copy)]
struct Mark(usize);

impl Mark {
    /// As an event of the path that nothing has. The debouncer keeps the last one of a kind.
    fn event(self) -> Event {
        Event::new(EventKind::Any).add_path(PathBuf::new()).set_tracker(self.0)
    }

    /// Takes it out of what the debouncer has let go.
    fn take(events: &mut Vec<notify_debouncer_full::DebouncedEvent>) -> Option<Self> {
        let is_it = |event: &Event| event.paths.iter().any(|path| path.as_os_str().is_empty());
        let mark = events.iter().rfind(|event| is_it(event))?.tracker().map(Self);
        events.retain(|event| !is_it(event));
        mark
    }
}

impl Flight {
    fn mark(&mut self) {
        if let Some(entry) = &mut self.entry {
            self.marked = true;
            entry.handle_event(Ok(Mark(self.count).event()));
        }
    }
}

impl Rest {
    fn begin(&self, entry: impl EventHandler) {
        let mut flight = self.lock();
        flight.entry = Some(Box::new(entry));
        flight.mark();
    }

    /// An event goes in.
    fn pass(&self, event: notify::Result<Event>) {
        let mut flight = self.lock();
        if let Some(entry) = &mut flight.entry {
            entry.handle_event(event);
        }
        flight.count += 1;
        if !flight.marked {
            flight.mark();
            self.changed.notify_all();
        }
    }

    /// A mark has come out, and everything before it: returns when there is something to do.
    fn rest(&self, mark: Mark) {
        let mut flight = self.lock();
        flight.marked = false;
        if flight.count != mark.0 {
            return flight.mark();
        }
        let nothing = |flight: &mut Flight| flight.count == mark.0 && !flight.over;
        drop(self.changed.wait_while(flight, nothing));
    }

    fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    /// What the next [`Gate`] is for: the debouncer makes its watcher itself, and hands on nothing of ours.
    static REST: RefCell<Option<Arc<Rest>>> = const { RefCell::new(None) };
}

/// The system's recommended watcher, whose events wake the debouncer.
#[derive(Debug)]
struct Gate(RecommendedWatcher);

impl Watcher for Gate {
    fn new<F: EventHandler>(handler: F, config: Config) -> notify::Result<Self> {
        let rest = REST.take().unwrap_or_default();
        rest.begin(handler);
        Ok(Self(RecommendedWatcher::new(move |event| rest.pass(event), config)?))
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        self.0.watch(path, mode)
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.0.unwatch(path)
    }

    fn kind() -> WatcherKind {
        RecommendedWatcher::kind()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Events come out, also when they come while the mark of what went before is on its way.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests work on real files and a real clock")]
    fn nothing_stays_in_flight_while_the_thread_rests() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let (to, mut messages) = tokio::sync::mpsc::unbounded_channel();
        let _portable = Portable::new(1, std::slice::from_ref(&top), to).unwrap();
        for n in 0..60u64 {
            let path = top.join(n.to_string());
            std::fs::write(&path, "x").unwrap();
            std::thread::sleep(Duration::from_millis(n * 7 % 45));
            if n % 3 > 0 {
                continue;
            }
            let end = std::time::Instant::now() + Duration::from_secs(20);
            let mut told = false;
            while !told {
                assert!(std::time::Instant::now() < end, "{n} is not told");
                std::thread::sleep(Duration::from_millis(1));
                while let Ok(Message(Inner::Event { event, .. })) = messages.try_recv() {
                    assert!(!event.path.as_os_str().is_empty(), "the mark is ours");
                    told |= event.path == path;
                }
            }
        }
    }
}
