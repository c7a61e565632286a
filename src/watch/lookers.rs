//! Looking at many directories: the threads that do it while the walker has the next ones watched.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::list::{Further, Ground, Job, Scratch, look};
use super::message::{Arming, Inner, Listing, Message, Outcome};
use crate::sys::thread;

/// A directory whose watch is on, and since when.
pub(super) type Watched = (Job, i64);

/// What looks give besides what the owner is told: of which walk.
pub(super) type Looked = Vec<(u32, Further)>;

/// Directories that are looked at by one thread, and of which the owner is told, in one go.
const TOLD: usize = 16;

/// Watched directories that are looked at together, by these rules.
#[derive(Debug)]
pub(super) struct Chunk {
    ground: Arc<Ground>,
    watched: Vec<Watched>,
}

/// What is watched and waits to be looked at.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Chunk>,
    over: bool,
}

impl Queue {
    /// Returns in how many chunks.
    pub(super) fn put(&self, ground: &Arc<Ground>, watched: Vec<Watched>) -> usize {
        let mut watched = watched.into_iter();
        let chunk = || {
            let watched: Vec<_> = watched.by_ref().take(TOLD).collect();
            (!watched.is_empty()).then(|| Chunk { ground: Arc::clone(ground), watched })
        };
        let chunks: Vec<Chunk> = std::iter::from_fn(chunk).collect();
        let many = chunks.len();
        self.lock().chunks.extend(chunks);
        self.changed.notify_all();
        many
    }

    /// Whether fewer directories than this wait.
    pub(super) fn is_below(&self, directories: usize) -> bool {
        self.lock().chunks.len() * TOLD < directories
    }

    pub(super) fn next(&self) -> Option<Chunk> {
        self.lock().chunks.pop_front()
    }

    /// Waits for it; `None` when nothing comes any more.
    fn wait(&self) -> Option<Chunk> {
        let waits = |state: &mut State| state.chunks.is_empty() && !state.over;
        let state = self.changed.wait_while(self.lock(), waits);
        state.unwrap_or_else(PoisonError::into_inner).chunks.pop_front()
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work of one thread, until the queue is closed. Its CPU time is added to `spent`, in nanoseconds.
pub(super) fn work(
    queue: &Queue,
    owner: &UnboundedSender<Message>,
    spent: &AtomicU64,
    results: &Sender<Looked>,
) {
    let mut scratch = Scratch::default();
    let mut before = 0;
    while let Some(chunk) = queue.wait() {
        let looked = look_at(chunk, &mut scratch, owner);
        let now = u64::try_from(thread::cpu_time().as_nanos()).unwrap_or(u64::MAX);
        spent.fetch_add(now.saturating_sub(before), Ordering::Relaxed);
        before = now;
        // The walker takes results for as long as there are lookers.
        let _ = results.send(looked);
    }
}

/// Looks at a chunk and tells the owner.
pub(super) fn look_at(
    chunk: Chunk,
    scratch: &mut Scratch,
    owner: &UnboundedSender<Message>,
) -> Looked {
    let (looked, listings) = look_at_each(&chunk.ground, chunk.watched, scratch);
    // The owner is gone only when the program ends.
    let _ = owner.send(Message(Inner::Listings(listings)));
    looked
}

/// Looks, and leaves it to the caller when the owner is told.
pub(super) fn look_at_each(
    ground: &Ground,
    watched: Vec<Watched>,
    scratch: &mut Scratch,
) -> (Looked, Vec<Listing>) {
    watched.into_iter().map(|watched| look_at_one(ground, watched, scratch)).unzip()
}

fn look_at_one(
    ground: &Ground,
    (job, armed_at): Watched,
    scratch: &mut Scratch,
) -> ((u32, Further), Listing) {
    let (outcome, mut further) = look(ground, &job, armed_at, scratch);
    // A directory that turns out to be ignored may have to be watched for something else: the owner knows.
    if job.arming == Arming::Watch && matches!(outcome, Outcome::Gone) {
        further.disarm = Some(job.path.clone());
    }
    let Job { ticket, walk, path, arming, .. } = job;
    ((walk, further), Listing { ticket, walk, path, arming, outcome })
}
