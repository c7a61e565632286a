//! The engine: it routes what its threads tell to its parts, and begins anew when what is watched can no longer be
//! relied on.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::contents::{Comparison, Contents, Polled};
use super::list::{GRAIN, Ground};
use super::looks::{Looks, Why};
use super::message::{
    Arming, Events, Inner, Listing, Message, Outcome, RawEvent, RawKind, Seen, Tally,
};
use super::passes::{Due, Passes};
use super::points::{Met, Points, RootKind, SEARCH_MIN};
use super::settings::{Poll, Root, Settings, Timestamp};
use super::table::DirId;
use super::tree::{Ask, At, Merging, Tree, Turn};
use super::walk::{self, Order};
use crate::filter::Filter;
use crate::model::{Batch, Notice, Watching};
use crate::sys::bytes::os_str;
use crate::sys::{clock, events, files, heap};

/// The first walk tells how far it has come after this time, and every time it has passed again.
const PROGRESS: Duration = Duration::from_secs(1);

/// What can't be read for a reason of which no event tells is tried again so often.
const AGAIN: Duration = Duration::from_secs(1);

/// An event of a change that is longer ago has come by no way that its time would tell anything about.
const LATE_EVENT: Duration = Duration::from_secs(1);

/// Why everything is looked at anew.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// Events were lost.
    Lost,
    /// A root was replaced, or is back.
    Root(PathBuf),
    /// Something was mounted or unmounted in the tree.
    Mounts,
    /// The event source had to be given up.
    Source,
}

/// The engine. Lives on the loop's thread and is the single owner of everything that is known about the tree.
#[derive(Debug)]
pub struct Watch {
    pub(super) settings: Settings,
    pub(super) tree: Tree,
    pub(super) points: Points,
    pub(super) passes: Passes,
    /// The first walk is done.
    ready: bool,
    /// The first turn of the loop.
    began: Option<Instant>,
    /// The walk that counts as the first, when the configuration changed before it was done.
    first: Option<u32>,
    /// The walk that recovers, why, and since when.
    recovering: Option<(u32, Reason, Instant)>,
    /// Events were lost again meanwhile.
    lost_again: bool,
    /// No event source could be had although one was wanted.
    refused: bool,
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
        let ground = Arc::new(Ground::new(filter, &settings));
        let orders = walk::start(Arc::clone(&ground), messages.clone());
        let points = Points::new(&settings, &messages);
        let contents = Contents::new(&settings, since, messages);
        let looks = Looks::new(orders, ground, since);
        let mut watch = Self {
            tree: Tree::new(looks, contents, settings.verbose),
            points,
            passes: Passes::default(),
            settings,
            ready: false,
            began: None,
            first: None,
            recovering: None,
            lost_again: false,
            refused: false,
        };
        watch.points.add_roots(roots, &mut watch.tree.table);
        watch.choose_source();
        watch.set_out(Why::Start);
        watch
    }

    /// Takes in one message; what it means is appended to `out`. Never blocks on the walk.
    pub fn handle(&mut self, message: Message, now: Instant, out: &mut Vec<Seen>) {
        self.turn(now, out, |watch, turn| watch.take(message.0, turn));
        self.tree.looks.note_looking(now);
    }

    /// When [`Watch::tick`] wants to be called; `None` when nothing is due (the usual state: no wake-ups).
    pub fn deadline(&self) -> Option<Instant> {
        let due = self.passes.due.deadline();
        due.into_iter().chain(self.tree.contents.deadline()).min()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Seen>) {
        if self.began.is_none() {
            self.began = Some(now);
            if !self.ready {
                self.passes.due.set(Due::Progress, now + PROGRESS);
            }
        }
        self.tree.contents.confirm(&mut self.tree.table, now);
        while let Some(due) = self.passes.due.take(now) {
            self.turn(now, out, |watch, turn| watch.act(due, turn));
        }
    }

    /// Does some work, and then what the tree has left to the engine.
    fn turn(
        &mut self,
        now: Instant,
        out: &mut Vec<Seen>,
        work: impl FnOnce(&mut Self, &mut Turn<'_>),
    ) {
        let before = out.len();
        let mut turn = Turn { now, out, asks: Vec::new() };
        work(self, &mut turn);
        self.answer(&mut turn);
        self.points.tell_moved_links(before, out);
    }

    fn take(&mut self, inner: Inner, turn: &mut Turn<'_>) {
        let current = self.tree.looks.generation;
        match inner {
            Inner::Event { generation, event } if generation == current => {
                self.on_event(event, turn);
            }
            Inner::Lost { generation } if generation == current => self.on_lost(turn),
            Inner::NoSource { generation } if generation == current => self.on_no_source(turn),
            Inner::Event { .. } | Inner::Lost { .. } | Inner::NoSource { .. } => {}
            Inner::Listings(listings) => {
                for listing in listings {
                    let before = self.passes.weigh();
                    self.on_listing(listing, turn);
                    self.answer(turn);
                    self.passes.weighed(before);
                }
            }
            Inner::WalkDone { walk, tally } => self.on_walk_done(walk, &tally, turn),
            Inner::RulesFrom(files) => self.points.add_rules(files),
            Inner::CaughtUp => {
                turn.out.extend(self.tree.looks.caught_up().then_some(Seen::CaughtUp));
            }
            Inner::Hashed(hashed) => {
                self.tree.contents.on_hashed(&mut self.tree.table, hashed, turn.now);
            }
            Inner::AroundRoots => self.check_roots(turn),
        }
    }

    fn act(&mut self, due: Due, turn: &mut Turn<'_>) {
        match due {
            Due::Progress => self.say_progress(turn),
            Due::Poll => self.begin_pass(turn.now),
            Due::Judge => self.passes.judge(self.settings.poll, &mut self.tree.table, turn),
            Due::Compare => self.passes.begin_comparison(&mut self.tree),
            Due::Roots => self.look_for_missing_roots(turn),
            Due::Retry => self.tree.look_again_at_unreadable(),
        }
    }

    /// Does what the tree has left to the engine.
    fn answer(&mut self, turn: &mut Turn<'_>) {
        for ask in std::mem::take(&mut turn.asks) {
            match ask {
                Ask::RootMoved(path) => self.root_moved(&path, turn),
                Ask::RootReplaced(path) => self.recover(Reason::Root(path), turn),
                Ask::Disarm(paths) => self.disarm(paths),
                Ask::Retry => self.passes.due.set_by(Due::Retry, turn.now + AGAIN),
            }
        }
    }

    fn on_event(&mut self, event: RawEvent, turn: &mut Turn<'_>) {
        let RawEvent { kind, path } = event;
        self.passes.acquit(&path);
        match self.points.met(&path, kind) {
            Some(Met::Marker(name)) => {
                name.into_iter().for_each(|name| self.on_marker(name, turn));
                return;
            }
            Some(Met::Configuration) => self.points.check_configuration(turn.out),
            Some(Met::Rules) => {
                turn.out.push(Seen::RulesChanged);
                self.tree.looks.ruled = Timestamp::of(&path);
                self.tree.looks.look_at_all(&mut self.tree.table, Why::Rules);
            }
            None => {}
        }
        if let Some((dir, name)) = self.tree.table.locate(&path) {
            self.tree.on_event(At { dir, path: &path, name }, kind, turn);
        } else if let Some(root) = self.tree.table.root(&path) {
            self.on_root_event(root, &path, kind, turn);
        } else if matches!(kind, RawKind::Remove | RawKind::From) {
            // Perhaps the directory of files that were named. What is there now may have its number.
            let files = self.points.files_in(&path);
            self.take_up(&files, turn);
        }
    }

    fn on_marker(&mut self, name: OsString, turn: &mut Turn<'_>) {
        // What happens above the roots, or to those that are missing, comes by other ways.
        self.check_roots(turn);
        if self.passes.due.at(Due::Roots).is_some() {
            self.look_for_missing_roots(turn);
        }
        // Where no events come from, only a look that begins now has seen everything.
        if self.passes.polls() {
            self.begin_pass(turn.now);
        }
        let walks = &self.tree.looks.walks;
        self.points.mark(name, walks);
        self.points.pass_markers(walks, turn.out);
    }

    /// A root speaks of itself.
    fn on_root_event(&mut self, root: DirId, path: &Path, kind: RawKind, turn: &mut Turn<'_>) {
        match kind {
            RawKind::Metadata => self.tree.check_readable(root, path, turn),
            RawKind::Data | RawKind::Close => {}
            _ => self.root_moved(path, turn),
        }
    }

    fn on_listing(&mut self, listing: Listing, turn: &mut Turn<'_>) {
        let Listing { ticket, walk, path, arming, outcome } = listing;
        let tree = &mut self.tree;
        let Some((pending, why)) = tree.looks.accept(&mut tree.table, ticket, walk) else {
            if arming == Arming::Watch && !matches!(outcome, Outcome::Gone) {
                tree.looks.doubt_watch(path);
            }
            return;
        };
        let dir = pending.dir;
        let listed = match outcome {
            Outcome::Listed(listed) => listed,
            Outcome::Gone => return tree.on_gone(dir, &path, turn),
            Outcome::Pruned => return tree.drop_silently(dir, &path, turn),
            Outcome::Unreadable(why) => return tree.on_unreadable(dir, path, why, turn),
        };
        let filesystem = listed.filesystem.map(|found| self.passes.found(&path, found));
        // A walk with an event source of its own puts the watches on anew anyhow.
        let starts_over = matches!(why, Why::Start | Why::Recover);
        let replaced = self.points.seen(&path, &listed.stat)
            && tree.looks.events == Events::Native
            && !starts_over;
        let uncertain = match why {
            Why::Recover => true,
            Why::Poll | Why::Doubt => tree.contents.uncertain_since(self.passes.before(walk)),
            _ => false,
        };
        let merging = Merging { dir, path: &path, walk, why, uncertain };
        let before = turn.out.len();
        tree.on_listed(&merging, (pending, arming), (listed, filesystem), replaced, turn);
        if why == Why::Doubt {
            self.passes.suspect(&turn.out[before..], turn.now);
        }
    }

    fn on_walk_done(&mut self, id: u32, tally: &Tally, turn: &mut Turn<'_>) {
        let Some(walk) = self.tree.looks.done(id) else { return };
        if walk.why == Why::Start && !self.ready && self.first.is_none_or(|first| first == id) {
            self.ready = true;
            self.passes.due.cancel(Due::Progress);
            turn.out.push(Seen::Ready(self.watching(tally)));
            self.say_missing(turn);
            self.tree.contents.on_ready(&self.tree.table, turn.now);
        }
        if let Some((_, reason, since)) = self.recovering.take_if(|(walk, ..)| *walk == id) {
            say_recovered(reason, since, tally, walk.changed, turn);
            if self.lost_again {
                self.recover(Reason::Lost, turn);
            }
        }
        let passed = self.passes.end_pass(id);
        if passed && self.settings.poll != Poll::Never {
            self.points.check_configuration(turn.out);
            // The directories above the roots may have been left without watches too.
            self.check_roots(turn);
        }
        let settings = (&self.settings, self.refused);
        self.passes.plan_pass(passed, tally, settings, &self.tree.table, turn);
        self.passes.plan_comparison(id, tally, self.settings.poll, turn.now);
        self.drop_useless_watches();
        self.tree.looks.shrink();
        // A walk can take a watch off and put it on again (notify replaces one that is asked for in another
        // way). What came in between is found as the tree's own changes are: by a look afterwards.
        self.points.check_configuration(turn.out);
        if matches!(walk.why, Why::Start | Why::Recover | Why::Rules) {
            turn.out.push(Seen::Rearmed);
        }
        self.points.pass_markers(&self.tree.looks.walks, turn.out);
    }

    /// Gives back the watches of directories that were dropped while a walk went on in them.
    fn drop_useless_watches(&mut self) {
        let mut useless = self.tree.looks.take_doubtful_watches();
        useless.retain(|path| self.tree.table.find(path).is_none());
        self.disarm(useless);
    }

    /// Gives back the watches of directories, except where there are points.
    fn disarm(&self, mut paths: Vec<PathBuf>) {
        paths.retain(|path| !self.points.need(path));
        if !paths.is_empty() {
            self.tree.looks.order(Order::Disarm(paths));
        }
    }

    fn watching(&self, tally: &Tally) -> Watching {
        let mut ignored = tally.samples.clone();
        // Nearest to the roots first, hidden ones last.
        ignored.sort_by_key(|(path, _)| {
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            (path.components().count(), hidden, path.clone())
        });
        ignored.truncate(2);
        Watching {
            roots: self.points.shown(),
            types: Vec::new(),
            directories: self.tree.table.directories(),
            ignored_more: tally.ignored.saturating_sub(ignored.len()),
            ignored,
        }
    }

    /// Says how far the first walk has come: also while a slow file system lets it wait.
    fn say_progress(&mut self, turn: &mut Turn<'_>) {
        if let Some(began) = self.began {
            self.passes.due.set(Due::Progress, turn.now + PROGRESS);
            let elapsed = turn.now.saturating_duration_since(began);
            let directories = self.tree.table.directories();
            turn.out.push(Seen::Say(Notice::Progress { directories, elapsed }));
        }
    }

    fn choose_source(&mut self) {
        self.refused = false;
        self.tree.looks.events = Events::wanted(self.settings.backend, self.settings.poll);
    }

    /// Gives the walker the ground and a new event source, and sends it to everything that is watched.
    fn set_out(&mut self, why: Why) -> u32 {
        let looks = &mut self.tree.looks;
        looks.spread(self.points.ground(&looks.ground));
        let (generation, events) = (looks.generation, looks.events);
        let trees = if events == Events::Portable { self.points.trees() } else { Vec::new() };
        looks.order(Order::Renew { generation, events, trees });
        self.points.look_at_mounts();
        self.watch_points();
        self.tree.looks.look_at_all(&mut self.tree.table, why)
    }

    /// Has the points watched, as far as events come by directory.
    fn watch_points(&self) {
        if self.tree.looks.events != Events::None && events::BY_DIRECTORY {
            let (directories, roots) = (self.points.directories(), self.points.root_paths());
            self.tree.looks.order(Order::Points { directories, roots });
        }
    }

    /// Starts over: a new event source, a walk of everything, a comparison with the table.
    fn recover(&mut self, reason: Reason, turn: &mut Turn<'_>) {
        self.tree.looks.forget();
        self.passes.forget_walks();
        self.lost_again = false;
        // Before the first walk is done only what has changed since the start counts.
        let why = if self.ready { Why::Recover } else { Why::Start };
        let walk = self.set_out(why);
        self.recovering = Some((walk, reason, turn.now));
        self.points.await_walk(walk);
        self.points.check_configuration(turn.out);
    }

    fn on_lost(&mut self, turn: &mut Turn<'_>) {
        match self.recovering {
            // Once more, but not before this one is done: each takes its time.
            Some((_, Reason::Lost, _)) => self.lost_again = true,
            _ => self.recover(Reason::Lost, turn),
        }
    }

    /// No event source is to be had: everything is polled.
    fn on_no_source(&mut self, turn: &mut Turn<'_>) {
        let was = std::mem::replace(&mut self.tree.looks.events, Events::None);
        self.refused = true;
        if was == Events::Portable {
            // The walker took the directories for watched.
            self.recover(Reason::Source, turn);
        }
    }

    /// Says which roots are missing, and looks for them from now on.
    fn say_missing(&mut self, turn: &mut Turn<'_>) {
        for path in self.points.roots(RootKind::Missing) {
            self.say_root_missing(&path, turn);
        }
    }

    fn say_root_missing(&mut self, path: &Path, turn: &mut Turn<'_>) {
        turn.out.push(Seen::Say(Notice::RootMissing { path: Arc::from(path) }));
        if self.passes.due.at(Due::Roots).is_none() {
            self.points.begin_search();
            self.passes.due.set(Due::Roots, turn.now + SEARCH_MIN);
        }
    }

    fn look_for_missing_roots(&mut self, turn: &mut Turn<'_>) {
        self.passes.due.cancel(Due::Roots);
        let found = self.points.add_roots(Vec::new(), &mut self.tree.table);
        if !self.points.roots(RootKind::Missing).is_empty() {
            self.passes.due.set(Due::Roots, turn.now + self.points.next_pause());
        }
        if let Some(path) = found.into_iter().next() {
            self.recover(Reason::Root(path), turn);
        }
    }

    /// A root was removed, renamed, or replaced, or so it was said.
    fn root_moved(&mut self, path: &Path, turn: &mut Turn<'_>) {
        if self.points.is_directory(path) {
            self.take_up(&[path.to_path_buf()], turn);
        }
    }

    /// Looks at the roots: the table of mounts changed, or a directory above one was renamed.
    fn check_roots(&mut self, turn: &mut Turn<'_>) {
        let mounted = self.points.look_at_mounts();
        let moved = self.points.moved();
        if !self.take_up(&moved, turn) && mounted && moved.is_empty() {
            self.recover(Reason::Mounts, turn);
        }
    }

    /// Takes up roots in whose place is something else or nothing. Whether everything is being looked at anew.
    fn take_up(&mut self, moved: &[PathBuf], turn: &mut Turn<'_>) -> bool {
        let mut replaced = None;
        for path in moved {
            match self.points.vanished(path) {
                None => replaced = replaced.or(Some(path)),
                Some(kind) => self.root_vanished(path, kind, turn),
            }
        }
        let Some(path) = replaced else { return false };
        self.recover(Reason::Root(path.clone()), turn);
        true
    }

    /// Tells that nothing is where a root was, and looks for it from now on.
    fn root_vanished(&mut self, path: &Path, kind: RootKind, turn: &mut Turn<'_>) {
        match (kind, path.parent(), path.file_name()) {
            (RootKind::File, Some(parent), Some(name)) => {
                self.tree.point_gone(path, turn);
                self.tree.table.remove_point(parent, name.as_encoded_bytes());
                if self.tree.table.find(parent).is_none() {
                    self.disarm(vec![parent.to_path_buf()]);
                }
            }
            _ => self.tree.root_gone(path, turn),
        }
        self.say_root_missing(path, turn);
    }

    /// Takes over other rules, roots and settings, in force `since` then. What they bring to light or hide is no
    /// change; what was changed meanwhile is.
    pub fn set_filter(
        &mut self,
        filter: Arc<Filter>,
        roots: Vec<Root>,
        settings: Settings,
        since: Timestamp,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        self.turn(now, out, |watch, turn| {
            let looks = &mut watch.tree.looks;
            let (own, poll) = (settings.own.clone(), settings.poll);
            looks.ground = Arc::new(Ground { filter, own, poll, ..(*looks.ground).clone() });
            looks.ruled = since;
            watch.tree.contents.set_enabled(settings.exclude_unchanged);
            watch.tree.verbose = settings.verbose;
            watch.points.configure(&settings);
            let before = std::mem::replace(&mut watch.settings, settings);
            watch.drop_other_roots(&roots);
            watch.points.add_roots(roots, &mut watch.tree.table);
            watch.say_missing(turn);
            let source =
                (before.backend, before.poll) != (watch.settings.backend, watch.settings.poll);
            if source || watch.tree.looks.events == Events::Portable {
                watch.change_source();
            } else {
                watch.walk_under_new_rules();
            }
        });
    }

    fn change_source(&mut self) {
        self.tree.looks.forget();
        self.choose_source();
        self.passes.start_over();
        let why = if self.ready { Why::Rules } else { Why::Start };
        let walk = self.set_out(why);
        self.points.await_walk(walk);
    }

    fn walk_under_new_rules(&mut self) {
        let looks = &mut self.tree.looks;
        looks.spread(self.points.ground(&looks.ground));
        self.watch_points();
        let why = if self.ready { Why::Rules } else { Why::Start };
        let walk = self.tree.looks.look_at_all(&mut self.tree.table, why);
        if !self.ready {
            // The first walk goes on under the old rules; the tickets of this one are the newer ones.
            self.first = Some(walk);
        }
    }

    /// Drops what is no root any more.
    fn drop_other_roots(&mut self, kept: &[Root]) {
        for path in self.points.drop_other_roots(kept) {
            let mut watched: Vec<PathBuf> = Vec::new();
            let table = &mut self.tree.table;
            if let Some(id) = table.root(&path) {
                table.walk_from(id, &path, &mut |path, _, _| watched.push(path.to_path_buf()));
            }
            table.remove_root(&path, &mut |_, _| {});
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
                table.remove_point(parent, name.as_encoded_bytes());
                watched.push(parent.to_path_buf());
            }
            watched.retain(|path| table.find(path).is_none());
            self.disarm(watched);
        }
    }

    /// Sends the walker round where no events come from.
    fn begin_pass(&mut self, now: Instant) {
        let Some(walk) = self.passes.begin_pass(&mut self.tree, now) else { return };
        // Where no directory has a watch there was none for the markers either, which are armed first.
        let (all, polled) = self.directories();
        if self.tree.looks.events == Events::None || polled == all {
            self.points.find_markers(walk);
        }
    }

    /// Directories that are watched now, and how many of them without events.
    pub fn directories(&self) -> (usize, usize) {
        (self.tree.table.directories(), self.tree.table.polled())
    }

    /// Every directory that no events tell of, with the reason in a few words.
    pub fn without_events(&self) -> HashMap<PathBuf, Arc<str>> {
        self.passes.without_events(&self.settings, &self.tree.table)
    }

    /// Whether the files of a batch differ from what the last run saw. Called at the moment of firing; reads
    /// up to the first difference.
    pub fn compare(&mut self, batch: &Batch) -> Comparison {
        let Tree { table, contents, .. } = &mut self.tree;
        let passes = &self.passes;
        contents.compare(table, &|path| polled(passes, table, path), batch)
    }

    /// Takes out of a batch what is not there and was not there for the last run either: it came and went.
    pub fn leave_out_what_went(&self, batch: &mut Batch) {
        self.tree.contents.leave_out_what_went(&self.tree.table, batch);
    }

    /// A run has been started, caused by changes of these paths. From now on "what the last run saw"
    /// is the present content.
    pub fn run_started(&mut self, causes: &[Arc<Path>], now: Instant) {
        self.tree.contents.run_started(&mut self.tree.table, causes, now);
    }

    /// Whether passes of polling tell of a path, and not events.
    pub fn is_polled(&self, path: &Path) -> bool {
        polled(&self.passes, &self.tree.table, path).is_some()
    }

    /// When a path that has just been told of was changed, as far as its file system tells: its clock may be that of
    /// another machine. `None` where nothing is there, or where it can't be true.
    pub fn changed_at(&self, path: &Path, now: Instant) -> Option<Instant> {
        let polled = polled(&self.passes, &self.tree.table, path);
        let longest = polled.map_or(LATE_EVENT, |polled| polled.interval * 2);
        let age = clock::of_files() - files::lstat(path).ok()?.ctime;
        // The clock may be behind by a tick.
        let age = if (-GRAIN..0).contains(&age) { 0 } else { age };
        let age = Duration::from_nanos(u64::try_from(age).ok()?);
        now.checked_sub(age).filter(|_| age <= longest)
    }

    /// The names that count in a directory.
    pub fn names_in(&self, directory: &Path) -> Vec<OsString> {
        let table = &self.tree.table;
        let dir = table.find(directory).and_then(|id| table.dir(id));
        let names = dir.iter().flat_map(|dir| dir.entries.iter());
        names.map(|(name, _)| os_str(name).to_os_string()).collect()
    }

    /// Whether changes may still be found that happened before those that are known: the tree is being
    /// compared because events were lost or a root was replaced, events are still on their way, or a new
    /// directory is being looked at: a run that began now might see what it was not told of.
    pub fn is_comparing(&self, now: Instant) -> bool {
        self.tree.looks.is_behind(now) || self.recovering.is_some()
    }

    /// Whether events of a path come in the order in which everything happened that they tell of.
    pub fn tells_in_order(&self, path: &Path) -> bool {
        self.ready && self.tree.looks.events == Events::Native && !self.is_polled(path)
    }

    /// A run has ended: what it changed is to be told apart from what comes after it, by [`Seen::CaughtUp`]. Whether
    /// that can be told.
    pub fn run_ended(&mut self, now: Instant) -> bool {
        // The walk would have to end first.
        let tells = self.ready && self.tree.looks.events == Events::Native;
        if tells {
            self.catch_up(now);
        }
        tells
    }

    /// Something has just ended that changed many files. On a busy machine the events may come late: until
    /// those of this moment are here, [`Watch::is_comparing`].
    pub fn catch_up(&mut self, now: Instant) {
        self.tree.looks.catch_up(now);
    }

    /// The changes that were told of so far go into a run: those behind the next late event are waited for anew.
    pub fn taken(&mut self) {
        self.tree.looks.taken();
    }
}

/// How passes tell of a path; `None` where events do.
fn polled(passes: &Passes, table: &super::table::Table, path: &Path) -> Option<Polled> {
    let (interval, since) = passes.last_pass()?;
    let (above, _) = table.locate(path)?;
    table.dir(above).filter(|dir| dir.polled).map(|_| Polled { interval, since })
}

fn say_recovered(
    reason: Reason,
    since: Instant,
    tally: &Tally,
    changed: usize,
    turn: &mut Turn<'_>,
) {
    let notice = match reason {
        Reason::Lost => Notice::Lost {
            queue: events::queue_length(),
            compared: tally.files,
            took: turn.now.saturating_duration_since(since),
            changed,
        },
        Reason::Root(path) => Notice::RootBack { path: Arc::from(path) },
        Reason::Mounts | Reason::Source => return,
    };
    turn.out.push(Seen::Say(notice));
}
