//! The entries of one directory by name, compactly: most directories have a few, and there are many of them.

use hashbrown::HashMap;

use crate::model::EntryKind;
use crate::sys::files::Stat;

/// Up to this many entries are searched one by one in two small allocations; more are hashed.
const FEW: usize = 48;

/// Whether a writer of this file tells when it is done: a regular file with one name. Links, sockets,
/// FIFOs are complete at once; a file with several names may be written under another one.
pub(crate) fn has_writer(stat: &Stat) -> bool {
    stat.kind == EntryKind::File && stat.links == 1
}

/// What the table keeps about one entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// A file's modification time in nanoseconds; a directory's number (see [`Record::number`]).
    pub(crate) mtime: i64,
    /// Hash of the content that the last run saw; 0 when that is unknown.
    pub(crate) hash: u64,
    /// Fingerprint of the state ([`Stat::print`]).
    pub(crate) print: u32,
    /// The epoch (see [`super::contents`]) in which the name appeared; 0: it was there at the start.
    pub(crate) born: u32,
    offset: u32,
    /// Of the name ([`tag`]).
    tag: u16,
    length: u8,
    flags: u8,
}

const KIND: u8 = 0b11;
const OPEN: u8 = 1 << 2;
const EMPTY: u8 = 1 << 3;
const EMPTIED: u8 = 1 << 4;
const WRITER: u8 = 1 << 5;

impl Record {
    /// A directory; `number` is its place in the table, or the ticket of its listing.
    pub(crate) fn directory(number: u64) -> Self {
        let mut record = Self::blank(EntryKind::Directory);
        record.mtime = number as i64;
        record
    }

    /// Anything but a directory, in the given state.
    pub(crate) fn file(stat: &Stat, born: u32) -> Self {
        let mut record = Self::blank(stat.kind);
        record.born = born;
        record.see(stat);
        record.set(EMPTIED, false);
        record
    }

    /// This state with another past.
    pub(crate) fn with(self, born: u32, hash: u64) -> Self {
        Self { born, hash, ..self }
    }

    /// This state as one that follows another: a file that was not empty before may have become so.
    pub(crate) fn after(mut self, old: &Self) -> Self {
        let emptied = self.has(EMPTY) && (old.emptied() || !old.has(EMPTY));
        self.set(EMPTIED, emptied);
        self
    }

    /// This state as the first one: an empty file has become so.
    pub(crate) fn after_nothing(mut self) -> Self {
        self.set(EMPTIED, self.has(EMPTY));
        self
    }

    fn blank(kind: EntryKind) -> Self {
        let flags = match kind {
            EntryKind::File => 0,
            EntryKind::Link => 1,
            EntryKind::Other => 2,
            EntryKind::Directory => 3,
        };
        Self { mtime: 0, hash: 0, print: 0, born: 0, offset: 0, tag: 0, length: 0, flags }
    }

    /// Takes over a new state; the kind must be the same.
    pub(crate) fn see(&mut self, stat: &Stat) {
        let empty = stat.kind == EntryKind::File && stat.size == 0;
        if empty && !self.has(EMPTY) {
            self.set(EMPTIED, true);
        } else if !empty {
            self.set(EMPTIED, false);
        }
        self.set(EMPTY, empty);
        self.set(WRITER, has_writer(stat));
        self.mtime = stat.mtime;
        self.print = stat.print();
    }

    pub(crate) fn kind(&self) -> EntryKind {
        match self.flags & KIND {
            0 => EntryKind::File,
            1 => EntryKind::Link,
            2 => EntryKind::Other,
            _ => EntryKind::Directory,
        }
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.flags & KIND == KIND
    }

    /// A directory's number.
    pub(crate) fn number(&self) -> u64 {
        self.mtime as u64
    }

    pub(crate) fn set_number(&mut self, number: u64) {
        self.mtime = number as i64;
    }

    /// Whether a writer of it tells when it is done ([`has_writer`]).
    pub(crate) fn has_writer(&self) -> bool {
        self.has(WRITER)
    }

    /// Whether a writer has the file open.
    pub(crate) fn open(&self) -> bool {
        self.has(OPEN)
    }

    pub(crate) fn set_open(&mut self, open: bool) {
        self.set(OPEN, open);
    }

    /// Whether the file is empty and was not before.
    pub(crate) fn emptied(&self) -> bool {
        self.has(EMPTIED)
    }

    /// Takes the emptiness of the file for nothing new from now on.
    pub(crate) fn settle(&mut self) {
        self.set(EMPTIED, false);
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn set(&mut self, flag: u8, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }
}

/// The entries of one directory.
#[derive(Debug)]
pub(crate) enum Entries {
    Few(Few),
    /// Boxed, because most directories are not so large and all would take its size.
    Many(Box<HashMap<Box<[u8]>, Record>>),
}

/// A short list: records, and their names one after the other.
#[derive(Debug, Default)]
pub(crate) struct Few {
    names: Vec<u8>,
    records: Vec<Record>,
}

impl Default for Entries {
    fn default() -> Self {
        Self::Few(Few::default())
    }
}

/// A number that tells most names of a directory apart, so that a search compares one name.
fn tag(name: &[u8]) -> u16 {
    name.iter().fold(0, |tag: u16, byte| tag.rotate_left(5) ^ u16::from(*byte))
}

impl Few {
    fn name(&self, record: &Record) -> &[u8] {
        let start = record.offset as usize;
        self.names.get(start..start + usize::from(record.length)).unwrap_or_default()
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        let tag = tag(name);
        self.records.iter().position(|record| {
            record.tag == tag
                && usize::from(record.length) == name.len()
                && self.name(record) == name
        })
    }

    fn push(&mut self, name: &[u8], mut record: Record) {
        record.offset = self.names.len() as u32;
        record.length = name.len() as u8;
        record.tag = tag(name);
        self.names.extend_from_slice(name);
        self.records.push(record);
    }

    fn remove(&mut self, position: usize) -> Record {
        let removed = self.records.swap_remove(position);
        let (start, length) = (removed.offset as usize, usize::from(removed.length));
        self.names.drain(start..start + length);
        for record in &mut self.records {
            if record.offset > removed.offset {
                record.offset -= u32::from(removed.length);
            }
        }
        removed
    }
}

impl Entries {
    /// An empty list with room for a series of [`Entries::append`]: so many records, with names of so many bytes.
    pub(crate) fn with_capacity(records: usize, names: usize) -> Self {
        Self::Few(Few { names: Vec::with_capacity(names), records: Vec::with_capacity(records) })
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Record> {
        match self {
            Self::Few(few) => few.position(name).and_then(|at| few.records.get(at)),
            Self::Many(map) => map.get(name),
        }
    }

    pub(crate) fn get_mut(&mut self, name: &[u8]) -> Option<&mut Record> {
        match self {
            Self::Few(few) => few.position(name).and_then(|at| few.records.get_mut(at)),
            Self::Many(map) => map.get_mut(name),
        }
    }

    /// Adds an entry, or replaces it. Names longer than 255 bytes do not exist on any file system that
    /// we know; such a one is not taken in.
    pub(crate) fn insert(&mut self, name: &[u8], record: Record) {
        if name.len() > usize::from(u8::MAX) {
            return;
        }
        match self {
            Self::Many(map) => {
                map.insert(name.into(), record);
            }
            Self::Few(few) => {
                if let Some(at) = few.position(name) {
                    let Record { offset, tag, length, .. } = few.records[at];
                    few.records[at] = Record { offset, tag, length, ..record };
                    return;
                }
                few.push(name, record);
                if few.records.len() > FEW {
                    self.grow();
                }
            }
        }
    }

    /// Adds an entry that is known to be new, without a search. Call [`Entries::finish`] at the end.
    pub(crate) fn append(&mut self, name: &[u8], record: Record) {
        match self {
            Self::Few(few) if name.len() <= usize::from(u8::MAX) => few.push(name, record),
            Self::Few(_) => {}
            Self::Many(_) => self.insert(name, record),
        }
    }

    /// Ends a series of [`Entries::append`]: exact allocations, or a hash table when there are many.
    pub(crate) fn finish(&mut self) {
        match self {
            Self::Few(few) if few.records.len() <= FEW => {
                few.names.shrink_to_fit();
                few.records.shrink_to_fit();
            }
            Self::Few(_) => self.grow(),
            Self::Many(_) => {}
        }
    }

    fn grow(&mut self) {
        if let Self::Few(few) = self {
            let entries = few.records.iter().map(|record| (few.name(record).into(), *record));
            *self = Self::Many(Box::new(entries.collect()));
        }
    }

    pub(crate) fn remove(&mut self, name: &[u8]) -> Option<Record> {
        match self {
            Self::Few(few) => few.position(name).map(|at| few.remove(at)),
            Self::Many(map) => map.remove(name),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.records.len(),
            Self::Many(map) => map.len(),
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Few(few) => Iter::Few(few, few.records.iter()),
            Self::Many(map) => Iter::Many(map.iter()),
        }
    }

    /// Changes every record.
    pub(crate) fn for_each_mut(&mut self, change: impl FnMut(&mut Record)) {
        match self {
            Self::Few(few) => few.records.iter_mut().for_each(change),
            Self::Many(map) => map.values_mut().for_each(change),
        }
    }
}

/// The entries of a directory in no particular order.
pub(crate) enum Iter<'a> {
    Few(&'a Few, std::slice::Iter<'a, Record>),
    Many(hashbrown::hash_map::Iter<'a, Box<[u8]>, Record>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a Record);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(few, records) => records.next().map(|record| (few.name(record), record)),
            Self::Many(map) => map.next().map(|(name, record)| (&**name, record)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_takes_thirty_two_bytes() {
        assert_eq!(size_of::<Record>(), 32);
    }

    #[test]
    fn entries_behave_like_a_map_while_they_grow_and_shrink() {
        for count in [0usize, 1, 2, FEW - 1, FEW, FEW + 1, 300] {
            let mut entries = Entries::default();
            for i in 0..count {
                entries.insert(format!("file-{i}").as_bytes(), Record::directory(i as u64));
            }
            for i in (0..count).step_by(2) {
                let removed = entries.remove(format!("file-{i}").as_bytes());
                assert_eq!(removed.map(|record| record.number()), Some(i as u64));
            }
            assert_eq!(entries.len(), count / 2);
            for i in 0..count {
                let found = entries.get(format!("file-{i}").as_bytes()).map(Record::number);
                assert_eq!(found, (i % 2 == 1).then_some(i as u64), "{i} of {count}");
            }
            let mut names: Vec<_> = entries.iter().map(|(name, _)| name.to_vec()).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count / 2);
        }
    }

    #[test]
    fn inserting_a_known_name_replaces_its_record() {
        let mut entries = Entries::default();
        entries.insert(b"a", Record::directory(1));
        entries.insert(b"b", Record::directory(2));
        entries.insert(b"a", Record::directory(3));
        assert_eq!(entries.len(), 2);
        assert_eq!(entries.get(b"a").map(Record::number), Some(3));
        assert_eq!(entries.get(b"b").map(Record::number), Some(2));
    }

    #[test]
    fn names_of_255_bytes_and_odd_bytes_are_exact() {
        let mut entries = Entries::default();
        let long = [0xff; 255];
        entries.insert(&long, Record::directory(1));
        entries.insert(b"new\nline", Record::directory(2));
        entries.insert(&[b'x'; 256], Record::directory(3));
        assert_eq!(entries.get(&long).map(Record::number), Some(1));
        assert_eq!(entries.get(b"new\nline").map(Record::number), Some(2));
        assert_eq!(entries.len(), 2);
    }
}
