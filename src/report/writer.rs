//! Getting bytes to standard error without ever waiting for its reader.
//!
//! A line is written directly when that can't block. Otherwise it goes into a bounded queue, and a thread
//! that is started at the first need writes it when the reader reads again. What can't be written for
//! good (the reader went away, the terminal was closed) ends the writer: from then on it swallows
//! everything, at no cost.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::model::Level;
use crate::sys::output::{self, AT_ONCE, Kind, Stream};

/// The memory that unread lines may take.
const QUEUE_BYTES: usize = 256 * 1024;

/// Makes the line that tells the number of lines that were dropped.
type DroppedLine = Box<dyn Fn(u64) -> Vec<u8> + Send>;

/// The way to standard error.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: bool,
}

struct Shared {
    target: Target,
    backlog: Mutex<Backlog>,
    /// Signals that the queue has something for the thread, or has become empty.
    moved: Condvar,
}

/// The lines that wait, and what is known of the reader.
#[derive(Default)]
struct Backlog {
    queue: VecDeque<KeptLine>,
    bytes: usize,
    /// Whether the thread holds a line that it is writing.
    writing: bool,
    /// The number of lines that were dropped since the last line about that.
    dropped: u64,
    dropped_line: Option<DroppedLine>,
    /// Whether nothing can be written any more.
    closed: bool,
}

/// A line that waits.
struct KeptLine {
    bytes: Vec<u8>,
    /// The level of a line that may be dropped; the rest of one that is half written has none.
    level: Option<Level>,
}

/// The output that the lines go to.
struct Target {
    output: Stream,
    /// Whether the output may block and is asked before each write.
    asked: bool,
}

/// The result of a write that does not wait.
enum Attempt {
    /// Everything is written.
    All,
    /// This many bytes are; the rest has to wait.
    Some(usize),
    /// Nothing can be written any more.
    Never,
}

impl Writer {
    /// A writer to standard error.
    pub(super) fn stderr() -> Self {
        Self::to(Target::of(output::stderr()))
    }

    fn to(target: Target) -> Self {
        let shared =
            Shared { target, backlog: Mutex::new(Backlog::default()), moved: Condvar::new() };
        Self { shared: Arc::new(shared), thread: false }
    }

    /// Sets how the line about dropped lines is made.
    pub(super) fn when_dropped(&self, line: DroppedLine) {
        self.shared.lock().dropped_line = Some(line);
    }

    /// Writes one line (or block) now or, in the same order, later. Never blocks.
    pub(super) fn write(&mut self, bytes: Vec<u8>, level: Level) {
        if bytes.is_empty() {
            return;
        }
        let mut backlog = self.shared.lock();
        if backlog.closed {
            return;
        }
        let mut line = KeptLine { bytes, level: Some(level) };
        if backlog.idle() {
            match self.shared.target.try_write(&line.bytes) {
                Attempt::All => return,
                Attempt::Never => return backlog.close(),
                Attempt::Some(0) => {}
                Attempt::Some(n) => {
                    line.bytes.drain(..n);
                    line.level = None;
                }
            }
        }
        backlog.push(line);
        drop(backlog);
        if !self.thread {
            self.start();
        }
        self.shared.moved.notify_all();
    }

    /// Waits until everything is written, at most this long, and tells whether it is.
    pub(super) fn flush(&self, within: Duration) -> bool {
        let backlog = self.shared.lock();
        let waited = self
            .shared
            .moved
            .wait_timeout_while(backlog, within, |backlog| !backlog.idle() && !backlog.closed);
        let (backlog, _) = waited.unwrap_or_else(PoisonError::into_inner);
        backlog.idle()
    }

    /// Starts the thread. Where the system has none to give, the next line tries again; until then
    /// lines wait in the queue.
    fn start(&mut self) {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name("report".to_owned()).stack_size(128 * 1024);
        self.thread = thread.spawn(move || shared.drain()).is_ok();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes what waits, for ever; sleeps when nothing does.
    fn drain(&self) {
        loop {
            let mut backlog = self.lock();
            backlog.writing = false;
            let Some(line) = backlog.pop() else {
                self.moved.notify_all();
                let backlog = self.moved.wait_while(backlog, |backlog| backlog.queue.is_empty());
                drop(backlog.unwrap_or_else(PoisonError::into_inner));
                continue;
            };
            backlog.writing = true;
            drop(backlog);
            if !self.target.write_all(&line.bytes) {
                let mut backlog = self.lock();
                backlog.writing = false;
                backlog.close();
                self.moved.notify_all();
                return;
            }
        }
    }
}

impl Backlog {
    fn idle(&self) -> bool {
        self.queue.is_empty() && !self.writing
    }

    fn close(&mut self) {
        self.closed = true;
        self.queue = VecDeque::new();
        self.bytes = 0;
    }

    /// Adds a line; when there are too many, the oldest of the least important go.
    fn push(&mut self, line: KeptLine) {
        self.bytes += line.bytes.len();
        self.queue.push_back(line);
        while self.bytes > QUEUE_BYTES {
            let least = self.queue.iter().filter_map(|line| line.level).min();
            let Some(least) = least else { return };
            let victim = self.queue.iter().position(|line| line.level == Some(least));
            let Some(line) = victim.and_then(|at| self.queue.remove(at)) else { return };
            self.bytes -= line.bytes.len();
            self.dropped += 1;
        }
    }

    /// The next line to write; before it, once, how many were dropped.
    fn pop(&mut self) -> Option<KeptLine> {
        let half_written = self.queue.front().is_some_and(|line| line.level.is_none());
        if self.dropped > 0 && !half_written {
            let dropped = std::mem::take(&mut self.dropped);
            if let Some(make) = &self.dropped_line {
                return Some(KeptLine { bytes: make(dropped), level: Some(Level::Warning) });
            }
        }
        let line = self.queue.pop_front()?;
        self.bytes -= line.bytes.len();
        Some(line)
    }
}

impl Target {
    /// Looks at the kind of an output. A pipe or terminal is opened once more; where that is not possible, it is asked.
    fn of(output: Stream) -> Self {
        let own = match output.kind() {
            Kind::File => return Self { output, asked: false },
            Kind::PipeOrTerminal => output.open_again().ok(),
            Kind::Other => None,
        };
        let asked = own.is_none();
        Self { output: own.unwrap_or(output), asked }
    }

    /// Writes what can be written without waiting.
    fn try_write(&self, bytes: &[u8]) -> Attempt {
        if self.asked && (bytes.len() > AT_ONCE || !self.output.is_ready(Some(Duration::ZERO))) {
            return Attempt::Some(0);
        }
        let mut written = 0;
        while written < bytes.len() {
            match self.output.write(&bytes[written..]) {
                Ok(n) => written += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Attempt::Some(written);
                }
                Err(error) if passing(&error) => return Attempt::All,
                Err(_) => return Attempt::Never,
            }
        }
        Attempt::All
    }

    /// Writes everything, however long it takes. `false`: it never can.
    fn write_all(&self, bytes: &[u8]) -> bool {
        self.output.write_all(bytes).map_or_else(|error| passing(&error), |()| true)
    }
}

/// Errors that concern one line only: the disk is full now.
fn passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("thread", &self.thread).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
