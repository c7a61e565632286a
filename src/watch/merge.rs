//! A look at a directory against the table: the differences are changes. The same code for the start, a
//! new directory, a recovery, new rules and a pass of polling.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::entries::{Entries, Record};
use super::filesystem::FileSystem;
use super::look::{Pending, Touched, Why};
use super::message::{Arming, Listed, Listing, Outcome, RawKind, Refusal};
use super::recovery::{Events, Reason};
use super::settings::Poll;
use super::table::DirId;
use super::walk::Order;
use super::{Seen, Watch};
use crate::filter::EntryKind;
use crate::model::{ChangeKind, Facts, Notice};
use crate::sys::bytes::os_str;
use crate::sys::files;

/// What can't be read for a reason of which no event tells is tried again so often.
const AGAIN: Duration = Duration::from_secs(1);

impl Watch {
    pub(super) fn on_listing(&mut self, listing: Listing, now: Instant, out: &mut Vec<Seen>) {
        let Listing { ticket, walk, path, arming, outcome } = listing;
        // The place may belong to another directory by now.
        let known = self
            .pending
            .remove(&ticket)
            .filter(|pending| self.table.dir(pending.dir).is_some_and(|dir| dir.ticket == ticket));
        let why = self.walks.get(&walk).map(|walk| walk.why);
        let (Some(pending), Some(why)) = (known, why) else {
            // Out of date. Whether its watch is of any use is known when no walk is under way any more:
            // now another one may be about to come by and find the watch in place.
            if arming == Arming::Watch && !matches!(outcome, Outcome::Gone) {
                self.doubtful_watches.insert(path);
            }
            return;
        };
        if let Some(dir) = self.table.dir_mut(pending.dir) {
            dir.ticket = 0;
        }
        match outcome {
            Outcome::Listed(listed) => self.merge(&path, pending, why, arming, listed, now, out),
            Outcome::Gone => self.on_gone(pending.dir, &path, now, out),
            Outcome::Pruned => self.drop_silently(pending.dir, &path),
            Outcome::Unreadable(Refusal { error, denied }) => {
                if !denied || !self.is_told_of(pending.dir) {
                    self.again.get_or_insert(now + AGAIN);
                }
                if let Some(dir) = self.table.dir_mut(pending.dir) {
                    let known = std::mem::replace(&mut dir.unreadable, true);
                    if !known {
                        out.push(Seen::Say(Notice::Unreadable { path: Arc::from(path), error }));
                    }
                }
            }
        }
    }

    /// Whether events tell of a directory's mode: that above it has to be watched.
    fn is_told_of(&self, dir: DirId) -> bool {
        let above = self.table.parent(dir).and_then(|above| self.table.dir(above));
        above.is_some_and(|above| !above.polled)
    }

    /// Tries again what could not be read.
    pub(super) fn look_again_if_due(&mut self, now: Instant) {
        if self.again.is_none_or(|at| now < at) {
            return;
        }
        self.again = None;
        for (path, id) in self.directories_that(|dir| dir.unreadable) {
            self.look_at(id, &path, Why::New);
        }
    }

    /// The walker found no directory there. Mostly an event says so too; in any case it is gone.
    fn on_gone(&mut self, dir: DirId, path: &Path, now: Instant, out: &mut Vec<Seen>) {
        if self.table.root(path).is_some() {
            self.root_moved(path, now, out);
        } else if let Some((parent, name)) = self.table.locate(path) {
            if files::lstat(path).is_ok_and(|stat| stat.is_dir()) {
                // It is back already.
                self.look_at(dir, path, Why::New);
            } else {
                self.remove_entry(parent, name, path, ChangeKind::Removed, now, out);
            }
        }
    }

    /// Gives back the watches of directories that were dropped while a walk went on in them.
    pub(super) fn drop_useless_watches(&mut self) {
        if self.walks.is_empty() && !self.doubtful_watches.is_empty() {
            let paths = std::mem::take(&mut self.doubtful_watches).into_iter();
            let useless =
                paths.filter(|path| self.table.find(path).is_none() && !self.is_needed(path));
            let useless = useless.collect();
            self.order(Order::Disarm(useless));
        }
    }

    /// Whether a directory is watched for single names in it, whatever becomes of its tree.
    pub(super) fn is_needed(&self, path: &Path) -> bool {
        self.spots.needs(path) || self.table.has_singles(path)
    }

    /// A directory that does not count any more: no change, and its watches are given back.
    pub(super) fn drop_silently(&mut self, dir: DirId, path: &Path) {
        let mut watched = Vec::new();
        self.table.walk_from(dir, path, &mut |path, _, dir| {
            if !dir.polled {
                watched.push(path.to_path_buf());
            }
        });
        watched.retain(|path| !self.is_needed(path));
        if let Some((parent, name)) = self.table.locate(path) {
            self.table.remove(parent, name, path, &mut |_, _| {});
        }
        self.order(Order::Disarm(watched));
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one message, taken apart once")]
    fn merge(
        &mut self,
        path: &Path,
        pending: Pending,
        why: Why,
        arming: Arming,
        listed: Listed,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Pending { dir, walk, touched } = pending;
        let touched = touched.map_or_else(HashMap::new, |touched| *touched);
        let Listed { scope, entries, fresh, lost, filesystem, stat } = listed;
        let Some(node) = self.table.dir_mut(dir) else { return };
        let untouched = node.scope.is_none() && node.entries.len() == 0 && touched.is_empty();
        node.scope = Some(scope);
        node.unreadable = false;
        if arming != Arming::Keep {
            node.polled = arming != Arming::Watch;
        }
        let above = self.table.parent(dir).and_then(|parent| self.table.dir(parent));
        let inherited = above.is_some_and(|above| above.doubtful);
        let filesystem = filesystem.map(|found| self.polling.found(path, found));
        if let Some(node) = self.table.dir_mut(dir) {
            node.doubtful = match filesystem {
                Some(filesystem) => matches!(filesystem, FileSystem::Doubtful(_)),
                None => inherited,
            };
            let silent = matches!(filesystem, Some(FileSystem::Silent(..)));
            node.polled |= silent && self.settings.poll != Poll::Never;
        }
        if self.settings.verbose && matches!(why, Why::Start | Why::New | Why::Whole) {
            out.push(Seen::Say(Notice::Directory { path: Arc::from(path) }));
        }
        let replaced = self.roots.seen(path, &stat);
        if replaced && self.recovery.events == Events::Native && !starts_over(why) {
            // Its watch, and all below, may still be those of the directory that was there before.
            self.recover(Reason::Root(path.to_path_buf()), now, out);
            return;
        }
        let before = out.len();
        let fresh = self.news(dir, why, fresh);
        let merging = Merging { dir, path, walk, why };
        if untouched && matches!(why, Why::Start | Why::Rules) {
            self.adopt(&merging, entries);
        } else {
            self.compare_entries(&merging, entries, &touched, now, out);
        }
        self.tell_fresh(&merging, &fresh, &touched, now, out);
        if lost {
            self.contents.lost(path);
            self.emit(path, ChangeKind::Removed, Facts::default(), now, out);
        }
        for (name, how) in touched {
            self.look_again(&merging, &name, how, now, out);
        }
        if why == Why::Doubt {
            self.suspect(&out[before..], now);
        }
        if let Some(walk) = self.walks.get_mut(&walk) {
            walk.changed += out.len() - before;
        }
    }

    /// The first look: the listing becomes the table.
    fn adopt(&mut self, merging: &Merging<'_>, entries: Entries) {
        if let Some(dir) = self.table.dir_mut(merging.dir) {
            dir.entries = entries;
        }
        let (pending, walk) = (&mut self.pending, merging.walk);
        self.table.adopt(merging.dir, &mut |dir, ticket| {
            pending.insert(ticket, Pending { dir, walk, touched: None });
        });
    }

    /// What has changed before the walk came by: of a name that is known already, events have told.
    fn news(&self, dir: DirId, why: Why, mut fresh: Vec<Box<[u8]>>) -> Vec<Box<[u8]>> {
        if let (Why::Rules, Some(dir)) = (why, self.table.dir(dir)) {
            fresh.retain(|name| dir.entries.get(name).is_none());
        }
        fresh
    }

    /// Tells what has changed before the walk came by.
    fn tell_fresh(
        &mut self,
        merging: &Merging<'_>,
        fresh: &[Box<[u8]>],
        touched: &HashMap<Box<[u8]>, Touched>,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        for name in fresh.iter().filter(|name| !touched.contains_key(*name)) {
            let path = merging.path.join(os_str(name));
            let facts = Facts { found: true, ..Facts::default() };
            self.emit(&path, ChangeKind::Appeared, facts, now, out);
        }
    }

    fn compare_entries(
        &mut self,
        merging: &Merging<'_>,
        entries: Entries,
        touched: &HashMap<Box<[u8]>, Touched>,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Some(node) = self.table.dir(merging.dir) else { return };
        let missing: Vec<Box<[u8]>> = node
            .entries
            .iter()
            .filter(|(name, _)| entries.get(name).is_none() && !touched.contains_key(*name))
            .map(|(name, _)| name.into())
            .collect();
        for (name, record) in entries.iter() {
            if record.is_dir() {
                self.directory_listed(merging, name, record.number(), now, out);
            } else if !touched.contains_key(name) {
                self.file_listed(merging, name, record, now, out);
            }
        }
        for name in missing {
            self.missing(merging, &name, now, out);
        }
    }

    fn directory_listed(
        &mut self,
        merging: &Merging<'_>,
        name: &[u8],
        ticket: u64,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let known = self.table.dir(merging.dir).and_then(|dir| dir.entries.get(name)).copied();
        if known.is_some_and(|record| !record.is_dir()) {
            let path = merging.path.join(os_str(name));
            self.remove_entry(merging.dir, name, &path, ChangeKind::Removed, now, out);
        }
        let id = self.table.add_dir(merging.dir, name);
        if ticket != 0 {
            self.await_listing(id, merging.walk, ticket);
        } else if known.is_none_or(|record| !record.is_dir()) {
            // A look that does not go on by itself found a directory that nobody knew.
            let path = merging.path.join(os_str(name));
            let why = if merging.why == Why::Rules { Why::Rules } else { Why::New };
            self.look_at(id, &path, why);
        }
    }

    fn file_listed(
        &mut self,
        merging: &Merging<'_>,
        name: &[u8],
        record: &Record,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let known = self.table.dir(merging.dir).and_then(|dir| dir.entries.get(name)).copied();
        let path = || -> PathBuf { merging.path.join(os_str(name)) };
        match known {
            Some(old) if old.is_dir() => {
                self.remove_entry(merging.dir, name, &path(), ChangeKind::Removed, now, out);
                self.file_listed(merging, name, record, now, out);
            }
            Some(old) if old.print == record.print => {
                if merging.why == Why::Recover {
                    // The event that told of its closing may be among the lost ones.
                    self.close(merging.dir, name);
                }
                if merging.why == Why::Whole && !self.contents.is_new(old.born) {
                    let facts = Facts { found: true, ..self.facts(merging.dir, name) };
                    self.emit(&path(), ChangeKind::Appeared, facts, now, out);
                }
            }
            Some(old) => {
                let certain = old.kind() == record.kind() && !self.uncertain(merging);
                let hash = if certain { old.hash } else { 0 };
                let record = record.with(old.born, hash).after(&old);
                self.put(merging.dir, name, record);
                // At the start the change times tell.
                if merging.why != Why::Start {
                    let facts = Facts { found: true, ..self.facts(merging.dir, name) };
                    self.emit(&path(), ChangeKind::Appeared, facts, now, out);
                }
            }
            None if matches!(merging.why, Why::Start | Why::Rules) => {
                self.put(merging.dir, name, *record);
            }
            None => {
                let path = path();
                let (born, hash) = self.contents.recall(&path, record.mtime, now);
                // Empty, it may be half of a save: this look tells nothing of who has it open.
                self.put(merging.dir, name, record.with(born, hash).after_nothing());
                let facts = Facts { found: true, ..self.facts(merging.dir, name) };
                self.emit(&path, ChangeKind::Appeared, facts, now, out);
            }
        }
    }

    fn close(&mut self, dir: DirId, name: &[u8]) {
        let entry = self.table.dir_mut(dir).and_then(|dir| dir.entries.get_mut(name));
        if let Some(record) = entry {
            record.set_open(false);
        }
    }

    /// Whether a difference that this look finds may be older than the last run's start.
    fn uncertain(&self, merging: &Merging<'_>) -> bool {
        match merging.why {
            Why::Recover => true,
            Why::Poll | Why::Doubt => {
                self.contents.uncertain_since(self.polling.before(merging.walk))
            }
            _ => false,
        }
    }

    pub(super) fn put(&mut self, dir: DirId, name: &[u8], record: Record) {
        if let Some(dir) = self.table.dir_mut(dir) {
            dir.entries.insert(name, record);
        }
    }

    /// A known name that the look did not bring: gone, or of no interest any more.
    fn missing(&mut self, merging: &Merging<'_>, name: &[u8], now: Instant, out: &mut Vec<Seen>) {
        let path = merging.path.join(os_str(name));
        let known = self.table.dir(merging.dir).and_then(|dir| dir.entries.get(name)).copied();
        match (files::lstat(&path), known.and_then(|record| DirId::of(&record))) {
            (Err(_), dir) => {
                if dir.is_none() && self.uncertain(merging) {
                    self.table.record_mut(&path).into_iter().for_each(|record| record.hash = 0);
                }
                self.remove_entry(merging.dir, name, &path, ChangeKind::Removed, now, out);
            }
            (Ok(_), Some(dir)) if merging.why == Why::Rules => self.drop_silently(dir, &path),
            (Ok(_), None) if merging.why == Why::Rules => {
                self.table.remove(merging.dir, name, &path, &mut |_, _| {});
            }
            // It came back while we looked; its event is on the way, or this look is repeated.
            (Ok(_), _) => self.recheck(merging.dir, &path, name, RawKind::Any, now, out),
        }
    }

    /// A name of which events came while its directory was being looked at.
    fn look_again(
        &mut self,
        merging: &Merging<'_>,
        name: &[u8],
        how: Touched,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let path = merging.path.join(os_str(name));
        let known = self.table.dir(merging.dir).is_some_and(|dir| dir.entries.get(name).is_some());
        let made = matches!(how.first, RawKind::Create | RawKind::CreateDirectory | RawKind::To);
        let gone = matches!(how.last, RawKind::Remove | RawKind::From);
        if !known && gone && !made && files::lstat(&path).is_err() {
            // It was there before the first look, and no look has ever seen it.
            if self.verdict(merging.dir, &path, EntryKind::File) {
                self.contents.lost(&path);
                self.emit(&path, ChangeKind::Removed, Facts::default(), now, out);
            }
            return;
        }
        self.recheck(merging.dir, &path, name, how.last, now, out);
    }
}

/// Whether a walk has an event source of its own.
fn starts_over(why: Why) -> bool {
    matches!(why, Why::Start | Why::Recover)
}

/// Which directory is being merged, and why.
struct Merging<'a> {
    dir: DirId,
    path: &'a Path,
    walk: u32,
    why: Why,
}
