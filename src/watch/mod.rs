//! What the file system did.
//!
//! One table holds everything that is watched ([`table`]), and [`Watch`] is its only owner. Threads send it
//! [`Message`]s: the event source ([`native`]), the walker ([`walk`], [`list`]) and the background reader
//! ([`reader`]). Events are taken in by [`events`]; everything else (the start, a new directory, a recovery,
//! a pass of polling) is one and the same act: look at directories, compare with the table, tell the
//! differences ([`merge`]). What the last run saw is [`contents`]' business.

mod above;
mod configure;
mod contents;
mod doubt;
mod emit;
mod entries;
mod events;
mod filesystem;
mod flood;
mod limits;
mod links;
mod list;
mod look;
mod lookers;
mod merge;
mod message;
mod mounts;
mod native;
mod path_map;
mod polling;
mod portable;
mod reader;
mod recovery;
mod roots;
mod settings;
mod spots;
mod survey;
mod table;
mod walk;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Sender;
use std::time::Instant;

use hashbrown::{HashMap, HashSet};
use tokio::sync::mpsc::UnboundedSender;

pub use self::contents::{Comparison, content};
pub(crate) use self::links::Links;
pub use self::message::Message;
pub use self::settings::{Backend, Poll, Root, Settings, Timestamp};
pub use self::survey::{Glance, Step, Survey};

use self::contents::Contents;
use self::doubt::Doubts;
use self::list::Ground;
use self::look::{Pending, Walk};
use self::message::Inner;
use self::polling::Polling;
use self::recovery::Recovery;
use self::roots::Roots;
use self::spots::Spots;
use self::table::Table;
use self::walk::Order;
use crate::filter::Filter;
use crate::model::{Change, Notice, Watching};
use crate::sys::{clock, files, heap};

/// What the engine tells the loop.
#[derive(Debug)]
pub enum Seen {
    /// A path that counts has changed.
    Change(Change),
    /// One of [`Settings::extra_files`] has changed.
    ConfigChanged(PathBuf),
    /// A file that was named is a link, or was, and may lead elsewhere now: it is time to look which files count.
    LinkMoved,
    /// An ignore file changed; the new rules are being applied.
    RulesChanged,
    /// A name appeared in [`Settings::marker_dir`]: everything that was on disk before it has been seen.
    Marker(OsString),
    /// Watches were put on anew, and what had come before that has been looked at: a marker that was made
    /// meanwhile may have been overlooked.
    Rearmed,
    /// Everything that had happened when [`Watch::run_ended`] was called has been told before this.
    CaughtUp,
    /// The first walk is done. `types` is left empty: the loop knows them from the configuration.
    Ready(Watching),
    /// Something to say.
    Say(Notice),
}

/// The engine. Lives on the loop's thread and is the single owner of the table of files.
#[derive(Debug)]
pub struct Watch {
    settings: Settings,
    ground: Arc<Ground>,
    since: Timestamp,
    /// When the present rules came into force.
    ruled: Timestamp,
    to: UnboundedSender<Message>,
    orders: Sender<Order>,
    table: Table,
    /// The listings that are awaited, by ticket.
    pending: HashMap<u64, Pending>,
    walks: HashMap<u32, Walk>,
    next_walk: u32,
    roots: Roots,
    spots: Spots,
    contents: Contents,
    recovery: Recovery,
    polling: Polling,
    doubts: Doubts,
    /// Ignore rules of which it was said already that they hide an included type.
    surprises: HashSet<(String, String)>,
    /// Markers that wait for the walks that were under way when they came.
    markers: Vec<(OsString, HashSet<u32>)>,
    /// Watches that were put on by walks that were out of date.
    doubtful_watches: HashSet<PathBuf>,
    /// When what could not be read is tried again.
    again: Option<Instant>,
    ready: bool,
    /// The first turn of the loop, and when the progress was said last.
    began: Option<(Instant, Instant)>,
    _mounts: Option<mounts::Mounts>,
}

impl Watch {
    /// Starts the engine and returns at once: the walk runs on its own thread. `since` is taken just before
    /// the first spawn: what was changed after it counts.
    pub fn start(
        settings: Settings,
        roots: Vec<Root>,
        filter: Arc<Filter>,
        since: Timestamp,
        messages: UnboundedSender<Message>,
    ) -> Self {
        heap::share();
        let ground = Arc::new(Ground {
            filter,
            own: settings.own.clone(),
            roots: Vec::new(),
            poll: settings.poll,
            tickets: Arc::new(AtomicU64::new(1)),
        });
        let orders = walk::start(Arc::clone(&ground), messages.clone());
        let mut watch = Self {
            contents: Contents::new(settings.exclude_unchanged, since),
            spots: Spots::new(&settings),
            settings,
            ground,
            since,
            ruled: since,
            orders,
            table: Table::default(),
            pending: HashMap::new(),
            walks: HashMap::new(),
            next_walk: 1,
            roots: Roots::default(),
            recovery: Recovery::default(),
            polling: Polling::default(),
            doubts: Doubts::default(),
            surprises: HashSet::new(),
            markers: Vec::new(),
            doubtful_watches: HashSet::new(),
            again: None,
            ready: false,
            began: None,
            _mounts: mounts::Mounts::start(&messages),
            to: messages,
        };
        watch.begin(roots);
        watch
    }

    /// Takes in one message; what it means is appended to `out`. Never blocks on the walk.
    pub fn handle(&mut self, message: Message, now: Instant, out: &mut Vec<Seen>) {
        match message.0 {
            Inner::Event { generation, event } => {
                if generation == self.recovery.generation {
                    self.on_event(event, now, out);
                }
            }
            Inner::Lost { generation } => {
                if generation == self.recovery.generation {
                    self.on_lost(now, out);
                }
            }
            Inner::NoSource { generation, error } => {
                if generation == self.recovery.generation {
                    self.on_no_source(&error, now, out);
                }
            }
            Inner::Listings(listings) => {
                for listing in listings {
                    self.weigh(|watch| watch.on_listing(listing, now, out));
                }
            }
            Inner::WalkDone { walk, tally } => self.on_walk_done(walk, tally, now, out),
            Inner::RulesFrom(files) => self.watch_rules(files),
            Inner::CaughtUp => out.extend(self.recovery.caught_up().then_some(Seen::CaughtUp)),
            Inner::Hashed(hashed) => self.on_hashed(hashed, now),
            Inner::Mounts | Inner::Above => self.check_roots(now, out),
        }
        self.note_looking(now);
    }

    /// When [`Watch::tick`] wants to be called; `None` when nothing is due (the usual state: no wake-ups).
    pub fn deadline(&self) -> Option<Instant> {
        [
            self.contents.deadline(),
            self.polling.deadline(),
            self.doubts.deadline(),
            self.roots.deadline(),
            self.next_progress(),
            self.again,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Seen>) {
        self.began.get_or_insert((now, now));
        self.say_progress(now, out);
        self.confirm(now);
        self.poll_if_due(now);
        self.doubt_if_due(now, out);
        self.look_for_missing_roots(now, out);
        self.look_again_if_due(now);
    }

    /// Directories that are watched now, and how many of them without events.
    pub fn directories(&self) -> (usize, usize) {
        let polled = (0..self.table.places())
            .filter_map(|place| self.table.dir(self.table.place(place)?))
            .filter(|dir| dir.polled)
            .count();
        (self.table.directories(), polled)
    }
}

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
