//! When what is watched can no longer be relied on: a new event source, a walk, a comparison.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::merge::Why;
use super::message::Tally;
use super::settings::{Backend, Poll};
use super::{Seen, Watch, os};
use crate::report::{Notice, Watching};

/// Why a recovery is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Events were lost.
    Lost,
    /// A root was replaced, or is back.
    Root(PathBuf),
    /// Something was mounted or unmounted in the tree.
    Mounts,
}

#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// The event source that is believed.
    pub(super) generation: u32,
    /// Whether there is an event source.
    pub(super) events: bool,
    /// The walk that recovers, and why.
    under_way: Option<(u32, Reason, Instant)>,
    /// Events were lost again meanwhile.
    again: bool,
    /// Why there is no event source although one was wanted.
    pub(super) refused: Option<String>,
}

impl Recovery {
    pub(super) fn begin(&mut self, backend: Backend, poll: Poll) {
        self.generation = 1;
        self.events = backend != Backend::Poll && !matches!(poll, Poll::Every(_));
    }
}

impl Watch {
    /// Starts over: a new event source, a walk of everything, a comparison with the table.
    pub(super) fn recover(&mut self, reason: Reason, now: Instant, out: &mut Vec<Seen>) {
        self.recovery.generation = self.recovery.generation.wrapping_add(1);
        self.recovery.again = false;
        self.pending.clear();
        self.walks.clear();
        self.doubtful_watches.clear();
        // Before the first walk is done only what has changed since the start counts.
        let why = if self.ready { Why::Recover } else { Why::Start };
        let walk = self.set_out(why);
        self.recovery.under_way = Some((walk, reason, now));
        for (_, waits) in &mut self.markers {
            waits.insert(walk);
        }
        self.check_extras(out);
    }

    pub(super) fn on_lost(&mut self, now: Instant, out: &mut Vec<Seen>) {
        match self.recovery.under_way {
            // Once more, but not before this one is done: each takes its time.
            Some((_, Reason::Lost, _)) => self.recovery.again = true,
            _ => self.recover(Reason::Lost, now, out),
        }
    }

    /// No event source is to be had: everything is polled.
    pub(super) fn on_no_source(&mut self, error: &str) {
        self.recovery.events = false;
        self.recovery.refused = Some(error.to_owned());
    }

    pub(super) fn on_walk_done(
        &mut self,
        id: u32,
        tally: Tally,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Some(walk) = self.walks.remove(&id) else { return };
        let first = walk.why == Why::Start && !self.ready;
        if first {
            self.ready = true;
            out.push(Seen::Ready(self.watching(&tally)));
            self.say_missing(now, out);
            self.begin_baseline(now);
        }
        if self.recovery.under_way.as_ref().is_some_and(|(recovering, ..)| *recovering == id) {
            if let Some((_, reason, since)) = self.recovery.under_way.take() {
                self.say_recovered(reason, since, &tally, walk.changed, now, out);
            }
            if self.recovery.again {
                self.recover(Reason::Lost, now, out);
            }
        }
        self.polled(id, walk.why, &tally, now, out);
        self.drop_useless_watches();
        self.pass_markers(out);
    }

    fn say_recovered(
        &self,
        reason: Reason,
        since: Instant,
        tally: &Tally,
        changed: usize,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        match reason {
            Reason::Lost => out.push(Seen::Say(Notice::Lost {
                queue: os::queue_length(),
                compared: tally.files,
                took: now.saturating_duration_since(since),
                changed,
            })),
            Reason::Root(path) => {
                out.push(Seen::Say(Notice::RootBack { path: Arc::from(path) }));
            }
            Reason::Mounts => {}
        }
    }

    fn watching(&self, tally: &Tally) -> Watching {
        let mut ignored = tally.samples.clone();
        // Nearest to the roots first; hidden ones are on everybody's mind least.
        ignored.sort_by_key(|(path, _)| {
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            (path.components().count(), hidden, path.clone())
        });
        ignored.truncate(2);
        Watching {
            roots: self.roots.shown(),
            types: Vec::new(),
            directories: self.table.directories(),
            ignored_more: tally.ignored.saturating_sub(ignored.len()),
            ignored,
        }
    }
}
