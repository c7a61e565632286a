//! The one way in which changes leave the engine.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Instant;

use super::entries::Record;
use super::table::DirId;
use super::{Seen, Watch};
use crate::filter::temporary_among;
use crate::model::{Change, ChangeKind, Facts};
use crate::sys::bytes::os_str;

impl Watch {
    /// Tells a change.
    pub(super) fn emit(
        &mut self,
        path: &Path,
        kind: ChangeKind,
        facts: Facts,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        if kind != ChangeKind::Touched && self.roots.has_moved(path) {
            out.push(Seen::LinkMoved);
        }
        let path = self.contents.note(path, kind, now);
        out.push(Seen::Change(Change { path, kind, facts }));
    }

    /// What is known about an entry besides the event.
    pub(super) fn facts(&self, dir: DirId, name: &[u8]) -> Facts {
        self.entry(dir, name).map_or_else(Facts::default, |record| self.facts_of(dir, name, record))
    }

    /// The same with the entry at hand.
    pub(super) fn facts_of(&self, dir: DirId, name: &[u8], record: &Record) -> Facts {
        let new = self.contents.is_new(record.born);
        // An editor may have made the sibling the temporary by a rename: then it is away for a moment.
        let was_there = |other: &OsStr| {
            let path = || Some(self.table.path(dir)?.join(other));
            self.contents.misses_any() && path().is_some_and(|path| self.contents.misses(&path))
        };
        let temporary = new
            && temporary_among(os_str(name), |other| {
                self.entry(dir, other.as_encoded_bytes()).is_some() || was_there(other)
            });
        Facts { new, temporary, emptied: record.emptied(), found: false }
    }

    /// Tells of a file that is no more, and remembers what the last run saw of it.
    pub(super) fn emit_gone(
        &mut self,
        path: &Path,
        record: &Record,
        kind: ChangeKind,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let new = self.contents.forget(path, record, now);
        self.emit(path, kind, Facts { new, ..Facts::default() }, now, out);
    }

    /// Takes an entry and all below it out of the table, telling every file.
    pub(super) fn remove_entry(
        &mut self,
        dir: DirId,
        name: &[u8],
        path: &Path,
        kind: ChangeKind,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        let mut gone = Vec::new();
        self.table
            .remove(dir, name, path, &mut |path, record| gone.push((path.to_path_buf(), *record)));
        for (path, record) in gone {
            self.emit_gone(&path, &record, kind, now, out);
        }
    }
}
