//! When what is watched can no longer be relied on: a new event source, a walk, a comparison.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::look::{Walk, Why};
use super::message::Tally;
use super::settings::{Backend, Poll};
use super::walk::Order;
use super::{Seen, Watch};
use crate::model::{Notice, Watching};
use crate::sys::files::Stat;
use crate::sys::{clock, events};

/// The first walk tells how far it has come after this time, and every time it has passed again.
const PROGRESS: Duration = Duration::from_secs(1);

/// Events that are on their way, and looks at new directories, are waited for no longer than this: the walker may be
/// held by a file system that does not answer, and directories may come without end.
const CATCH_UP: Duration = Duration::from_secs(1);

/// An event that tells of a change so long ago (nanoseconds) comes after a pause: we were stopped, or the machine
/// was busy or asleep. More events are on their way. The clock that stamps files may be a tick of 4 ms behind.
const LATE: i64 = 10_000_000;

/// Why a recovery is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Events were lost.
    Lost,
    /// A root was replaced, or is back.
    Root(PathBuf),
    /// Something was mounted or unmounted in the tree.
    Mounts,
    /// The event source had to be given up.
    Source,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Events {
    #[default]
    None,
    Native,
    Portable,
}

#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// The event source that is believed.
    pub(super) generation: u32,
    /// Where events come from.
    pub(super) events: Events,
    /// The walk that recovers, and why.
    under_way: Option<(u32, Reason, Instant)>,
    /// The walk that counts as the first, when the configuration changed before it was done.
    pub(super) first: Option<u32>,
    /// Events were lost again meanwhile.
    again: bool,
    /// Answers that are awaited ([`Watch::catch_up`]), and until when.
    behind: Option<(u32, Instant)>,
    /// When events were last waited for because one came late.
    late: Option<Instant>,
    /// Since when new directories are being looked at.
    looking: Option<Instant>,
    /// Why there is no event source although one was wanted.
    pub(super) refused: Option<String>,
}

impl Recovery {
    pub(super) fn begin(&mut self, backend: Backend, poll: Poll) {
        self.generation = 1;
        self.begin_again(backend, poll);
    }

    /// An answer is here. Whether it is the last that is awaited.
    pub(super) fn caught_up(&mut self) -> bool {
        self.behind = self.behind.and_then(|(count, until)| {
            Some((count.checked_sub(1).filter(|left| *left > 0)?, until))
        });
        self.behind.is_none()
    }

    /// Decides anew where events come from.
    pub(super) fn begin_again(&mut self, backend: Backend, poll: Poll) {
        self.refused = None;
        self.events = match (backend, poll) {
            (Backend::Poll, _) | (_, Poll::Every(_)) => Events::None,
            (Backend::Native | Backend::Auto, _) if events::BY_DIRECTORY => Events::Native,
            // Elsewhere the system's own way is the portable source.
            (Backend::Native | Backend::Auto | Backend::Portable, _) => Events::Portable,
        };
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

    /// Whether changes may still be found that happened before those that are known: the tree is being
    /// compared because events were lost or a root was replaced, events are still on their way, or a new
    /// directory is being looked at: a run that began now might see what it was not told of.
    pub fn is_comparing(&self, now: Instant) -> bool {
        let behind = self.recovery.behind.is_some_and(|(_, until)| now < until);
        let looking = self.recovery.looking.is_some_and(|since| now < since + CATCH_UP);
        behind || looking || self.recovery.under_way.is_some()
    }

    /// Whether events of a path come in the order in which everything happened that they tell of.
    pub fn tells_in_order(&self, path: &Path) -> bool {
        self.ready && self.recovery.events == Events::Native && !self.is_polled(path)
    }

    /// A run has ended: what it changed is to be told apart from what comes after it, by [`Seen::CaughtUp`]. Whether
    /// that can be told.
    pub fn run_ended(&mut self, now: Instant) -> bool {
        // The walk would have to end first.
        let tells = self.ready && self.recovery.events == Events::Native;
        if tells {
            self.catch_up(now);
        }
        tells
    }

    /// Notes since when new directories are being looked at.
    pub(super) fn note_looking(&mut self, now: Instant) {
        let new = |walk: &Walk| matches!(walk.why, Why::New | Why::Whole);
        let looking = self.walks.values().any(new);
        self.recovery.looking = self.recovery.looking.or(Some(now)).filter(|_| looking);
    }

    /// Something has just ended that changed many files. On a busy machine the events may come late: until
    /// those of this moment are here, [`Watch::is_comparing`].
    pub fn catch_up(&mut self, now: Instant) {
        if self.recovery.events == Events::Native {
            let count = self.recovery.behind.map_or(0, |(count, _)| count);
            self.recovery.behind = Some((count + 1, now + CATCH_UP));
            self.order(Order::CatchUp);
        }
    }

    /// The changes that were told of so far go into a run: those behind the next late event are waited for anew.
    pub fn taken(&mut self) {
        self.recovery.late = None;
    }

    /// An event tells of a file in this state. What has gathered during a pause belongs to one run. Under endless
    /// writing on a busy machine every event is late: that holds no run for ever.
    pub(super) fn mind_delay(&mut self, stat: &Stat, now: Instant) {
        let late = clock::of_files().saturating_sub(stat.ctime) > LATE;
        if late && self.recovery.late.is_none_or(|last| now > last + CATCH_UP * 2) {
            self.recovery.late = Some(now);
            self.catch_up(now);
        }
    }

    pub(super) fn on_lost(&mut self, now: Instant, out: &mut Vec<Seen>) {
        match self.recovery.under_way {
            // Once more, but not before this one is done: each takes its time.
            Some((_, Reason::Lost, _)) => self.recovery.again = true,
            _ => self.recover(Reason::Lost, now, out),
        }
    }

    /// No event source is to be had: everything is polled.
    pub(super) fn on_no_source(&mut self, error: &str, now: Instant, out: &mut Vec<Seen>) {
        let was = std::mem::replace(&mut self.recovery.events, Events::None);
        self.recovery.refused = Some(error.to_owned());
        if was == Events::Portable {
            // The walker took the directories for watched.
            self.recover(Reason::Source, now, out);
        }
    }

    /// When it is to be said how far the first walk has come.
    pub(super) fn next_progress(&self) -> Option<Instant> {
        self.began.filter(|_| !self.ready).map(|(_, said)| said + PROGRESS)
    }

    /// Says now and then how far the first walk has come: also while a slow file system lets it wait.
    pub(super) fn say_progress(&mut self, now: Instant, out: &mut Vec<Seen>) {
        if self.next_progress().is_none_or(|next| now < next) {
            return;
        }
        if let Some((began, said)) = &mut self.began {
            *said = now;
            let elapsed = now.saturating_duration_since(*began);
            let directories = self.table.directories();
            out.push(Seen::Say(Notice::Progress { directories, elapsed }));
        }
    }

    pub(super) fn on_walk_done(
        &mut self,
        id: u32,
        tally: Tally,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Some(walk) = self.walks.remove(&id) else { return };
        let first = walk.why == Why::Start
            && !self.ready
            && self.recovery.first.is_none_or(|first| first == id);
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
        self.plan_doubt(id, &tally, now);
        self.drop_useless_watches();
        if self.pending.is_empty() {
            self.pending.shrink_to_fit();
        }
        // A walk can take a watch off and put it on again (notify replaces one that is asked for in another
        // way). What came in between is found as the tree's own changes are: by a look afterwards.
        self.check_extras(out);
        if matches!(walk.why, Why::Start | Why::Recover | Why::Rules) {
            out.push(Seen::Rearmed);
        }
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
                queue: events::queue_length(),
                compared: tally.files,
                took: now.saturating_duration_since(since),
                changed,
            })),
            Reason::Root(path) => {
                out.push(Seen::Say(Notice::RootBack { path: Arc::from(path) }));
            }
            Reason::Mounts | Reason::Source => {}
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
