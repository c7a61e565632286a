//! The loop's part from what the watch engine saw to a batch that the supervisor has to know.

use std::time::{Duration, Instant};

use super::git::{self, Gate};
use super::run::Instance;
use crate::config::Config;
use crate::model::{Batch, Notice};
use crate::settle::{Due, numbers};
use crate::supervisor::Event;
use crate::watch::{Comparison, Message, Seen};

/// Messages of the watch engine that are taken in one go before anything else gets its turn.
const MESSAGES_A_TURN: usize = 512;
/// A batch whose files are being written again waits this often for the event that tells so. Also when the
/// maximum wait is over: it is three moments more, and a run would read half a file.
const PUT_BACKS: u32 = 3;
/// While changes are still being looked for, ask again after this: mostly a new directory, which takes a moment.
const COMPARING_ASK_AGAIN: Duration = Duration::from_millis(1);

impl Instance {
    /// Takes what the watch engine has to tell, many messages in one go: a storm must not cost a turn of
    /// the loop for each file.
    pub(super) fn see(&mut self, message: Message, now: Instant) {
        let mut seen = Vec::new();
        self.watch.handle(message, now, &mut seen);
        self.note(seen, now);
        self.drain(now);
    }

    /// Takes what is there; returns how many messages it was.
    pub(super) fn drain(&mut self, now: Instant) -> usize {
        let mut seen = Vec::new();
        let mut taken = 0;
        while taken < MESSAGES_A_TURN {
            let Ok(message) = self.messages.try_recv() else { break };
            self.watch.handle(message, now, &mut seen);
            taken += 1;
        }
        self.note(seen, now);
        taken
    }

    pub(super) fn note(&mut self, seen: Vec<Seen>, now: Instant) {
        for seen in seen {
            match seen {
                Seen::Change(change) if self.live.is_configuration(&change.path) => {}
                Seen::Change(change) => {
                    if self.counts(&change, now) {
                        self.settle.note(change, now);
                    }
                }
                Seen::Say(notice) => self.reporter.say(&notice, now),
                Seen::Ready(watching) if watching.roots.is_empty() => {}
                Seen::Ready(mut watching) => {
                    watching.types = types(&self.config);
                    self.reporter.say(&Notice::Watching(watching), now);
                }
                Seen::Marker(name) => self.marked(&name),
                Seen::CaughtUp => self.outputs.ended(),
                Seen::Rearmed => self.make_markers_again(),
                Seen::ConfigChanged(_) => self.live.touched(now),
                Seen::LinkMoved => self.live.link_moved(now),
                Seen::RulesChanged => self.forget_ignored_outputs(now),
            }
        }
    }

    /// Hands a complete save to the supervisor, unless git is at work or nothing really changed.
    pub(super) fn fire(&mut self, now: Instant) {
        if self.settle.deadline().is_some_and(|at| at <= now) {
            // An event that is already here belongs to the same run.
            self.drain(now);
        }
        match self.settle.due(now) {
            None => {}
            Some(Due::Delayed { until, path, more }) => {
                let wait = until.saturating_duration_since(now);
                let duration = self.config.settle.duration;
                self.reporter.say(&Notice::Delayed { path, more, wait, duration }, now);
            }
            // Changes are still being looked for: what is found belongs to the same run.
            Some(Due::Ready) if self.watch.is_comparing(now) => {
                self.settle.postpone(now + COMPARING_ASK_AGAIN);
            }
            Some(Due::Ready) => {
                if self.gate_is_open(now)
                    && let Some(batch) = self.settle.take(now)
                {
                    self.watch.taken();
                    self.verify(batch, now);
                }
            }
        }
    }

    fn gate_is_open(&mut self, now: Instant) -> bool {
        let mut was_held = self.git.is_held();
        let roots = self.config.roots.iter().map(|root| root.path.as_path());
        let gate = self.git.look(roots, now);
        was_held |= self.git.has_worked();
        if was_held && !self.git.is_held() {
            self.watch.catch_up(now);
        }
        match gate {
            Gate::Held(hold) => {
                self.settle.postpone(now + numbers::GIT_ASK_AGAIN);
                if hold.say {
                    self.say_hold(&hold, now);
                }
                return false;
            }
            Gate::Open if was_held => self.settle.reopen(now, Duration::ZERO),
            Gate::Sequence if was_held => self.settle.reopen(now, numbers::GIT_SEQUENCE_WINDOW),
            Gate::Sequence => self.settle.widen(numbers::GIT_SEQUENCE_WINDOW),
            Gate::Open => {}
        }
        true
    }

    fn say_hold(&mut self, hold: &git::Hold, now: Instant) {
        let left = numbers::GIT_PATIENCE.saturating_sub(now.duration_since(hold.since));
        let waiting = self.settle.waiting();
        let (lock, age, stale) = (hold.lock.clone(), hold.age, hold.is_stale());
        self.reporter.say(&Notice::GitHold { lock, age, waiting, left, stale }, now);
    }

    fn verify(&mut self, mut batch: Batch, now: Instant) {
        if let Some(path) = &batch.noisy {
            let notice = Notice::Noisy { path: path.clone(), every: numbers::MAX_WAIT };
            self.reporter.say(&notice, now);
        }
        self.watch.leave_out_what_went(&mut batch);
        if batch.changes.is_empty() {
            (self.put_backs, self.emptied) = (0, None);
            self.outputs.cancel();
            return;
        }
        // What a run that could not start was to answer is still open, whatever the bytes are.
        let open = self.supervisor.kept() > 0;
        match (self.watch.compare(&batch), batch.changes.first()) {
            (Comparison::Same, Some(first)) if !open => {
                self.same_bytes += 1;
                self.outputs.cancel();
                let (path, more) = (first.path.clone(), batch.changes.len() - 1);
                self.reporter.say(&Notice::SameBytes { path, more }, now);
            }
            (Comparison::Unsettled(delay), _) if self.put_backs < PUT_BACKS => {
                self.put_backs += 1;
                return self.put_back(batch, now + delay);
            }
            (Comparison::Emptied(delay), _)
                if now < *self.emptied.get_or_insert(now) + numbers::MAX_WAIT =>
            {
                return self.put_back(batch, now + delay);
            }
            _ => {
                if let Some(batch) = self.put_off(batch, now) {
                    self.happened(Event::Batch(batch), now);
                }
            }
        }
        self.put_backs = 0;
        self.emptied = None;
    }

    fn put_back(&mut self, batch: Batch, until: Instant) {
        self.settle.put_back(batch);
        self.settle.postpone(until);
    }
}

fn types(config: &Config) -> Vec<String> {
    let dotted = |text: &str| match text.strip_prefix('.') {
        None if text.chars().all(char::is_alphanumeric) => format!(".{text}"),
        _ => text.to_owned(),
    };
    config.filter.spec().types.iter().map(|pattern| dotted(&pattern.text)).collect()
}
