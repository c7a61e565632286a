//! The paths that settling knows something about, each in one of a few lists ordered by time.
//!
//! "When does the last open writer fall silent?" and the like must not scan 100,000 paths at each
//! change. Each path is in at most one list, and a change always moves its path to the tail of one,
//! so every list is ordered by its last events and the answer is its tail. All steps take the same
//! time whatever the number of paths. (Only among complete paths a noisy one that fell silent, or one
//! that was put back, may stand behind newer ones; nothing waits for those.)

use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::numbers::{HOLD_EMPTIED, HOLD_HALF, WRITER_SILENCE};
use super::sweep::Mark;
use crate::model::ChangeKind;

/// Where a path stands; also the list it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is expected of it.
    Complete,
    /// A writer has it open.
    Writing,
    /// A new temporary that a writer has open: nothing that a run is to know of, unless it stays as it is.
    Draft,
    /// A new temporary that is complete: it may be about to go, or to be renamed.
    Beside,
    /// The name went away: the other half of a save may follow.
    Half,
    /// The file became empty: its content may follow.
    Emptied,
    /// The file forced a batch out and is still being written: other files do not wait for it.
    Noisy,
    /// In no list: a name that came and went between two batches.
    Out,
}

impl Stage {
    /// How long it holds a batch after the last event of its path.
    pub(super) fn hold(self) -> Option<Duration> {
        match self {
            // (A draft holds nobody for long: `Settle::complete_at`.)
            Stage::Writing | Stage::Draft => Some(WRITER_SILENCE),
            Stage::Half | Stage::Beside => Some(HOLD_HALF),
            Stage::Emptied => Some(HOLD_EMPTIED),
            Stage::Complete | Stage::Noisy | Stage::Out => None,
        }
    }
}

const LISTS: usize = 7;
const NIL: u32 = u32::MAX;

/// What one path contributes to the next batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) kind: ChangeKind,
    /// Its first change.
    pub(super) first: Instant,
    /// Orders the batch by first change.
    pub(super) seq: i64,
    /// The path did not exist for the last run.
    pub(super) fresh: bool,
    /// Its name looked like a temporary at some time (the sibling may be gone by now).
    pub(super) temporary: bool,
    /// What the runs before had to do with it.
    pub(super) mark: Mark,
}

/// One path.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) path: Arc<Path>,
    pub(super) stage: Stage,
    /// Its last event.
    pub(super) at: Instant,
    /// Its first event since it is known.
    pub(super) since: Instant,
    pub(super) pending: Option<Pending>,
    /// Complete saves since it is known.
    pub(super) repeats: u32,
    /// Noisy by complete saves one after the other: closing ends nothing.
    pub(super) repeating: bool,
    /// A batch with this path has been handed out since it is known.
    pub(super) handed: bool,
    prev: u32,
    next: u32,
}

impl Slot {
    /// Its stage, as far as it still holds.
    pub(super) fn standing(&self, now: Instant) -> Stage {
        match self.stage.hold() {
            Some(hold) if self.at + hold <= now => Stage::Complete,
            _ => self.stage,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

/// All paths that settling knows something about.
#[derive(Debug)]
pub(super) struct Table {
    /// Places by path. It holds no paths itself: to let go of a storm's would be a cache miss for each.
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    slots: Vec<Slot>,
    lists: [List; LISTS],
    /// List steps so far, to show that a change costs the same at any size.
    #[cfg(test)]
    pub(super) steps: std::cell::Cell<u64>,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            slots: Vec::new(),
            lists: [List { head: NIL, tail: NIL }; LISTS],
            #[cfg(test)]
            steps: std::cell::Cell::new(0),
        }
    }
}

impl Table {
    /// The place of a path, made if it is not known yet (in no list).
    pub(super) fn place(&mut self, path: &Arc<Path>, now: Instant) -> u32 {
        if let Some(at) = self.find(path) {
            return at;
        }
        self.admit(Slot {
            path: Arc::clone(path),
            stage: Stage::Out,
            at: now,
            since: now,
            pending: None,
            repeats: 0,
            repeating: false,
            handed: false,
            prev: NIL,
            next: NIL,
        })
    }

    /// The place of a path that is known.
    pub(super) fn find(&self, path: &Path) -> Option<u32> {
        let is_it = |at: &u32| self.slots[*at as usize].path.as_os_str() == path.as_os_str();
        self.index.find(self.hash(path), is_it).copied()
    }

    fn admit(&mut self, slot: Slot) -> u32 {
        // More than 4 billion paths between two batches can't be: they would not fit into memory.
        let at = u32::try_from(self.slots.len()).unwrap_or(NIL - 1);
        let hash = self.hash(&slot.path);
        self.slots.push(slot);
        let Self { index, hasher, slots, .. } = self;
        let hash_of = |at: &u32| hasher.hash_one(slots[*at as usize].path.as_os_str());
        index.insert_unique(hash, at, hash_of);
        at
    }

    /// By its bytes: by components it would take longer than all else that is done.
    fn hash(&self, path: &Path) -> u64 {
        self.hasher.hash_one(path.as_os_str())
    }

    pub(super) fn get(&self, at: u32) -> &Slot {
        &self.slots[at as usize]
    }

    pub(super) fn get_mut(&mut self, at: u32) -> &mut Slot {
        &mut self.slots[at as usize]
    }

    /// Puts a path at the tail of a list (or into none) with its last event at `now`.
    pub(super) fn shift(&mut self, at: u32, stage: Stage, now: Instant) {
        self.unlink(at);
        let slot = &mut self.slots[at as usize];
        slot.stage = stage;
        slot.at = now;
        self.link(at);
    }

    fn link(&mut self, at: u32) {
        self.count();
        let stage = self.slots[at as usize].stage;
        let Some(list) = list_of(stage) else { return };
        let tail = self.lists[list].tail;
        let slot = &mut self.slots[at as usize];
        slot.prev = tail;
        slot.next = NIL;
        match tail {
            NIL => self.lists[list].head = at,
            tail => self.slots[tail as usize].next = at,
        }
        self.lists[list].tail = at;
    }

    fn unlink(&mut self, at: u32) {
        self.count();
        let Slot { stage, prev, next, .. } = self.slots[at as usize];
        let Some(list) = list_of(stage) else { return };
        match prev {
            NIL => self.lists[list].head = next,
            prev => self.slots[prev as usize].next = next,
        }
        match next {
            NIL => self.lists[list].tail = prev,
            next => self.slots[next as usize].prev = prev,
        }
    }

    /// The path of a list with the latest event.
    pub(super) fn newest(&self, stage: Stage) -> Option<&Slot> {
        self.slot(self.lists[list_of(stage)?].tail)
    }

    /// The place of the path of a list with the earliest event.
    pub(super) fn oldest(&self, stage: Stage) -> Option<u32> {
        let head = self.lists[list_of(stage)?].head;
        (head != NIL).then_some(head)
    }

    /// The places of a list whose events are later than `after`, newest first.
    pub(super) fn later_than(&self, stage: Stage, after: Option<Instant>) -> Vec<u32> {
        let mut found = Vec::new();
        let mut at = list_of(stage).map_or(NIL, |list| self.lists[list].tail);
        while let Some(slot) = self.slot(at) {
            if after.is_some_and(|after| slot.at <= after) {
                break;
            }
            self.count();
            found.push(at);
            at = slot.prev;
        }
        found
    }

    /// The pending path whose first change came first.
    pub(super) fn first_pending(&self) -> Option<Arc<Path>> {
        let slots = self.slots.iter().filter(|slot| slot.stage != Stage::Draft);
        let pending = slots.filter_map(|slot| Some((slot.pending?.seq, &slot.path)));
        pending.min_by_key(|(seq, _)| *seq).map(|(_, path)| Arc::clone(path))
    }

    fn slot(&self, at: u32) -> Option<&Slot> {
        self.slots.get(at as usize)
    }

    /// Empties the table and returns what was in it. The places `keep`, given oldest first, stay with
    /// nothing pending; the places `leave`, likewise, stay as they are and are not returned as pending.
    pub(super) fn turn(&mut self, keep: &[u32], leave: &[u32]) -> Vec<Slot> {
        let mut old = std::mem::take(&mut self.slots);
        self.lists = [List { head: NIL, tail: NIL }; LISTS];
        // What a storm needed is not kept for ever.
        if self.index.capacity() > 4096 {
            self.index = HashTable::new();
        } else {
            self.index.clear();
        }
        for &at in keep {
            let mut slot = old[at as usize].clone();
            slot.pending = None;
            slot.handed = true;
            let at = self.admit(slot);
            self.link(at);
        }
        for &at in leave {
            let slot = old[at as usize].clone();
            old[at as usize].pending = None;
            let at = self.admit(slot);
            self.link(at);
        }
        old
    }

    fn count(&self) {
        #[cfg(test)]
        self.steps.set(self.steps.get() + 1);
    }
}

fn list_of(stage: Stage) -> Option<usize> {
    match stage {
        Stage::Complete => Some(0),
        Stage::Writing => Some(1),
        Stage::Half => Some(2),
        Stage::Emptied => Some(3),
        Stage::Noisy => Some(4),
        Stage::Draft => Some(5),
        Stage::Beside => Some(6),
        Stage::Out => None,
    }
}

#[cfg(test)]
impl Table {
    /// The latest event of a list, once by looking at every path and once as the list says.
    pub(super) fn newest_both_ways(&self, stage: Stage) -> (Option<Instant>, Option<Instant>) {
        let all = self.slots.iter().filter(|slot| slot.stage == stage);
        (all.map(|slot| slot.at).max(), self.newest(stage).map(|slot| slot.at))
    }

    /// A path that is known from before the last batch.
    pub(super) fn was_handed(&self, path: &Path) -> bool {
        self.find(path).is_some_and(|at| self.get(at).handed)
    }

    /// The noisy paths.
    pub(super) fn noisy(&self) -> Vec<String> {
        let noisy = self.slots.iter().filter(|slot| slot.stage == Stage::Noisy);
        noisy.map(|slot| slot.path.display().to_string()).collect()
    }

    /// Pending paths, counted.
    pub(super) fn pending(&self) -> usize {
        self.slots.iter().filter(|slot| slot.pending.is_some()).count()
    }
}
