//! What one event means, in the light of the table. The event only says where to look: what counts is the
//! state of the path now.
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::entries::Record;
use super::entries::has_writer;
use super::look::{Touched, Why};
use super::message::{RawEvent, RawKind};
use super::settings::Timestamp;
use super::table::DirId;
use super::{Seen, Watch};
use crate::filter::{EntryKind, Verdict};
use crate::model::{ChangeKind, Facts, Notice, Rule, RuleKind};
use crate::sys::bytes::os_str;
use crate::sys::errno;
use crate::sys::files::{self, Stat};

impl Watch {
    pub(super) fn on_event(&mut self, event: RawEvent, now: Instant, out: &mut Vec<Seen>) {
        let RawEvent { kind, path } = event;
        self.doubts.acquit(&path);
        if self.spot(&path, kind, now, out) {
            return;
        }
        let Some((dir, name)) = self.table.locate(&path) else {
            if self.table.root(&path).is_some() {
                self.on_root(&path, kind, now, out);
            } else if matches!(kind, RawKind::Remove | RawKind::From) {
                self.place_gone(&path, now, out);
            }
            return;
        };
        if let Some(pending) = self
            .table
            .dir(dir)
            .map(|dir| dir.ticket)
            .and_then(|ticket| self.pending.get_mut(&ticket))
        {
            let touched = Touched { first: kind, last: kind };
            pending.touched.get_or_insert_default().entry(name.into()).or_insert(touched).last =
                kind;
        }
        if self.table.dir(dir).is_none_or(|dir| dir.scope.is_none()) {
            // What holds in there is not known yet; the look that is under way takes it up.
            return;
        }
        self.watch_rule_names(dir, &path, name, kind, out);
        match kind {
            RawKind::CreateDirectory => self.directory_came(dir, &path, name, false, now, out),
            RawKind::Create | RawKind::To => self.came(dir, &path, name, kind, now, out),
            RawKind::Remove | RawKind::From => self.left(dir, &path, name, kind, now, out),
            RawKind::Data => self.written(dir, &path, name, now, out),
            RawKind::Close => self.closed(dir, &path, name, now, out),
            RawKind::Metadata => self.metadata(dir, &path, name, now, out),
            RawKind::Any => self.recheck(dir, &path, name, kind, now, out),
        }
    }

    /// Whether a path in a directory counts.
    pub(super) fn verdict(&self, dir: DirId, path: &Path, kind: EntryKind) -> bool {
        self.deciding_rule(dir, path, kind).is_none()
    }

    /// The rule by which a path in a directory does *not* count.
    fn deciding_rule(&self, dir: DirId, path: &Path, kind: EntryKind) -> Option<Option<&Rule>> {
        if self.ground.is_own(path) {
            return Some(None);
        }
        if self.table.only(dir).is_some() {
            return None;
        }
        let Some(scope) = self.table.dir(dir).and_then(|dir| dir.scope.as_deref()) else {
            return Some(None);
        };
        match self.ground.filter.verdict(scope, path, kind) {
            Verdict::Watch(_) => None,
            Verdict::Ignore(rule) => Some(Some(rule)),
        }
    }

    /// The same for a file of which an event came; what is ignored may have to be said.
    fn file_counts(
        &mut self,
        dir: DirId,
        path: &Path,
        kind: EntryKind,
        out: &mut Vec<Seen>,
    ) -> bool {
        let rule = match self.deciding_rule(dir, path, kind) {
            None => return true,
            Some(None) => return false,
            Some(Some(rule)) => rule,
        };
        let hides = rule.kind == RuleKind::IgnoreFile
            && path
                .file_name()
                .is_some_and(|name| self.ground.filter.included_type(name).is_some());
        if !hides && !self.settings.verbose {
            return false;
        }
        let rule = rule.clone();
        let surprise =
            hides && self.surprises.insert((rule.text.to_string(), format!("{:?}", rule.origin)));
        if surprise || self.settings.verbose {
            out.push(Seen::Say(Notice::Ignored { path: Arc::from(path), rule, surprise }));
        }
        false
    }

    /// Whether a path counts as what it is now. A socket, pipe or device does not: the file that it replaced is gone.
    fn kind_counts(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        stat: &Stat,
        now: Instant,
        out: &mut Vec<Seen>,
    ) -> bool {
        let counts = self.file_counts(dir, path, stat.kind, out);
        let replaced = || self.entry(dir, name).is_some_and(|record| record.kind() != stat.kind);
        if !counts && replaced() {
            self.remove_entry(dir, name, path, ChangeKind::Removed, now, out);
        }
        counts
    }

    pub(super) fn entry(&self, dir: DirId, name: &[u8]) -> Option<&Record> {
        self.table.dir(dir)?.entries.get(name)
    }

    fn entry_mut(&mut self, dir: DirId, name: &[u8]) -> Option<&mut Record> {
        self.table.dir_mut(dir)?.entries.get_mut(name)
    }

    /// Takes the present state of a file into the table; `writing`: somebody has it open. What is known about it
    /// now.
    #[expect(clippy::too_many_arguments, reason = "an event, and what was looked up for it")]
    fn take_in(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        stat: &Stat,
        writing: bool,
        now: Instant,
        out: &mut Vec<Seen>,
    ) -> Facts {
        let mut record = match self.entry_mut(dir, name) {
            Some(record) if record.kind() == stat.kind => {
                record.see(stat);
                record.set_open(writing);
                let record = *record;
                return self.facts_of(dir, name, &record);
            }
            Some(record) if !record.is_dir() => Record::file(stat, record.born),
            known => {
                if known.is_some() {
                    self.remove_entry(dir, name, path, ChangeKind::Removed, now, out);
                }
                let (born, hash) = self.contents.recall(path, stat.ctime, now);
                Record::file(stat, born).with(born, hash)
            }
        };
        record.set_open(writing);
        self.put(dir, name, record);
        self.facts_of(dir, name, &record)
    }

    /// A file was made, or something was renamed to this name.
    fn came(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        kind: RawKind,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let file = self.file_counts(dir, path, EntryKind::File, out);
        if !file && (kind == RawKind::Create || !self.verdict(dir, path, EntryKind::Directory)) {
            return;
        }
        // Gone already: the event that tells is on the way.
        let Ok(stat) = files::lstat(path) else { return };
        if stat.is_dir() {
            self.directory_came(dir, path, name, true, now, out);
        } else if self.kind_counts(dir, path, name, &stat, now, out) {
            self.mind_delay(&stat, now);
            let writing = kind == RawKind::Create && has_writer(&stat);
            let facts = self.take_in(dir, path, name, &stat, writing, now, out);
            let kind = if writing { ChangeKind::Written } else { ChangeKind::Appeared };
            self.emit(path, kind, facts, now, out);
        }
    }

    /// A directory was made, or (`whole`) renamed to here.
    pub(super) fn directory_came(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        whole: bool,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        if self.table.root(path).is_some() {
            self.root_moved(path, now, out);
            return;
        }
        if self.table.only(dir).is_some() || !self.verdict(dir, path, EntryKind::Directory) {
            return;
        }
        let known = self.entry(dir, name).copied();
        if let Some(id) = known.and_then(|record| DirId::of(&record)) {
            if !whole && self.is_pending(id) {
                // The look that is under way puts its watch on what is there now.
                return;
            }
        } else if known.is_some() {
            self.remove_entry(dir, name, path, ChangeKind::Removed, now, out);
        }
        let id = self.table.add_dir(dir, name);
        let why = if whole { Why::Whole } else { Why::New };
        self.look_at(id, path, why);
    }

    /// Something is not there any more under this name, or so it was said.
    fn left(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        kind: RawKind,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Some(record) = self.entry(dir, name).copied() else { return };
        let there = files::lstat(path).ok();
        if let Some(id) = DirId::of(&record) {
            if there.is_some_and(|stat| stat.is_dir()) {
                // A new directory of the same name: what was said is true of the old one.
                self.look_at(id, path, Why::New);
            } else {
                self.remove_entry(dir, name, path, ChangeKind::Removed, now, out);
            }
            return;
        }
        let away = kind == RawKind::From;
        let kind = if away { ChangeKind::RenamedAway } else { ChangeKind::Removed };
        if let Some(stat) = there.filter(|stat| !stat.is_dir()) {
            // It is back: the event that tells is on the way. Until then the save is half, also when its other
            // events are here already (`patch -b` over an older backup).
            if let Some(record) = self.entry_mut(dir, name) {
                record.set_open(false);
            }
            if stat.print() != record.print && !self.contents.is_new(record.born) {
                self.emit(path, kind, Facts::default(), now, out);
            }
            return;
        }
        self.remove_entry(dir, name, path, kind, now, out);
    }

    fn written(&mut self, dir: DirId, path: &Path, name: &[u8], now: Instant, out: &mut Vec<Seen>) {
        if let Some(record) = self.entry_mut(dir, name).filter(|record| record.has_writer()) {
            // The state is looked at when it is closed: until then it is that of half a save.
            record.set_open(true);
            let record = *record;
            let facts = self.facts_of(dir, name, &record);
            self.emit(path, ChangeKind::Written, facts, now, out);
            return;
        }
        if !self.file_counts(dir, path, EntryKind::File, out) {
            return;
        }
        let Ok(stat) = files::lstat(path) else { return };
        if stat.is_dir() || !self.kind_counts(dir, path, name, &stat, now, out) {
            return;
        }
        let writing = has_writer(&stat);
        let facts = self.take_in(dir, path, name, &stat, writing, now, out);
        let kind = if writing { ChangeKind::Written } else { ChangeKind::Appeared };
        self.emit(path, kind, facts, now, out);
    }

    fn closed(&mut self, dir: DirId, path: &Path, name: &[u8], now: Instant, out: &mut Vec<Seen>) {
        let known = self.entry(dir, name).copied();
        if known.is_none() && !self.file_counts(dir, path, EntryKind::File, out) {
            return;
        }
        let Ok(stat) = files::lstat(path) else { return };
        if stat.is_dir() || !self.kind_counts(dir, path, name, &stat, now, out) {
            return;
        }
        let kind = match known {
            Some(record) if record.open() => ChangeKind::Closed,
            // Written by way of a mapping, or `touch`, which opens and closes.
            Some(record) if record.mtime != stat.mtime => self.touch_or_write(path, now),
            Some(record) if !record.is_dir() => {
                if let Some(record) = self.entry_mut(dir, name) {
                    record.see(&stat);
                }
                return;
            }
            _ => ChangeKind::Closed,
        };
        self.mind_delay(&stat, now);
        let facts = self.take_in(dir, path, name, &stat, false, now, out);
        self.emit(path, kind, facts, now, out);
    }

    /// A close without a write: a mapping was released, or times set right after a write (see above).
    fn touch_or_write(&self, path: &Path, now: Instant) -> ChangeKind {
        if self.contents.just_written(path, now) { ChangeKind::Closed } else { ChangeKind::Touched }
    }

    fn metadata(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Some(record) = self.entry(dir, name).copied() else { return };
        if let Some(id) = DirId::of(&record) {
            self.check_readable(id, path, out);
            return;
        }
        if record.open() {
            return;
        }
        let Ok(stat) = files::lstat(path) else { return };
        if stat.kind != record.kind() {
            return;
        }
        if let Some(record) = self.entry_mut(dir, name) {
            record.see(&stat);
        }
        // Times set right after a write belong to the save (`cp -p`, `rsync`, `tar`), which was told.
        if record.mtime != stat.mtime && !self.contents.just_written(path, now) {
            let facts = self.facts(dir, name);
            self.emit(path, ChangeKind::Touched, facts, now, out);
        }
    }

    /// The mode of a directory may have changed: unreadable is said once, readable again is taken up.
    pub(super) fn check_readable(&mut self, id: DirId, path: &Path, out: &mut Vec<Seen>) {
        let readable = files::can_list(path);
        let Some(dir) = self.table.dir_mut(id) else { return };
        let was = !dir.unreadable;
        dir.unreadable = !readable;
        if was && !readable {
            let error = std::io::Error::from_raw_os_error(errno::EACCES).to_string();
            out.push(Seen::Say(Notice::Unreadable { path: Arc::from(path), error }));
        } else if !was && readable {
            self.look_at(id, path, Why::New);
        }
    }

    /// Compares one path with the table. `hint`: what was said about it.
    pub(super) fn recheck(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        hint: RawKind,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let Ok(stat) = files::lstat(path) else {
            let away = hint == RawKind::From;
            let kind = if away { ChangeKind::RenamedAway } else { ChangeKind::Removed };
            self.remove_entry(dir, name, path, kind, now, out);
            return;
        };
        let known = self.entry(dir, name).copied();
        if stat.is_dir() {
            let whole = hint == RawKind::To;
            if whole || known.is_none_or(|record| !record.is_dir()) {
                self.directory_came(dir, path, name, whole, now, out);
            }
            return;
        }
        let same = known.is_some_and(|record| !record.is_dir() && record.print == stat.print());
        if same || !self.kind_counts(dir, path, name, &stat, now, out) {
            return;
        }
        let writing = matches!(hint, RawKind::Create | RawKind::Data) && has_writer(&stat);
        let facts = self.take_in(dir, path, name, &stat, writing, now, out);
        let kind = match hint {
            _ if writing => ChangeKind::Written,
            RawKind::Close => ChangeKind::Closed,
            _ => ChangeKind::Appeared,
        };
        self.emit(path, kind, facts, now, out);
    }

    /// A file or a directory whose appearance changes the rules.
    fn watch_rule_names(
        &mut self,
        dir: DirId,
        path: &Path,
        name: &[u8],
        kind: RawKind,
        out: &mut Vec<Seen>,
    ) {
        use crate::filter::{CACHEDIR_TAG, IGNORE_FILES, PROJECT_FILES};
        let is = |known: &&str| known.as_bytes() == name;
        let complete = !matches!(kind, RawKind::Data | RawKind::Metadata);
        if !complete || self.table.only(dir).is_some() {
            return;
        }
        let ignore_file = IGNORE_FILES.iter().any(is) && kind != RawKind::Create;
        let matters = if ignore_file {
            self.ground.filter.spec().gitignore
        } else if is(&CACHEDIR_TAG) {
            kind != RawKind::Create
        } else {
            PROJECT_FILES.iter().any(is) && self.project_matters(dir, path)
        };
        if !matters {
            return;
        }
        if ignore_file {
            out.push(Seen::RulesChanged);
        }
        self.ruled = Timestamp::of(path);
        if let Some(path) = path.parent() {
            self.look_at(dir, path, Why::Rules);
        }
    }

    /// Whether a project file that came or went changes what `target` beside it is.
    fn project_matters(&self, dir: DirId, path: &Path) -> bool {
        let Some(parent) = path.parent() else { return false };
        let project = crate::filter::PROJECT_FILES
            .iter()
            .any(|name| files::lstat(&parent.join(name)).is_ok());
        let target = parent.join("target");
        match self.deciding_rule(dir, &target, EntryKind::Directory) {
            None => project && self.entry(dir, b"target").is_some_and(Record::is_dir),
            Some(rule) => !project && rule.is_some_and(|rule| rule.kind == RuleKind::BuiltIn),
        }
    }

    /// Says a root's own event.
    fn on_root(&mut self, path: &Path, kind: RawKind, now: Instant, out: &mut Vec<Seen>) {
        match kind {
            RawKind::Metadata => {
                if let Some(root) = self.table.root(path) {
                    self.check_readable(root, path, out);
                }
            }
            RawKind::Data | RawKind::Close => {}
            _ => self.root_moved(path, now, out),
        }
    }

    /// Every file below a directory is gone.
    pub(super) fn everything_gone(&mut self, path: &Path, now: Instant, out: &mut Vec<Seen>) {
        let Some(root) = self.table.root(path) else { return };
        let names: Vec<Box<[u8]>> = self
            .table
            .dir(root)
            .map(|dir| dir.entries.iter().map(|(name, _)| name.into()).collect())
            .unwrap_or_default();
        for name in names {
            let below = path.join(os_str(&name));
            self.remove_entry(root, &name, &below, ChangeKind::Removed, now, out);
        }
    }
}
