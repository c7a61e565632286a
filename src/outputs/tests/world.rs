//! A command, files, people and tools in virtual time, with the real rules between them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{Batch, BatchChange, ChangeKind, RunId};
use crate::outputs::random::Random;
use crate::outputs::{Finding, Outputs, Start};

/// What is in a file; `None`: there is none.
pub(super) type Text = Option<u64>;

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What a run sees when it starts, and what it is going to do.
pub(super) struct Run<'a> {
    pub(super) number: u64,
    pub(super) files: &'a BTreeMap<String, u64>,
    pub(super) random: &'a mut Random,
    acts: Vec<(Duration, String, Text)>,
    ends: Option<Duration>,
}

impl Run<'_> {
    /// Writes a file so many milliseconds after the start, `jitter` of them earlier or later.
    pub(super) fn writes(&mut self, at: u64, jitter: u64, name: &str, text: u64) {
        let at = self.about(at, jitter);
        self.acts.push((at, name.to_owned(), Some(text)));
    }

    pub(super) fn removes(&mut self, at: u64, name: &str) {
        self.acts.push((ms(at), name.to_owned(), None));
    }

    /// It is no server, but ends.
    pub(super) fn ends(&mut self, at: u64) {
        self.ends = Some(ms(at));
    }

    pub(super) fn about(&mut self, at: u64, jitter: u64) -> Duration {
        let shift = jitter as f64 * (2.0 * self.random.part() - 1.0);
        Duration::from_secs_f64((at as f64 + shift).max(0.0) / 1000.0)
    }

    pub(super) fn file(&self, name: &str) -> u64 {
        self.files.get(name).copied().unwrap_or(0)
    }
}

enum Event {
    /// A run does something, if it still lives.
    Act(u64, String, Text),
    End(u64),
    /// Somebody outside writes.
    Write(String),
    Wake,
}

/// What a person's save of a file makes tools outside do: after how long which file is written.
pub(super) type Reaction = Box<dyn Fn(&str, &mut Random) -> Vec<(Duration, String)>>;

pub(super) struct World {
    pub(super) outputs: Outputs,
    base: Instant,
    now: Duration,
    queue: BinaryHeap<(Reverse<(Duration, u64)>, usize)>,
    events: Vec<Option<Event>>,
    command: Box<dyn Fn(&mut Run<'_>)>,
    pub(super) reaction: Reaction,
    /// `on_busy: queue`.
    pub(super) queues: bool,
    pub(super) random: Random,
    files: BTreeMap<String, u64>,
    /// What the current run saw.
    seen: BTreeMap<String, u64>,
    alive: Option<u64>,
    pending: Vec<(String, ChangeKind, Duration)>,
    /// The supervisor has a batch that waits for the end of the run.
    queued: bool,
    /// When each run started.
    pub(super) runs: Vec<Duration>,
    pub(super) findings: Vec<(Duration, Finding)>,
    /// Saves by people: when, and until a run started after it.
    pub(super) saves: Vec<(Duration, Option<Duration>)>,
}

pub(super) fn path(name: &str) -> Arc<Path> {
    Arc::from(PathBuf::from("/tree").join(name))
}

impl World {
    pub(super) fn new(seed: u64, command: impl Fn(&mut Run<'_>) + 'static) -> World {
        World {
            outputs: Outputs::new(seed),
            base: Instant::now(),
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            command: Box::new(command),
            reaction: Box::new(|_, _| Vec::new()),
            queues: false,
            random: Random(seed ^ 0xdead_beef),
            files: BTreeMap::from([("src".to_owned(), 1)]),
            seen: BTreeMap::new(),
            alive: None,
            pending: Vec::new(),
            queued: false,
            runs: Vec::new(),
            findings: Vec::new(),
            saves: Vec::new(),
        }
    }

    fn at(&mut self, at: Duration, event: Event) {
        let index = self.events.len();
        self.events.push(Some(event));
        self.queue.push((Reverse((at, index as u64)), index));
    }

    fn instant(&self) -> Instant {
        self.base + self.now
    }

    /// A person saves a file at this time.
    pub(super) fn save(&mut self, at: Duration, name: &str) {
        self.at(at, Event::Write(name.to_owned()));
        let reactions = (self.reaction)(name, &mut self.random);
        for (after, name) in reactions {
            self.at(at + after, Event::Write(name));
        }
    }

    pub(super) fn go(&mut self, until: Duration) {
        if self.runs.is_empty() {
            self.start(Start::First);
        }
        while let Some((Reverse((at, _)), index)) = self.queue.peek().copied() {
            if at > until {
                break;
            }
            self.queue.pop();
            self.now = at;
            if let Some(event) = self.events[index].take() {
                self.happen(event);
            }
            let now = self.instant();
            let found = self.outputs.findings(now);
            self.findings.extend(found.into_iter().map(|finding| (self.now, finding)));
        }
        self.now = until;
        let found = self.outputs.findings(self.instant() + ms(1000));
        self.findings.extend(found.into_iter().map(|finding| (self.now, finding)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Act(run, name, text) if self.alive == Some(run) => self.write(&name, text),
            Event::Act(..) => {}
            Event::End(run) if self.alive == Some(run) => {
                self.alive = None;
                let now = self.instant();
                self.outputs.gone(RunId(run), now);
                if std::mem::take(&mut self.queued) {
                    self.start(Start::Changes);
                }
            }
            Event::End(_) => {}
            Event::Write(name) => {
                let text = self.files.get(&name).copied().unwrap_or(0) + 1_000_000;
                self.saves.push((self.now, None));
                self.write(&name, Some(text));
            }
            Event::Wake => self.fire(),
        }
    }

    fn write(&mut self, name: &str, text: Text) {
        let kind = match text {
            Some(text) => {
                self.files.insert(name.to_owned(), text);
                ChangeKind::Closed
            }
            None if self.files.remove(name).is_none() => return,
            None => ChangeKind::Removed,
        };
        let now = self.instant();
        if self.outputs.note((&path(name), kind), now, self.alive.is_some(), now) {
            match self.pending.iter_mut().find(|(other, ..)| other == name) {
                Some(pending) => pending.1 = kind,
                None => self.pending.push((name.to_owned(), kind, self.now)),
            }
            self.fire();
        }
    }

    /// The batch is complete at once; its bytes are compared, and the start is planned.
    fn fire(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let differs = |name: &String| self.files.get(name) != self.seen.get(name);
        if !self.pending.iter().any(|(name, ..)| differs(name)) {
            self.pending.clear();
            self.outputs.cancel();
            return;
        }
        let first = self.pending.iter().map(|(.., at)| *at).min().unwrap_or(self.now);
        let last = self.pending.iter().map(|(.., at)| *at).max().unwrap_or(self.now);
        let change = |(name, kind, _): &(String, ChangeKind, Duration)| BatchChange {
            path: path(name),
            kind: *kind,
        };
        let batch = Batch {
            changes: self.pending.iter().map(change).collect(),
            first: self.base + first,
            last: self.base + last,
            forced: false,
            noisy: None,
        };
        let now = self.instant();
        let at = self.outputs.plan(&batch, now);
        if at > now {
            self.at(at - self.base, Event::Wake);
        } else if self.queues && self.alive.is_some() {
            self.pending.clear();
            self.queued = true;
        } else {
            self.pending.clear();
            self.start(Start::Changes);
        }
    }

    fn start(&mut self, start: Start) {
        if let Some(run) = self.alive.take() {
            let now = self.instant();
            self.outputs.stopping(RunId(run), now);
            self.outputs.gone(RunId(run), now);
        }
        self.now += Duration::from_micros(700);
        let number = self.runs.len() as u64 + 1;
        self.runs.push(self.now);
        for (at, seen) in &mut self.saves {
            if *at <= self.now && seen.is_none() {
                *seen = Some(self.now);
            }
        }
        self.outputs.started(RunId(number), start, self.instant());
        self.seen = self.files.clone();
        self.alive = Some(number);
        let mut run = Run {
            number,
            files: &self.files,
            random: &mut self.random,
            acts: Vec::new(),
            ends: None,
        };
        (self.command)(&mut run);
        let Run { acts, ends, .. } = run;
        for (at, name, text) in acts {
            self.at(self.now + at, Event::Act(number, name, text));
        }
        if let Some(end) = ends {
            self.at(self.now + end, Event::End(number));
        }
    }

    /// How many runs started in this time.
    pub(super) fn runs_between(&self, from: Duration, to: Duration) -> usize {
        self.runs.iter().filter(|at| (from..to).contains(at)).count()
    }

    /// What has been learnt: when, and the names.
    pub(super) fn learnt(&self) -> Vec<(Duration, String)> {
        let name = |made: &crate::model::Made| match made {
            crate::model::Made::Path(path) => {
                path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
            crate::model::Made::Names(family) => {
                let (before, after) = family.ends();
                format!("{}*{}", before.display(), after.display())
            }
        };
        let of = |(at, finding): &(Duration, Finding)| match finding {
            Finding::Learnt(outputs) => {
                outputs.iter().map(|output| (*at, name(&output.made))).collect()
            }
            _ => Vec::new(),
        };
        self.findings.iter().flat_map(of).collect()
    }

    pub(super) fn count(&self, which: impl Fn(&Finding) -> bool) -> usize {
        self.findings.iter().filter(|(_, finding)| which(finding)).count()
    }
}
