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

/// What looks give besides what the owner is told, each with its walk.
pub(super) type Looked = Vec<(u32, Further)>;

/// The number of directories that one thread looks at in one go. The owner is told of them together.
const TOLD: usize = 16;

/// Watched directories that are looked at together, by these rules.
#[derive(Debug)]
pub(super) struct Chunk {
    ground: Arc<Ground>,
    watched: Vec<Watched>,
}

/// Watched directories that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Queue {
    chunks: Mutex<Chunks>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Chunks {
    waiting: VecDeque<Chunk>,
    over: bool,
}

impl Queue {
    /// Puts watched directories in. In how many chunks.
    pub(super) fn put(&self, ground: &Arc<Ground>, watched: Vec<Watched>) -> usize {
        let mut watched = watched.into_iter();
        let chunk = || {
            let watched: Vec<_> = watched.by_ref().take(TOLD).collect();
            (!watched.is_empty()).then(|| Chunk { ground: Arc::clone(ground), watched })
        };
        let chunks: Vec<Chunk> = std::iter::from_fn(chunk).collect();
        let many = chunks.len();
        self.lock().waiting.extend(chunks);
        self.changed.notify_all();
        many
    }

    /// Whether fewer directories than this wait.
    pub(super) fn is_below(&self, directories: usize) -> bool {
        self.lock().waiting.len() * TOLD < directories
    }

    pub(super) fn next(&self) -> Option<Chunk> {
        self.lock().waiting.pop_front()
    }

    /// Waits for the next chunk; `None` when no more come.
    fn wait(&self) -> Option<Chunk> {
        let waits = |chunks: &mut Chunks| chunks.waiting.is_empty() && !chunks.over;
        let chunks = self.changed.wait_while(self.lock(), waits);
        chunks.unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }

    /// No more chunks come.
    pub(super) fn close(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Chunks> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
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
