//! Where the walker is sent: the walks that are under way, and the listings that are awaited.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Watch;
use super::list::Job;
use super::message::{Arming, RawKind};
use super::recovery::Events;
use super::settings::Timestamp;
use super::table::{Dir, DirId};
use super::walk::Order;
use crate::filter::Scope;

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
    /// The timer: every difference counts.
    Poll,
    /// The slow timer of trees whose events are not to be relied on: every difference counts, and speaks
    /// against the events.
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
    pub(super) walk: u32,
    /// Names of which events came meanwhile: the listing may be older than they are. Boxed, because there
    /// are thousands of these and hardly any has one.
    pub(super) touched: Option<Box<HashMap<Box<[u8]>, Touched>>>,
}

/// What events said about a name whose directory was being looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    /// The first of them.
    pub(super) first: RawKind,
    /// The last of them.
    pub(super) last: RawKind,
}

impl Watch {
    /// A new walk.
    pub(super) fn walk_for(&mut self, why: Why) -> u32 {
        let walk = self.next_walk;
        self.next_walk = self.next_walk.wrapping_add(1);
        self.walks.insert(walk, Walk { why, changed: 0 });
        walk
    }

    /// Since when what an unknown name holds is news to a walk of this kind; `None`: always, or never.
    pub(super) fn since(&self, why: Why) -> Option<Timestamp> {
        match why {
            Why::Start => Some(self.since),
            Why::Rules => Some(self.ruled),
            _ => None,
        }
    }

    /// Awaits the listing of a directory under this ticket; whatever was awaited before is out of date.
    pub(super) fn await_listing(&mut self, dir: DirId, walk: u32, ticket: u64) {
        let Some(node) = self.table.dir_mut(dir) else { return };
        let old = std::mem::replace(&mut node.ticket, ticket);
        let touched = self.pending.remove(&old).and_then(|old| old.touched);
        self.pending.insert(ticket, Pending { dir, walk, touched });
    }

    /// Whether a directory is being looked at.
    pub(super) fn is_pending(&self, dir: DirId) -> bool {
        self.table.dir(dir).is_some_and(|dir| self.pending.contains_key(&dir.ticket))
    }

    /// Sends the walker to one directory and what is below.
    pub(super) fn look_at(&mut self, dir: DirId, path: &Path, why: Why) {
        // Unless the directory above has not been looked at yet: that look leads here.
        let Some(around) = self.around(dir) else { return };
        let walk = self.walk_for(why);
        let job = self.job(walk, why, dir, path.to_path_buf(), around);
        let job = Job { arming: self.arming(), ..job };
        self.order(Order::Walk { walk, jobs: vec![job], urgent: true });
    }

    /// Every directory of some kind, except those that are being looked at: they are on another walk's way.
    pub(super) fn directories_that(&self, which: impl Fn(&Dir) -> bool) -> Vec<(PathBuf, DirId)> {
        let mut dirs = Vec::new();
        self.table.walk(&mut |path, id, dir| {
            if which(dir) && !self.pending.contains_key(&dir.ticket) {
                dirs.push((path.to_path_buf(), id));
            }
        });
        dirs
    }

    /// A look at every directory of some kind, each by itself.
    pub(super) fn look_again_at(&mut self, why: Why, which: impl Fn(&Dir) -> bool) -> Option<u32> {
        let dirs = self.directories_that(which);
        if dirs.is_empty() {
            return None;
        }
        let walk = self.walk_for(why);
        let mut jobs = Vec::new();
        for (path, id) in dirs {
            let Some(around) = self.around(id) else { continue };
            let job = self.job(walk, why, id, path, around);
            jobs.push(Job { recurse: false, ..job });
        }
        self.order(Order::Walk { walk, jobs, urgent: false });
        Some(walk)
    }

    /// What holds around a directory; inside `None` for a root, `None` while that is not known.
    #[expect(clippy::option_option, reason = "a root is not the same as an unknown")]
    fn around(&self, dir: DirId) -> Option<Option<Arc<Scope>>> {
        match self.table.parent(dir) {
            None => Some(None),
            Some(parent) => Some(Some(self.table.dir(parent)?.scope.clone()?)),
        }
    }

    /// A look at one directory, whose listing is awaited from now on.
    pub(super) fn job(
        &mut self,
        walk: u32,
        why: Why,
        dir: DirId,
        path: PathBuf,
        around: Option<Arc<Scope>>,
    ) -> Job {
        let ticket = self.ground.ticket();
        self.await_listing(dir, walk, ticket);
        let only = self.table.only(dir);
        Job {
            ticket,
            walk,
            follow: only.is_some() || around.is_none() && self.roots.follows(&path),
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

    pub(super) fn order(&self, order: Order) {
        // The walker ends only with us.
        let _ = self.orders.send(order);
    }

    /// How new directories are watched at present.
    pub(super) fn arming(&self) -> Arming {
        match self.recovery.events {
            Events::Native => Arming::Watch,
            Events::Portable => Arming::Keep,
            Events::None => Arming::Poll,
        }
    }
}
