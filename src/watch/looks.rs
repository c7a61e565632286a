//! What was asked of the walker and is awaited: looks at directories, walks, and the events of a moment.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use hashbrown::{HashMap as FastMap, HashSet};

use super::list::{Ground, Job};
use super::message::{Arming, Events, RawKind};
use super::settings::Timestamp;
use super::table::{Dir, DirId, Table};
use super::walk::Order;
use crate::filter::Scope;
use crate::sys::clock;
use crate::sys::files::Stat;

/// Events that are on their way, and looks at new directories, are waited for no longer than this: the walker may be
/// held by a file system that does not answer, and directories may come without end.
const CATCH_UP: Duration = Duration::from_secs(1);

/// An event that tells of a change so long ago (nanoseconds) comes after a pause: we were stopped, or the machine
/// was busy or asleep. More events are on their way. The clock that stamps files may be a tick of 4 ms behind.
const LATE: i64 = 10_000_000;

/// Why directories are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The first walk: only what has changed since the start counts.
    Start,
    /// A directory appeared: everything in it that is not known is new.
    New,
    /// A directory was renamed to here: everything in it counts, also what was known.
    Whole,
    /// Events were lost, a root was replaced: every difference counts.
    Recover,
    /// Other rules: what they hide or bring to light is no change, unless it was changed since they hold.
    Rules,
    /// A pass of polling: every difference counts.
    Poll,
    /// A comparison beside events that are not to be relied on: every difference counts, and speaks against the
    /// events.
    Doubt,
}

/// A walk under way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) why: Why,
    /// Differences found.
    pub(super) changed: usize,
}

/// A directory whose listing is awaited.
#[derive(Debug)]
#[expect(clippy::box_collection, reason = "its size is that of every directory that waits")]
pub(super) struct Pending {
    pub(super) dir: DirId,
    /// Names of which events came meanwhile: the listing may be older than they are. Boxed, because there
    /// are thousands of these and hardly any has one.
    pub(super) touched: Option<Box<HashMap<Box<[u8]>, Touched>>>,
}

/// What events said about a name whose directory was being looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    pub(super) first: RawKind,
    pub(super) last: RawKind,
}

/// The owner's side of the walker.
#[derive(Debug)]
pub(super) struct Looks {
    orders: Sender<Order>,
    pub(super) ground: Arc<Ground>,
    /// Where events come from, and which source of them is believed.
    pub(super) events: Events,
    pub(super) generation: u32,
    since: Timestamp,
    /// When the present rules came into force.
    pub(super) ruled: Timestamp,
    /// The listings that are awaited, by ticket.
    pending: FastMap<u64, Pending>,
    pub(super) walks: FastMap<u32, Walk>,
    next_walk: u32,
    /// Watches that were put on by walks that were out of date.
    doubtful_watches: HashSet<PathBuf>,
    /// Answers to [`Looks::catch_up`] that are awaited, and until when.
    behind: Option<(u32, Instant)>,
    /// When events were last waited for because one came late.
    late: Option<Instant>,
    /// Since when new directories are being looked at.
    looking: Option<Instant>,
}

impl Looks {
    pub(super) fn new(orders: Sender<Order>, ground: Arc<Ground>, since: Timestamp) -> Self {
        Self {
            orders,
            ground,
            events: Events::None,
            generation: 1,
            since,
            ruled: since,
            pending: FastMap::new(),
            walks: FastMap::new(),
            next_walk: 1,
            doubtful_watches: HashSet::new(),
            behind: None,
            late: None,
            looking: None,
        }
    }

    pub(super) fn order(&self, order: Order) {
        // The walker ends only with us.
        let _ = self.orders.send(order);
    }

    /// Hands new ground to the walker.
    pub(super) fn spread(&mut self, ground: Ground) {
        self.ground = Arc::new(ground);
        self.order(Order::Ground(Arc::clone(&self.ground)));
    }

    /// Forgets everything that is awaited: another event source comes, and its walks.
    pub(super) fn forget(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.pending.clear();
        self.walks.clear();
        self.doubtful_watches.clear();
    }

    /// A new walk.
    pub(super) fn walk_for(&mut self, why: Why) -> u32 {
        let walk = self.next_walk;
        self.next_walk = self.next_walk.wrapping_add(1);
        self.walks.insert(walk, Walk { why, changed: 0 });
        walk
    }

    /// Takes out a walk that is done.
    pub(super) fn done(&mut self, walk: u32) -> Option<Walk> {
        self.walks.remove(&walk)
    }

    /// Gives back memory when no listing is awaited.
    pub(super) fn shrink(&mut self) {
        if self.pending.is_empty() {
            self.pending.shrink_to_fit();
        }
    }

    /// The moment since when an unknown name is news to a walk of this kind; `None`: always, or never.
    fn since(&self, why: Why) -> Option<Timestamp> {
        match why {
            Why::Start => Some(self.since),
            Why::Rules => Some(self.ruled),
            _ => None,
        }
    }

    /// Awaits the listing of a directory under this ticket; whatever was awaited before is out of date.
    pub(super) fn await_listing(&mut self, table: &mut Table, dir: DirId, ticket: u64) {
        let Some(node) = table.dir_mut(dir) else { return };
        let old = std::mem::replace(&mut node.ticket, ticket);
        let touched = self.pending.remove(&old).and_then(|old| old.touched);
        self.pending.insert(ticket, Pending { dir, touched });
    }

    /// Awaits the listings of a directory's new directories, each under the ticket that it has.
    pub(super) fn await_adopted(&mut self, table: &mut Table, parent: DirId) {
        table.adopt(parent, &mut |dir, ticket| {
            self.pending.insert(ticket, Pending { dir, touched: None });
        });
    }

    /// Takes out what was awaited under a ticket, and why. `None`: the listing is out of date.
    pub(super) fn accept(
        &mut self,
        table: &mut Table,
        ticket: u64,
        walk: u32,
    ) -> Option<(Pending, Why)> {
        let pending = self.pending.remove(&ticket)?;
        // The place may belong to another directory by now.
        let dir = table.dir_mut(pending.dir).filter(|dir| dir.ticket == ticket)?;
        let why = self.walks.get(&walk)?.why;
        dir.ticket = 0;
        Some((pending, why))
    }

    /// Notes a watch of a walk that was out of date. Whether it is of any use is known when no walk is under way: now
    /// another one may be about to come by and find the watch in place.
    pub(super) fn doubt_watch(&mut self, path: PathBuf) {
        self.doubtful_watches.insert(path);
    }

    /// Watches that were put on by walks that were out of date, when no walk is under way any more.
    pub(super) fn take_doubtful_watches(&mut self) -> Vec<PathBuf> {
        if self.walks.is_empty() { self.doubtful_watches.drain().collect() } else { Vec::new() }
    }

    /// Whether a directory is being looked at.
    pub(super) fn is_pending(&self, table: &Table, dir: DirId) -> bool {
        table.dir(dir).is_some_and(|dir| self.pending.contains_key(&dir.ticket))
    }

    /// Notes an event of a name in a directory that is being looked at.
    pub(super) fn touch(&mut self, dir: &Dir, name: &[u8], kind: RawKind) {
        if let Some(pending) = self.pending.get_mut(&dir.ticket) {
            let touched = Touched { first: kind, last: kind };
            pending.touched.get_or_insert_default().entry(name.into()).or_insert(touched).last =
                kind;
        }
    }

    /// Sends the walker to one directory and what is below.
    pub(super) fn look_at(&mut self, table: &mut Table, dir: DirId, path: &Path, why: Why) {
        // Unless the directory above has not been looked at yet: that look leads here.
        let Some(around) = around(table, dir) else { return };
        let walk = self.walk_for(why);
        let job = self.job(table, walk, why, dir, path.to_path_buf(), around);
        let job = Job { arming: self.arming(), ..job };
        self.order(Order::Walk { walk, jobs: vec![job], urgent: true });
    }

    /// Every directory of some kind, except those that are being looked at: they are on another walk's way.
    pub(super) fn directories_that(
        &self,
        table: &Table,
        which: impl Fn(&Dir) -> bool,
    ) -> Vec<(PathBuf, DirId)> {
        let mut dirs = Vec::new();
        table.walk(&mut |path, id, dir| {
            if which(dir) && !self.pending.contains_key(&dir.ticket) {
                dirs.push((path.to_path_buf(), id));
            }
        });
        dirs
    }

    /// A look at every directory of some kind, each by itself.
    pub(super) fn look_again_at(
        &mut self,
        table: &mut Table,
        why: Why,
        which: impl Fn(&Dir) -> bool,
    ) -> Option<u32> {
        let dirs = self.directories_that(table, which);
        if dirs.is_empty() {
            return None;
        }
        let walk = self.walk_for(why);
        let mut jobs = Vec::new();
        for (path, id) in dirs {
            let Some(around) = around(table, id) else { continue };
            let job = self.job(table, walk, why, id, path, around);
            jobs.push(Job { recurse: false, ..job });
        }
        self.order(Order::Walk { walk, jobs, urgent: false });
        Some(walk)
    }

    /// Sends the walker to everything that is watched, from the tops down.
    pub(super) fn look_at_all(&mut self, table: &mut Table, why: Why) -> u32 {
        let walk = self.walk_for(why);
        let mut jobs = Vec::new();
        for (path, id) in table.tops() {
            let job = self.job(table, walk, why, id, path, None);
            jobs.push(Job { arming: self.arming(), recurse: job.only.is_none(), ..job });
        }
        self.order(Order::Walk { walk, jobs, urgent: false });
        walk
    }

    /// A look at one directory, whose listing is awaited from now on.
    fn job(
        &mut self,
        table: &mut Table,
        walk: u32,
        why: Why,
        dir: DirId,
        path: PathBuf,
        around: Option<Arc<Scope>>,
    ) -> Job {
        let ticket = self.ground.ticket();
        self.await_listing(table, dir, ticket);
        let only = table.only(dir);
        Job {
            ticket,
            walk,
            follow: only.is_some() || around.is_none() && self.ground.follows(&path),
            path,
            around,
            arming: Arming::Keep,
            since: self.since(why),
            first: why == Why::Start,
            whole: why == Why::Whole,
            device: 0,
            recurse: true,
            only,
        }
    }

    /// How new directories are watched at present.
    fn arming(&self) -> Arming {
        match self.events {
            Events::Native => Arming::Watch,
            Events::Portable => Arming::Keep,
            Events::None => Arming::Poll,
        }
    }

    /// Asks to be told when the events of this moment are here. On a busy machine they may come late.
    pub(super) fn catch_up(&mut self, now: Instant) {
        if self.events == Events::Native {
            let count = self.behind.map_or(0, |(count, _)| count);
            self.behind = Some((count + 1, now + CATCH_UP));
            self.order(Order::CatchUp);
        }
    }

    /// Notes an answer to [`Looks::catch_up`]. Whether it is the last that is awaited.
    pub(super) fn caught_up(&mut self) -> bool {
        self.behind = self.behind.and_then(|(count, until)| {
            Some((count.checked_sub(1).filter(|left| *left > 0)?, until))
        });
        self.behind.is_none()
    }

    /// Notes that the changes that were told of so far go into a run: those behind the next late event are waited for
    /// anew.
    pub(super) fn taken(&mut self) {
        self.late = None;
    }

    /// Catches up when an event tells of a file in a state that is no longer new: what has gathered during a pause
    /// belongs to one run. Under endless writing on a busy machine every event is late: that holds no run for ever.
    pub(super) fn mind_delay(&mut self, stat: &Stat, now: Instant) {
        let late = clock::of_files().saturating_sub(stat.ctime) > LATE;
        if late && self.late.is_none_or(|last| now > last + CATCH_UP * 2) {
            self.late = Some(now);
            self.catch_up(now);
        }
    }

    /// Notes since when new directories are being looked at.
    pub(super) fn note_looking(&mut self, now: Instant) {
        let new = |walk: &Walk| matches!(walk.why, Why::New | Why::Whole);
        let looking = self.walks.values().any(new);
        self.looking = self.looking.or(Some(now)).filter(|_| looking);
    }

    /// Whether events of some moment are awaited, or new directories are being looked at.
    pub(super) fn is_behind(&self, now: Instant) -> bool {
        let behind = self.behind.is_some_and(|(_, until)| now < until);
        behind || self.looking.is_some_and(|since| now < since + CATCH_UP)
    }
}

/// What holds around a directory; inside `None` for a top, `None` while that is not known.
#[expect(clippy::option_option, reason = "a top is not the same as an unknown")]
fn around(table: &Table, dir: DirId) -> Option<Option<Arc<Scope>>> {
    match table.parent(dir) {
        None => Some(None),
        Some(parent) => Some(Some(table.dir(parent)?.scope.clone()?)),
    }
}
