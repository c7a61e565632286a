//! The walker: the thread that puts watches on directories and looks at them, never the other way round, so
//! that nothing falls between. Where there are many, other threads look at what is watched ([`super::lookers`]) while
//! the next ones are being watched.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::list::{Further, Ground, Job, Scratch};
use super::lookers::{Looked, Queue, Watched, look_at, look_at_each, work};
use super::message::{Arming, Events, Inner, Listing, Message, Outcome, Tally};
use super::native::{Above, Armed, Native};
use super::portable::Portable;
use crate::sys::{clock, heap, thread};

/// Directories that are watched in one go. More would keep notify's thread from reading events for longer,
/// and what is found in them would wait in memory.
const BATCH: usize = 384;

/// Fewer directories than this are not worth a second thread.
const ALONE: usize = 24;

/// After a walk of so many directories freed memory is given back to the system.
const LARGE: usize = 1000;

/// The first ignored directories that are remembered by name.
const SAMPLES: usize = 64;

/// What the owner orders.
#[derive(Debug)]
pub(crate) enum Order {
    /// Look at these directories and all below them. `urgent`: before everything that waits.
    Walk { walk: u32, jobs: Vec<Job>, urgent: bool },
    /// A new event source; what still waits was for the old one and is forgotten.
    Renew { generation: u32, events: Events, trees: Vec<PathBuf> },
    /// Other rules, other roots.
    Ground(Arc<Ground>),
    /// Take the watches off these directories.
    Disarm(Vec<PathBuf>),
    /// Watch these directories for single names in them, without a look; and, when the next walk is done, the
    /// directories above these roots for what becomes of those. The tree has the first right to what watches there are.
    Points { directories: Vec<PathBuf>, roots: Vec<PathBuf> },
    /// Tell when every event that the kernel has queued by now has been handed on.
    CatchUp,
}

/// Starts the walker; it ends when the sender of orders is dropped.
pub(crate) fn start(ground: Arc<Ground>, to: UnboundedSender<Message>) -> Sender<Order> {
    let (orders, from) = channel();
    let walker = Walker::new(ground, to, from);
    // Without a thread nothing can work; the owner notices that its orders are not taken.
    let _ = std::thread::Builder::new().name("gw-walk".into()).spawn(move || walker.run());
    orders
}

struct Walker {
    ground: Arc<Ground>,
    to: UnboundedSender<Message>,
    from: Receiver<Order>,
    native: Option<Native>,
    portable: Option<Portable>,
    above: Option<Above>,
    above_wanted: Option<Vec<PathBuf>>,
    /// Taken from the end, so that little waits at a time.
    urgent: Vec<Job>,
    waiting: Vec<Job>,
    walks: HashMap<u32, Progress>,
    /// The limit was met in the present series: the rest does without.
    full: bool,
    /// A walk took so much that what it freed is worth giving back.
    large: bool,
    /// The CPU time that the other threads have taken so far, in nanoseconds.
    helped: Arc<AtomicU64>,
    threads: usize,
    scratch: Scratch,
}

struct Progress {
    left: usize,
    urgent: bool,
    since: Instant,
    /// The CPU time of all walks before this one.
    spent: Duration,
    tally: Tally,
}

impl Walker {
    fn new(ground: Arc<Ground>, to: UnboundedSender<Message>, from: Receiver<Order>) -> Self {
        Self {
            ground,
            to,
            from,
            native: None,
            portable: None,
            above: None,
            above_wanted: None,
            urgent: Vec::new(),
            waiting: Vec::new(),
            walks: HashMap::new(),
            full: false,
            large: false,
            helped: Arc::default(),
            threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
            scratch: Scratch::default(),
        }
    }

    fn run(mut self) {
        loop {
            if self.is_idle() {
                self.full = false;
                self.scratch = Scratch::default();
                self.waiting.shrink_to_fit();
                if std::mem::take(&mut self.large) {
                    heap::trim();
                }
                let Ok(order) = self.from.recv() else { return };
                self.obey(order);
            }
            self.obey_all();
            if self.to.is_closed() {
                return;
            }
            self.step();
        }
    }

    /// Whether no directory waits to be watched.
    fn is_idle(&self) -> bool {
        self.urgent.is_empty() && self.waiting.is_empty()
    }

    /// Obeys what has been ordered by now.
    fn obey_all(&mut self) {
        while let Ok(order) = self.from.try_recv() {
            self.obey(order);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "measures how long a walk takes")]
    fn obey(&mut self, order: Order) {
        match order {
            Order::Walk { walk, mut jobs, urgent } => {
                for job in &mut jobs {
                    self.surround(job);
                }
                let spent = self.spent();
                let progress = self.walks.entry(walk).or_insert_with(|| Progress {
                    left: 0,
                    urgent,
                    since: Instant::now(),
                    spent,
                    tally: Tally::default(),
                });
                progress.left += jobs.len();
                if progress.left == 0 {
                    self.finish(walk);
                } else if urgent {
                    self.urgent.extend(jobs);
                } else {
                    self.waiting.extend(jobs);
                }
            }
            Order::Renew { generation, events, trees } => {
                self.urgent.clear();
                self.waiting.clear();
                self.walks.clear();
                self.full = false;
                self.native = None;
                self.portable = None;
                if self.open(generation, events, &trees).is_err() {
                    self.send(Inner::NoSource { generation });
                }
            }
            Order::CatchUp => {
                if let Some(native) = &mut self.native {
                    native.catch_up();
                }
                self.send(Inner::CaughtUp);
            }
            Order::Ground(ground) => self.ground = ground,
            Order::Points { directories, roots } => {
                self.watch_points(directories.iter().map(PathBuf::as_path));
                self.above = None;
                self.above_wanted = Some(roots);
            }
            Order::Disarm(paths) => {
                if let Some(native) = &mut self.native {
                    native.disarm(paths);
                }
            }
        }
    }

    fn watch_points<'a>(&mut self, paths: impl Iterator<Item = &'a Path>) {
        if let Some(native) = &mut self.native {
            // A directory that is not there, or cannot be watched, does not speak.
            native.arm(paths.map(|path| (path, true)));
        }
    }

    fn open(&mut self, generation: u32, events: Events, trees: &[PathBuf]) -> notify::Result<()> {
        let to = self.to.clone();
        match events {
            Events::None => {}
            Events::Native => self.native = Some(Native::new(generation, to)?),
            Events::Portable => self.portable = Some(Portable::new(generation, trees, to)?),
        }
        Ok(())
    }

    /// Finds out what holds around a root.
    fn surround(&mut self, job: &mut Job) {
        if job.around.is_none() {
            let (mut texts, files) = self.ground.rules_above(&job.path);
            if self.native.is_some() && !files.is_empty() {
                // Watch before reading, here too.
                self.watch_points(files.iter().filter_map(|file| file.parent()));
                texts = self.ground.rules_above(&job.path).0;
            }
            job.around = Some(self.ground.filter.root_scope(&job.path, &texts));
            self.send(Inner::RulesFrom(files));
        }
    }

    fn send(&self, inner: Inner) {
        // The owner is gone only when the program ends.
        let _ = self.to.send(Message(inner));
    }

    /// Does a part of what waits.
    fn step(&mut self) {
        if self.urgent.len() + self.waiting.len() > ALONE {
            self.walk_together();
        } else {
            let next = self.next_jobs();
            let few = self.arm(next);
            let looked = self.look_alone(few);
            self.note(looked);
        }
    }

    fn next_jobs(&mut self) -> Vec<Job> {
        let source = if self.urgent.is_empty() { &mut self.waiting } else { &mut self.urgent };
        let next = take(source, BATCH);
        if source.len() < source.capacity() / 4 {
            // Given back on the way: most memory is taken when the walk ends.
            source.shrink_to(source.len() * 2);
        }
        next
    }

    /// Puts the watches on. What cannot be watched because it is not there, or not for us, is reported.
    fn arm(&mut self, jobs: Vec<Job>) -> Vec<Watched> {
        let (mut native, full) = (self.native.take(), self.full);
        let (watched, failed, full) = arm(native.as_mut(), jobs, full);
        self.native = native;
        self.full = full;
        for (job, outcome) in failed {
            self.report(&job, outcome);
            self.done(job.walk, Further::default());
        }
        watched
    }

    fn look_alone(&mut self, jobs: Vec<Watched>) -> Looked {
        if jobs.is_empty() {
            return Vec::new();
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let (looked, listings) = look_at_each(&self.ground, jobs, &mut scratch);
        self.scratch = scratch;
        // A write just before a look is in the listing *and* in the event queue: the events go first, or the
        // listing would cause one run and the events another.
        if let Some(native) = &mut self.native {
            native.catch_up();
        }
        self.send(Inner::Listings(listings));
        looked
    }

    /// With other threads, until nothing waits.
    fn walk_together(&mut self) {
        let queue = Queue::default();
        let (to, spent) = (self.to.clone(), Arc::clone(&self.helped));
        let (sender, results) = channel();
        std::thread::scope(|scope| {
            for _ in 1..self.threads {
                let (queue, to, spent, sender) = (&queue, &to, &spent, sender.clone());
                let work = move || work(queue, to, spent, &sender);
                // A thread fewer only makes the walk slower.
                let _ =
                    std::thread::Builder::new().name("gw-look".into()).spawn_scoped(scope, work);
            }
            self.feed(&queue, &results);
            queue.close();
        });
    }

    /// Has directories watched as long as few wait to be looked at, and looks itself otherwise.
    fn feed(&mut self, queue: &Queue, results: &Receiver<Looked>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut out = 0;
        while !self.to.is_closed() {
            self.obey_all();
            let looked = if let Ok(looked) = results.try_recv() {
                looked
            } else if queue.is_below(BATCH) && !self.is_idle() {
                let next = self.next_jobs();
                let watched = self.arm(next);
                out += queue.put(&self.ground, watched);
                continue;
            } else if let Some(chunk) = queue.next() {
                look_at(chunk, &mut scratch, &self.to)
            } else if out == 0 {
                break;
            } else if let Ok(looked) = results.recv() {
                looked
            } else {
                break;
            };
            out -= 1;
            self.note(looked);
        }
        self.scratch = scratch;
    }

    fn note(&mut self, looked: Looked) {
        let mut useless = Vec::new();
        for (walk, mut further) in looked {
            // A directory that has come back meanwhile has been watched anew, or will be.
            useless.extend(further.disarm.take().filter(|path| !path.is_dir()));
            self.done(walk, further);
        }
        if let Some(native) = self.native.as_mut().filter(|_| !useless.is_empty()) {
            native.disarm(useless);
        }
    }

    fn report(&mut self, job: &Job, outcome: Outcome) {
        self.send(Inner::Listings(vec![Listing {
            ticket: job.ticket,
            walk: job.walk,
            path: job.path.clone(),
            arming: job.arming,
            outcome,
        }]));
    }

    /// One directory of a walk is done.
    fn done(&mut self, walk: u32, further: Further) {
        let Some(progress) = self.walks.get_mut(&walk) else { return };
        progress.left += further.jobs.len();
        progress.left -= 1;
        let tally = &mut progress.tally;
        tally.directories += 1;
        tally.files += further.files;
        tally.ignored += further.ignored.len();
        let room = SAMPLES.saturating_sub(tally.samples.len());
        tally.samples.extend(further.ignored.into_iter().take(room));
        if progress.urgent {
            self.urgent.extend(further.jobs);
        } else {
            self.waiting.extend(further.jobs);
        }
        if progress.left == 0 {
            self.finish(walk);
        }
    }

    /// The CPU time of all walks so far.
    fn spent(&self) -> Duration {
        thread::cpu_time() + Duration::from_nanos(self.helped.load(Ordering::Relaxed))
    }

    fn finish(&mut self, walk: u32) {
        if let Some(paths) = self.above_wanted.take() {
            self.above = Some(Above::new(&paths, &self.to));
            // Watch before looking, here too: one may have been renamed since the roots were listed.
            self.send(Inner::AroundRoots);
        }
        if let Some(mut progress) = self.walks.remove(&walk) {
            progress.tally.took = progress.since.elapsed();
            progress.tally.cpu = self.spent().saturating_sub(progress.spent);
            self.large |= progress.tally.directories >= LARGE;
            self.send(Inner::WalkDone { walk, tally: progress.tally });
        }
    }
}

/// Takes the last ones, so many at most. (`split_off` would leave as much room again where it takes all.)
fn take<T>(jobs: &mut Vec<T>, most: usize) -> Vec<T> {
    jobs.drain(jobs.len().saturating_sub(most)..).collect()
}

/// Watches directories. Returns those that can be looked at, those that cannot, and whether the system's limit is
/// reached.
fn arm(
    native: Option<&mut Native>,
    mut jobs: Vec<Job>,
    mut full: bool,
) -> (Vec<Watched>, Vec<(Job, Outcome)>, bool) {
    let mut failed = Vec::new();
    let wanted = |job: &Job| job.arming == Arming::Watch;
    let Some(native) = native.filter(|_| !full && jobs.iter().any(wanted)) else {
        for job in jobs.iter_mut().filter(|job| job.arming == Arming::Watch) {
            job.arming = Arming::Refused;
        }
        let now = clock::of_files();
        return (jobs.into_iter().map(|job| (job, now)).collect(), failed, full);
    };
    let paths = jobs.iter().filter(|job| wanted(job)).map(|job| (job.path.as_path(), job.follow));
    let mut answers = native.arm(paths).into_iter();
    let now = clock::of_files();
    let mut watched = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        if wanted(&job) {
            match answers.next() {
                Some(Armed::Yes) => {}
                Some(Armed::Limit) | None => {
                    full = true;
                    job.arming = Arming::Refused;
                }
                Some(Armed::Gone) => {
                    failed.push((job, Outcome::Gone));
                    continue;
                }
                Some(Armed::Failed(why)) => {
                    failed.push((job, Outcome::Unreadable(why)));
                    continue;
                }
            }
        }
        watched.push((job, now));
    }
    (watched, failed, full)
}

#[cfg(test)]
mod tests;
