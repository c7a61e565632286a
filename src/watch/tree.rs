//! The watched tree: events and looks in the light of the table. An event only says where to look: what counts is
//! the state of the path now. A look at a directory is compared with the table, and the differences are changes; the
//! same code serves the start, a new directory, a recovery, new rules and a pass of polling.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashSet;

use super::contents::Contents;
use super::entries::{Entries, Record, has_writer};
use super::filesystem::FileSystem;
use super::looks::{Looks, Pending, Touched, Why};
use super::message::{Arming, Listed, RawKind, Refusal, Seen};
use super::settings::{Poll, Timestamp};
use super::table::{DirId, Table};
use crate::filter::{CACHEDIR_TAG, IGNORE_FILES, PROJECT_FILES, Verdict, temporary_among};
use crate::model::{Change, ChangeKind, EntryKind, Facts, Notice, Rule, RuleKind};
use crate::sys::bytes::os_str;
use crate::sys::errno;
use crate::sys::files::{self, Stat};

/// One turn of the loop: the time, what is told, and what the tree leaves to the engine.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) out: &'a mut Vec<Seen>,
    pub(super) asks: Vec<Ask>,
}

/// What the tree leaves to the engine.
#[derive(Debug)]
pub(super) enum Ask {
    /// A root was removed, renamed, or replaced, or so it was said.
    RootMoved(PathBuf),
    /// Another directory stands in the place of a root, and its watches may be those of the old one.
    RootReplaced(PathBuf),
    /// The tree needs no watch on these directories.
    Disarm(Vec<PathBuf>),
    /// Some directory could not be read, and no event tells when it can.
    Retry,
}

impl Turn<'_> {
    fn say(&mut self, notice: Notice) {
        self.out.push(Seen::Say(notice));
    }
}

/// A name in a directory of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub(super) dir: DirId,
    pub(super) path: &'a Path,
    pub(super) name: &'a [u8],
}

/// A directory whose listing is compared, and what is known about the look.
#[derive(Debug)]
pub(super) struct Merging<'a> {
    pub(super) dir: DirId,
    pub(super) path: &'a Path,
    pub(super) walk: u32,
    pub(super) why: Why,
    /// A difference that this look finds may be older than the last run's start.
    pub(super) uncertain: bool,
}

/// The table of everything that is watched, with what fills it.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) table: Table,
    pub(super) looks: Looks,
    pub(super) contents: Contents,
    /// Say every directory and every ignored change.
    pub(super) verbose: bool,
    /// Ignore rules of which it was said already that they hide an included type.
    surprises: HashSet<(String, String)>,
}

impl Tree {
    pub(super) fn new(looks: Looks, contents: Contents, verbose: bool) -> Self {
        Self { table: Table::default(), looks, contents, verbose, surprises: HashSet::new() }
    }

    /// Takes in an event of a name in the tree.
    pub(super) fn on_event(&mut self, at: At<'_>, kind: RawKind, turn: &mut Turn<'_>) {
        let Some(dir) = self.table.dir(at.dir) else { return };
        self.looks.touch(dir, at.name, kind);
        if dir.scope.is_none() {
            // What holds in there is not known yet; the look that is under way takes it up.
            return;
        }
        self.mind_rules(at, kind, turn);
        match kind {
            RawKind::CreateDirectory => self.directory_came(at, false, turn),
            RawKind::Create | RawKind::To => self.came(at, kind, turn),
            RawKind::Remove | RawKind::From => self.left(at, kind, turn),
            RawKind::Data => self.written(at, turn),
            RawKind::Close => self.closed(at, turn),
            RawKind::Metadata => self.metadata(at, turn),
            RawKind::Any => self.recheck(at, kind, turn),
        }
    }

    /// Whether a path in a directory counts.
    fn counts(&self, dir: DirId, path: &Path, kind: EntryKind) -> bool {
        self.deciding_rule(dir, path, kind).is_none()
    }

    /// The rule by which a path in a directory does *not* count.
    fn deciding_rule(&self, dir: DirId, path: &Path, kind: EntryKind) -> Option<Option<&Rule>> {
        if self.looks.ground.is_own(path) {
            return Some(None);
        }
        if self.table.only(dir).is_some() {
            return None;
        }
        let Some(scope) = self.table.dir(dir).and_then(|dir| dir.scope.as_deref()) else {
            return Some(None);
        };
        match self.looks.ground.filter.verdict(scope, path, kind) {
            Verdict::Watch(_) => None,
            Verdict::Ignore(rule) => Some(Some(rule)),
        }
    }

    /// Whether a file of which an event came counts; what is ignored may have to be said.
    fn file_counts(&mut self, at: At<'_>, kind: EntryKind, turn: &mut Turn<'_>) -> bool {
        let rule = match self.deciding_rule(at.dir, at.path, kind) {
            None => return true,
            Some(None) => return false,
            Some(Some(rule)) => rule,
        };
        let included = |name| self.looks.ground.filter.included_type(name).is_some();
        let hides = rule.kind == RuleKind::IgnoreFile && at.path.file_name().is_some_and(included);
        if !hides && !self.verbose {
            return false;
        }
        let rule = rule.clone();
        let surprise =
            hides && self.surprises.insert((rule.text.to_string(), format!("{:?}", rule.origin)));
        if surprise || self.verbose {
            turn.say(Notice::Ignored { path: Arc::from(at.path), rule, surprise });
        }
        false
    }

    /// Whether a path counts as what it is now. A socket, pipe or device does not: the file that it replaced is gone.
    fn kind_counts(&mut self, at: At<'_>, stat: &Stat, turn: &mut Turn<'_>) -> bool {
        let counts = self.file_counts(at, stat.kind, turn);
        if !counts && self.entry(at).is_some_and(|record| record.kind() != stat.kind) {
            self.remove(at, ChangeKind::Removed, turn);
        }
        counts
    }

    fn entry(&self, at: At<'_>) -> Option<&Record> {
        self.table.dir(at.dir)?.entries.get(at.name)
    }

    fn entry_mut(&mut self, at: At<'_>) -> Option<&mut Record> {
        self.table.dir_mut(at.dir)?.entries.get_mut(at.name)
    }

    fn put(&mut self, at: At<'_>, record: Record) {
        if let Some(dir) = self.table.dir_mut(at.dir) {
            dir.entries.insert(at.name, record);
        }
    }

    /// Takes the present state of a file into the table. Returns what is known about the file now. `writing`: a writer
    /// has it open.
    fn take_in(&mut self, at: At<'_>, stat: &Stat, writing: bool, turn: &mut Turn<'_>) -> Facts {
        let mut record = match self.entry_mut(at) {
            Some(record) if record.kind() == stat.kind => {
                record.see(stat);
                record.set_open(writing);
                let record = *record;
                return self.facts_of(at, &record);
            }
            Some(record) if !record.is_dir() => Record::file(stat, record.born),
            known => {
                if known.is_some() {
                    self.remove(at, ChangeKind::Removed, turn);
                }
                let (born, hash) = self.contents.recall(at.path, stat.ctime, turn.now);
                Record::file(stat, born).with(born, hash)
            }
        };
        record.set_open(writing);
        self.put(at, record);
        self.facts_of(at, &record)
    }

    /// A file was made, or something was renamed to this name.
    fn came(&mut self, at: At<'_>, kind: RawKind, turn: &mut Turn<'_>) {
        let file = self.file_counts(at, EntryKind::File, turn);
        let directory = || self.counts(at.dir, at.path, EntryKind::Directory);
        if !file && (kind == RawKind::Create || !directory()) {
            return;
        }
        // Gone already: the event that tells is on the way.
        let Ok(stat) = files::lstat(at.path) else { return };
        if stat.is_dir() {
            self.directory_came(at, true, turn);
        } else if self.kind_counts(at, &stat, turn) {
            self.looks.mind_delay(&stat, turn.now);
            let writing = kind == RawKind::Create && has_writer(&stat);
            let facts = self.take_in(at, &stat, writing, turn);
            let kind = if writing { ChangeKind::Written } else { ChangeKind::Appeared };
            self.emit(at.path, kind, facts, turn);
        }
    }

    /// A directory was made, or (`whole`) renamed to here.
    fn directory_came(&mut self, at: At<'_>, whole: bool, turn: &mut Turn<'_>) {
        if self.table.root(at.path).is_some() {
            turn.asks.push(Ask::RootMoved(at.path.to_path_buf()));
            return;
        }
        let counts = || self.counts(at.dir, at.path, EntryKind::Directory);
        if self.table.only(at.dir).is_some() || !counts() {
            return;
        }
        let known = self.entry(at).copied();
        if let Some(id) = known.and_then(|record| DirId::of(&record)) {
            if !whole && self.looks.is_pending(&self.table, id) {
                // The look that is under way puts its watch on what is there now.
                return;
            }
        } else if known.is_some() {
            self.remove(at, ChangeKind::Removed, turn);
        }
        let id = self.table.add_dir(at.dir, at.name);
        let why = if whole { Why::Whole } else { Why::New };
        self.look_at(id, at.path, why);
    }

    fn look_at(&mut self, dir: DirId, path: &Path, why: Why) {
        self.looks.look_at(&mut self.table, dir, path, why);
    }

    /// Something is not there any more under this name, or so it was said.
    fn left(&mut self, at: At<'_>, kind: RawKind, turn: &mut Turn<'_>) {
        let Some(record) = self.entry(at).copied() else { return };
        let there = files::lstat(at.path).ok();
        if let Some(id) = DirId::of(&record) {
            if there.is_some_and(|stat| stat.is_dir()) {
                // A new directory of the same name: what was said is true of the old one.
                self.look_at(id, at.path, Why::New);
            } else {
                self.remove(at, ChangeKind::Removed, turn);
            }
            return;
        }
        let kind = gone(kind);
        let Some(stat) = there.filter(|stat| !stat.is_dir()) else {
            return self.remove(at, kind, turn);
        };
        // The name is back: the event that tells is on the way. Until then the save is half, also when its other
        // events are here already (`patch -b` over an older backup).
        if let Some(record) = self.entry_mut(at) {
            record.set_open(false);
        }
        if stat.print() != record.print && !self.contents.is_new(record.born) {
            self.emit(at.path, kind, Facts::default(), turn);
        }
    }

    fn written(&mut self, at: At<'_>, turn: &mut Turn<'_>) {
        if let Some(record) = self.entry_mut(at).filter(|record| record.has_writer()) {
            // The state is looked at when it is closed: until then it is that of half a save.
            record.set_open(true);
            let record = *record;
            let facts = self.facts_of(at, &record);
            self.emit(at.path, ChangeKind::Written, facts, turn);
            return;
        }
        if !self.file_counts(at, EntryKind::File, turn) {
            return;
        }
        let Ok(stat) = files::lstat(at.path) else { return };
        if stat.is_dir() || !self.kind_counts(at, &stat, turn) {
            return;
        }
        let writing = has_writer(&stat);
        let facts = self.take_in(at, &stat, writing, turn);
        let kind = if writing { ChangeKind::Written } else { ChangeKind::Appeared };
        self.emit(at.path, kind, facts, turn);
    }

    fn closed(&mut self, at: At<'_>, turn: &mut Turn<'_>) {
        let known = self.entry(at).copied();
        if known.is_none() && !self.file_counts(at, EntryKind::File, turn) {
            return;
        }
        let Ok(stat) = files::lstat(at.path) else { return };
        if stat.is_dir() || !self.kind_counts(at, &stat, turn) {
            return;
        }
        let kind = match known {
            Some(record) if record.open() => ChangeKind::Closed,
            // Written by way of a mapping, or `touch`, which opens and closes.
            Some(record) if record.mtime != stat.mtime => self.touch_or_write(at.path, turn.now),
            Some(record) if !record.is_dir() => {
                if let Some(record) = self.entry_mut(at) {
                    record.see(&stat);
                }
                return;
            }
            _ => ChangeKind::Closed,
        };
        self.looks.mind_delay(&stat, turn.now);
        let facts = self.take_in(at, &stat, false, turn);
        self.emit(at.path, kind, facts, turn);
    }

    /// A close without a write: a mapping was released, or times were set right after a write, which belong to
    /// the save.
    fn touch_or_write(&self, path: &Path, now: Instant) -> ChangeKind {
        if self.contents.just_written(path, now) { ChangeKind::Closed } else { ChangeKind::Touched }
    }

    fn metadata(&mut self, at: At<'_>, turn: &mut Turn<'_>) {
        let Some(record) = self.entry(at).copied() else { return };
        if let Some(id) = DirId::of(&record) {
            self.check_readable(id, at.path, turn);
            return;
        }
        if record.open() {
            return;
        }
        let Ok(stat) = files::lstat(at.path) else { return };
        if stat.kind != record.kind() {
            return;
        }
        if let Some(record) = self.entry_mut(at) {
            record.see(&stat);
        }
        // Times set right after a write belong to the save (`cp -p`, `rsync`, `tar`), which was told.
        if record.mtime != stat.mtime && !self.contents.just_written(at.path, turn.now) {
            let facts = self.facts(at);
            self.emit(at.path, ChangeKind::Touched, facts, turn);
        }
    }

    /// The mode of a directory may have changed: unreadable is said once, readable again is taken up.
    pub(super) fn check_readable(&mut self, id: DirId, path: &Path, turn: &mut Turn<'_>) {
        let readable = files::can_list(path);
        let Some(dir) = self.table.dir_mut(id) else { return };
        let was = !dir.unreadable;
        dir.unreadable = !readable;
        if was && !readable {
            let error = std::io::Error::from_raw_os_error(errno::EACCES).to_string();
            turn.say(Notice::Unreadable { path: Arc::from(path), error });
        } else if !was && readable {
            self.look_at(id, path, Why::New);
        }
    }

    /// Compares one path with the table. `hint`: what was said about it.
    fn recheck(&mut self, at: At<'_>, hint: RawKind, turn: &mut Turn<'_>) {
        let Ok(stat) = files::lstat(at.path) else {
            return self.remove(at, gone(hint), turn);
        };
        let known = self.entry(at).copied();
        if stat.is_dir() {
            let whole = hint == RawKind::To;
            if whole || known.is_none_or(|record| !record.is_dir()) {
                self.directory_came(at, whole, turn);
            }
            return;
        }
        let same = known.is_some_and(|record| !record.is_dir() && record.print == stat.print());
        if same || !self.kind_counts(at, &stat, turn) {
            return;
        }
        let writing = matches!(hint, RawKind::Create | RawKind::Data) && has_writer(&stat);
        let facts = self.take_in(at, &stat, writing, turn);
        let kind = match hint {
            _ if writing => ChangeKind::Written,
            RawKind::Close => ChangeKind::Closed,
            _ => ChangeKind::Appeared,
        };
        self.emit(at.path, kind, facts, turn);
    }

    /// A file whose appearance or change may change the rules: then the directory is looked at under the new ones.
    fn mind_rules(&mut self, at: At<'_>, kind: RawKind, turn: &mut Turn<'_>) {
        let is = |known: &&str| known.as_bytes() == at.name;
        let complete = !matches!(kind, RawKind::Data | RawKind::Metadata);
        if !complete || self.table.only(at.dir).is_some() {
            return;
        }
        let ignore_file = IGNORE_FILES.iter().any(is) && kind != RawKind::Create;
        let matters = if ignore_file {
            self.looks.ground.filter.spec().gitignore
        } else if is(&CACHEDIR_TAG) {
            kind != RawKind::Create
        } else {
            PROJECT_FILES.iter().any(is) && self.project_matters(at)
        };
        if !matters {
            return;
        }
        if ignore_file {
            turn.out.push(Seen::RulesChanged);
        }
        self.looks.ruled = Timestamp::of(at.path);
        if let Some(path) = at.path.parent() {
            self.look_at(at.dir, path, Why::Rules);
        }
    }

    /// Whether a project file that came or went changes what `target` beside it is.
    fn project_matters(&self, at: At<'_>) -> bool {
        let Some(parent) = at.path.parent() else { return false };
        let project = PROJECT_FILES.iter().any(|name| files::lstat(&parent.join(name)).is_ok());
        let target = parent.join("target");
        match self.deciding_rule(at.dir, &target, EntryKind::Directory) {
            None => project && self.entry(At { name: b"target", ..at }).is_some_and(Record::is_dir),
            Some(rule) => !project && rule.is_some_and(|rule| rule.kind == RuleKind::BuiltIn),
        }
    }

    /// Says once that a directory can't be read.
    pub(super) fn on_unreadable(
        &mut self,
        dir: DirId,
        path: PathBuf,
        why: Refusal,
        turn: &mut Turn<'_>,
    ) {
        // The directory above, when it is watched, tells when the mode changes.
        let above = self.table.parent(dir).and_then(|above| self.table.dir(above));
        if !why.denied || above.is_none_or(|above| above.polled) {
            turn.asks.push(Ask::Retry);
        }
        if let Some(dir) = self.table.dir_mut(dir)
            && !std::mem::replace(&mut dir.unreadable, true)
        {
            turn.say(Notice::Unreadable { path: Arc::from(path), error: why.error });
        }
    }

    /// Tries again what could not be read.
    pub(super) fn look_again_at_unreadable(&mut self) {
        for (path, id) in self.looks.directories_that(&self.table, |dir| dir.unreadable) {
            self.look_at(id, &path, Why::New);
        }
    }

    /// The walker found no directory there. Mostly an event says so too; in any case it is gone.
    pub(super) fn on_gone(&mut self, dir: DirId, path: &Path, turn: &mut Turn<'_>) {
        if self.table.root(path).is_some() {
            turn.asks.push(Ask::RootMoved(path.to_path_buf()));
        } else if let Some((parent, name)) = self.table.locate(path) {
            if files::lstat(path).is_ok_and(|stat| stat.is_dir()) {
                // The directory is back already.
                self.look_at(dir, path, Why::New);
            } else {
                self.remove(At { dir: parent, path, name }, ChangeKind::Removed, turn);
            }
        }
    }

    /// Drops a directory that does not count any more: no change, and its watches are given back.
    pub(super) fn drop_silently(&mut self, dir: DirId, path: &Path, turn: &mut Turn<'_>) {
        let mut watched = Vec::new();
        self.table.walk_from(dir, path, &mut |path, _, dir| {
            if !dir.polled {
                watched.push(path.to_path_buf());
            }
        });
        if let Some((parent, name)) = self.table.locate(path) {
            self.table.remove(parent, name, path, &mut |_, _| {});
        }
        turn.asks.push(Ask::Disarm(watched));
    }

    /// Drops a root, telling every file below it.
    pub(super) fn root_gone(&mut self, root: &Path, turn: &mut Turn<'_>) {
        let mut gone = Vec::new();
        self.table.remove_root(root, &mut |path, record| gone.push((path.to_path_buf(), *record)));
        self.emit_gone(gone, ChangeKind::Removed, turn);
    }

    /// Drops a file that is watched by itself, telling it.
    pub(super) fn point_gone(&mut self, path: &Path, turn: &mut Turn<'_>) {
        if let Some((dir, name)) = self.table.locate(path) {
            self.remove(At { dir, path, name }, ChangeKind::Removed, turn);
        }
    }

    /// Takes in what a look at a directory found. `filesystem`: that on which it lies, when it begins there;
    /// `replaced`: it is a root, and another directory than before.
    pub(super) fn on_listed(
        &mut self,
        merging: &Merging<'_>,
        (pending, arming): (Pending, Arming),
        (listed, filesystem): (Listed, Option<FileSystem>),
        replaced: bool,
        turn: &mut Turn<'_>,
    ) {
        let touched = pending.touched.map_or_else(HashMap::new, |touched| *touched);
        let Listed { scope, entries, fresh, lost, .. } = listed;
        let silent = matches!(filesystem, Some(FileSystem::Silent(..)))
            && self.looks.ground.poll != Poll::Never;
        let above = self.table.parent(merging.dir).and_then(|parent| self.table.dir(parent));
        let inherited = above.is_some_and(|above| above.doubtful);
        let Some(node) = self.table.dir_mut(merging.dir) else { return };
        let untouched = node.scope.is_none() && node.entries.len() == 0 && touched.is_empty();
        node.scope = Some(scope);
        node.unreadable = false;
        if arming != Arming::Keep {
            node.polled = arming != Arming::Watch;
        }
        node.polled |= silent;
        node.doubtful = filesystem
            .map_or(inherited, |filesystem| matches!(filesystem, FileSystem::Doubtful(_)));
        if self.verbose && matches!(merging.why, Why::Start | Why::New | Why::Whole) {
            turn.say(Notice::Directory { path: Arc::from(merging.path) });
        }
        if replaced {
            turn.asks.push(Ask::RootReplaced(merging.path.to_path_buf()));
            return;
        }
        let before = turn.out.len();
        let fresh = self.news(merging, fresh);
        if untouched && matches!(merging.why, Why::Start | Why::Rules) {
            // The first look: the listing becomes the table.
            if let Some(dir) = self.table.dir_mut(merging.dir) {
                dir.entries = entries;
            }
            self.looks.await_adopted(&mut self.table, merging.dir);
        } else {
            self.compare_entries(merging, &entries, &touched, turn);
        }
        for name in fresh.iter().filter(|name| !touched.contains_key(*name)) {
            let facts = Facts { found: true, ..Facts::default() };
            self.emit(&merging.path.join(os_str(name)), ChangeKind::Appeared, facts, turn);
        }
        if lost {
            self.contents.lost(merging.path);
            self.emit(merging.path, ChangeKind::Removed, Facts::default(), turn);
        }
        for (name, how) in touched {
            self.look_again(merging, &name, how, turn);
        }
        if let Some(walk) = self.looks.walks.get_mut(&merging.walk) {
            walk.changed += turn.out.len() - before;
        }
    }

    /// The names that changed before the walk came by, without those of which events have told.
    fn news(&self, merging: &Merging<'_>, mut fresh: Vec<Box<[u8]>>) -> Vec<Box<[u8]>> {
        if let (Why::Rules, Some(dir)) = (merging.why, self.table.dir(merging.dir)) {
            fresh.retain(|name| dir.entries.get(name).is_none());
        }
        fresh
    }

    fn compare_entries(
        &mut self,
        merging: &Merging<'_>,
        entries: &Entries,
        touched: &HashMap<Box<[u8]>, Touched>,
        turn: &mut Turn<'_>,
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
                self.directory_listed(merging, name, record.number(), turn);
            } else if !touched.contains_key(name) {
                self.file_listed(merging, name, record, turn);
            }
        }
        for name in missing {
            self.missing(merging, &name, turn);
        }
    }

    fn directory_listed(
        &mut self,
        merging: &Merging<'_>,
        name: &[u8],
        ticket: u64,
        turn: &mut Turn<'_>,
    ) {
        let path = || -> PathBuf { merging.path.join(os_str(name)) };
        let known = self.table.dir(merging.dir).and_then(|dir| dir.entries.get(name)).copied();
        if known.is_some_and(|record| !record.is_dir()) {
            self.remove(At { dir: merging.dir, path: &path(), name }, ChangeKind::Removed, turn);
        }
        let id = self.table.add_dir(merging.dir, name);
        if ticket != 0 {
            self.looks.await_listing(&mut self.table, id, ticket);
        } else if known.is_none_or(|record| !record.is_dir()) {
            // A look that does not go on by itself found a directory that was not known.
            let why = if merging.why == Why::Rules { Why::Rules } else { Why::New };
            self.look_at(id, &path(), why);
        }
    }

    fn file_listed(
        &mut self,
        merging: &Merging<'_>,
        name: &[u8],
        record: &Record,
        turn: &mut Turn<'_>,
    ) {
        let known = self.table.dir(merging.dir).and_then(|dir| dir.entries.get(name)).copied();
        if known.is_some_and(|old| old.print == record.print && !old.is_dir())
            && !matches!(merging.why, Why::Recover | Why::Whole)
        {
            // As nearly always: no path is needed.
            return;
        }
        let path = merging.path.join(os_str(name));
        let at = At { dir: merging.dir, path: &path, name };
        match known {
            Some(old) if old.is_dir() => {
                self.remove(at, ChangeKind::Removed, turn);
                self.file_listed(merging, name, record, turn);
            }
            Some(old) if old.print == record.print => {
                if merging.why == Why::Recover {
                    // The event that told of its closing may be among the lost ones.
                    self.entry_mut(at).into_iter().for_each(|record| record.set_open(false));
                } else if !self.contents.is_new(old.born) {
                    self.emit_found(at, turn);
                }
            }
            Some(old) => {
                let certain = old.kind() == record.kind() && !merging.uncertain;
                let hash = if certain { old.hash } else { 0 };
                self.put(at, record.with(old.born, hash).after(&old));
                // At the start the change times tell.
                if merging.why != Why::Start {
                    self.emit_found(at, turn);
                }
            }
            None if matches!(merging.why, Why::Start | Why::Rules) => self.put(at, *record),
            None => {
                let (born, hash) = self.contents.recall(&path, record.mtime, turn.now);
                // Empty, it may be half of a save: this look tells nothing of who has it open.
                self.put(at, record.with(born, hash).after_nothing());
                self.emit_found(at, turn);
            }
        }
    }

    /// A known name that the look did not bring: gone, or of no interest any more.
    fn missing(&mut self, merging: &Merging<'_>, name: &[u8], turn: &mut Turn<'_>) {
        let path = merging.path.join(os_str(name));
        let at = At { dir: merging.dir, path: &path, name };
        let known = self.entry(at).copied();
        match (files::lstat(&path), known.and_then(|record| DirId::of(&record))) {
            (Err(_), dir) => {
                if dir.is_none() && merging.uncertain {
                    self.entry_mut(at).into_iter().for_each(|record| record.hash = 0);
                }
                self.remove(at, ChangeKind::Removed, turn);
            }
            (Ok(_), Some(dir)) if merging.why == Why::Rules => {
                self.drop_silently(dir, &path, turn);
            }
            (Ok(_), None) if merging.why == Why::Rules => {
                self.table.remove(merging.dir, name, &path, &mut |_, _| {});
            }
            // The name came back while we looked; its event is on the way, or this look is repeated.
            (Ok(_), _) => self.recheck(at, RawKind::Any, turn),
        }
    }

    /// A name of which events came while its directory was being looked at.
    fn look_again(
        &mut self,
        merging: &Merging<'_>,
        name: &[u8],
        how: Touched,
        turn: &mut Turn<'_>,
    ) {
        let path = merging.path.join(os_str(name));
        let at = At { dir: merging.dir, path: &path, name };
        let made = matches!(how.first, RawKind::Create | RawKind::CreateDirectory | RawKind::To);
        let gone = matches!(how.last, RawKind::Remove | RawKind::From);
        if self.entry(at).is_none() && gone && !made && files::lstat(&path).is_err() {
            // The name was there before the first look, and no look has ever seen it.
            if self.counts(merging.dir, &path, EntryKind::File) {
                self.contents.lost(&path);
                self.emit(&path, ChangeKind::Removed, Facts::default(), turn);
            }
            return;
        }
        self.recheck(at, how.last, turn);
    }

    /// Tells a change. Every change leaves the tree by this way.
    fn emit(&mut self, path: &Path, kind: ChangeKind, facts: Facts, turn: &mut Turn<'_>) {
        let path = self.contents.note(path, kind, turn.now);
        turn.out.push(Seen::Change(Change { path, kind, facts }));
    }

    /// Tells a difference that a look has found.
    fn emit_found(&mut self, at: At<'_>, turn: &mut Turn<'_>) {
        let facts = Facts { found: true, ..self.facts(at) };
        self.emit(at.path, ChangeKind::Appeared, facts, turn);
    }

    /// Takes an entry and all below it out of the table, telling every file.
    fn remove(&mut self, at: At<'_>, kind: ChangeKind, turn: &mut Turn<'_>) {
        let mut gone = Vec::new();
        let mut each = |path: &Path, record: &Record| gone.push((path.to_path_buf(), *record));
        self.table.remove(at.dir, at.name, at.path, &mut each);
        self.emit_gone(gone, kind, turn);
    }

    /// Tells of files that are no more, and remembers what the last run saw of them.
    fn emit_gone(&mut self, gone: Vec<(PathBuf, Record)>, kind: ChangeKind, turn: &mut Turn<'_>) {
        for (path, record) in gone {
            let new = self.contents.forget(&path, &record, turn.now);
            self.emit(&path, kind, Facts { new, ..Facts::default() }, turn);
        }
    }

    /// What is known about an entry besides the event.
    fn facts(&self, at: At<'_>) -> Facts {
        self.entry(at).map_or_else(Facts::default, |record| self.facts_of(at, record))
    }

    /// What is known about an entry that is at hand.
    fn facts_of(&self, at: At<'_>, record: &Record) -> Facts {
        let new = self.contents.is_new(record.born);
        // An editor may have made the sibling the temporary by a rename: then it is away for a moment.
        let was_there = |other: &OsStr| {
            let path = || Some(self.table.path(at.dir)?.join(other));
            self.contents.misses_any() && path().is_some_and(|path| self.contents.misses(&path))
        };
        let is_there = |other: &OsStr| {
            self.entry(At { name: other.as_encoded_bytes(), ..at }).is_some() || was_there(other)
        };
        let temporary = new && temporary_among(os_str(at.name), is_there);
        Facts { new, temporary, emptied: record.emptied(), found: false }
    }
}

/// How something is gone by this event.
fn gone(kind: RawKind) -> ChangeKind {
    if kind == RawKind::From { ChangeKind::RenamedAway } else { ChangeKind::Removed }
}
