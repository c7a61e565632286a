//! The decisions: what an event means in the state the command is in.

use std::time::{Duration, Instant};

use super::child::{Child, Force, Next, Rest, Slow, Stopping};
use super::crash::Crash;
use super::pending::Pending;
use super::record::Record;
use super::{Action, Event, Face, Session, Settings, Snapshot, State};
use crate::model::{Batch, Cause, Ended, Notice, RunId};

/// A stop that takes longer is told.
const SLOW_STOP: Duration = Duration::from_secs(1);
/// The answer to who still lives is waited for so long; then the leader is named.
const SURVEY: Duration = Duration::from_millis(100);

/// Decides about one command.
///
/// What has changed is kept in `pending` until a run is known to have started after it, or until the
/// person is told that it was answered otherwise. Every stop leads to `Gone` and every `Gone` to what
/// was decided before it.
#[derive(Clone, Debug)]
pub struct Supervisor {
    pub(super) settings: Settings,
    pub(super) face: Face,
    pub(super) child: Child,
    /// Since when the child is in this state.
    since: Instant,
    pub(super) pending: Pending,
    pub(super) paused: bool,
    pub(super) crash: Crash,
    /// A run that was lost with its host has been started again, and none has ended since.
    pub(super) tried_again: bool,
    pub(super) runs: u64,
    pub(super) record: Record,
}

/// The actions so far.
pub(super) type Out = Vec<Action>;

impl Supervisor {
    /// Nothing runs yet; [`Event::Begin`] starts the first run.
    pub fn new(settings: Settings, face: Face, now: Instant) -> Supervisor {
        Supervisor {
            settings,
            face,
            child: Child::Empty(Rest::Unbegun),
            since: now,
            pending: Pending::default(),
            paused: false,
            crash: Crash::default(),
            tried_again: false,
            runs: 0,
            record: Record::new(now),
        }
    }

    /// Live configuration. What runs goes on; a restart, if one is needed, is the caller's request.
    pub fn configure(&mut self, settings: Settings, face: Face) {
        if self.face.command != face.command {
            self.record.command_changed();
        }
        self.settings = settings;
        self.face = face;
    }

    /// Decides about one event. The actions are to be performed in order.
    #[must_use]
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut out = Out::new();
        if matches!(self.child, Child::Over) {
            return out;
        }
        match event {
            Event::Begin => self.begin(now, &mut out),
            Event::Batch(batch) => self.batch(batch, now, &mut out),
            Event::Started { run, pid } => self.started(run, pid, now, &mut out),
            Event::SpawnFailed { run, error } => self.spawn_failed(run, error, now, &mut out),
            Event::Exited { run, ended, left } => self.exited(run, ended, left, now, &mut out),
            Event::Gone { run, stopped } => self.gone(run, stopped, now, &mut out),
            Event::StillThere { run, processes } => {
                self.still_there(run, Some(&processes), now, &mut out)
            }
            Event::WaitsForTerminal { run, process } if self.child.is(run) => {
                out.push(Action::Say(Notice::WaitsForTerminal { run, process }));
            }
            Event::WaitsForTerminal { .. } => {}
            Event::ShimLost { run } => self.shim_lost(run, now, &mut out),
            Event::Terminate(signal) => self.terminate(signal, now, &mut out),
            Event::Request(request) => self.request(request, now, &mut out),
        }
        out
    }

    /// Adds changes to what the next run will be told, without deciding anything now: what
    /// `Settle::take_all` gave goes here, just before `Request::Restart` is handled.
    pub fn keep(&mut self, batch: Batch, now: Instant) {
        self.pending.add_batch(batch, now);
    }

    /// When [`Supervisor::tick`] is to be called; `None` while nothing waits for time.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.child {
            Child::Empty(Rest::Backoff { until })
            | Child::Ended { rest: Rest::Backoff { until }, .. } => {
                (!self.paused).then_some(*until)
            }
            Child::Stopping(Stopping { force: Force::Asked { at, slow }, .. }) => {
                let told = match slow {
                    Slow::Unsaid => Some(*at + SLOW_STOP),
                    Slow::Asked => Some(*at + SLOW_STOP + SURVEY),
                    Slow::Said => None,
                };
                // A grace time beyond the end of time is none.
                let killed = at.checked_add(self.settings.stop_timeout);
                [told, killed].into_iter().flatten().min()
            }
            _ => None,
        }
    }

    /// Time has come.
    #[must_use]
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        let mut out = Out::new();
        if self.deadline().is_none_or(|at| at > now) {
            return out;
        }
        match &mut self.child {
            Child::Empty(_) => {
                self.pending.crash(now);
                self.spawn(now, &mut out);
            }
            Child::Ended { .. } => {
                self.pending.crash(now);
                self.stop_then(Next::Start, now, &mut out);
            }
            Child::Stopping(stopping) => {
                let Force::Asked { at, slow } = &mut stopping.force else { return out };
                let run = stopping.run;
                let timeout = self.settings.stop_timeout;
                if at.checked_add(timeout).is_some_and(|kill| kill <= now) {
                    stopping.force = Force::Killed;
                    out.push(Action::Kill { run });
                    out.push(Action::Say(Notice::Killed { run, timeout }));
                } else if *slow == Slow::Unsaid {
                    *slow = Slow::Asked;
                    out.push(Action::Survey { run });
                } else {
                    self.still_there(run, None, now, &mut out);
                }
            }
            Child::Starting { .. } | Child::Running { .. } | Child::Over => {}
        }
        out
    }

    /// Whether a run is being stopped so that another one starts.
    #[must_use]
    pub fn is_restarting(&self) -> bool {
        matches!(self.child, Child::Stopping(Stopping { next: Next::Start, .. }))
    }

    /// How many changed paths wait for the next run: of [`Supervisor::state`] what each save asks for.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.pending.paths().len()
    }

    /// For `status`.
    #[must_use]
    pub fn state(&self) -> Snapshot {
        let rests = |rest: &Rest| match rest {
            _ if self.paused => State::Paused,
            Rest::Change { failed: true } => State::Failed,
            Rest::Change { failed: false } | Rest::Backoff { .. } => State::Waiting,
            Rest::Unbegun => State::Starting,
        };
        let (state, pid) = match &self.child {
            Child::Empty(rest) | Child::Ended { rest, .. } => (rests(rest), None),
            Child::Starting { .. } => (State::Starting, None),
            Child::Running { pid, .. } if self.settings.once => (State::Building, Some(*pid)),
            Child::Running { pid, .. } => (self.record.up(), Some(*pid)),
            Child::Stopping(stopping) => (State::Stopping, stopping.pid),
            // Whoever waits for the only run has to hear of its end.
            Child::Over if self.settings.once => {
                let failed =
                    self.record.last_end.is_some_and(|(_, ended, _)| ended != Ended::Exit(0));
                (rests(&Rest::Change { failed }), None)
            }
            Child::Over => (State::Stopping, None),
        };
        let (run, cause) = self.record.last_run.clone().unzip();
        Snapshot {
            state,
            paused: self.paused,
            run,
            pid,
            cause,
            since: self.since,
            last_end: self.record.last_end,
            reloads: self.record.reloads(),
            median_reload: self.record.median_reload(),
            kept: self.kept(),
        }
    }

    /// For the last line.
    #[must_use]
    pub fn session(&self, now: Instant) -> Session {
        self.record.session(now)
    }

    pub(super) fn enter(&mut self, child: Child, now: Instant) {
        self.child = child;
        self.since = now;
    }

    fn begin(&mut self, now: Instant, out: &mut Out) {
        if !matches!(self.child, Child::Empty(Rest::Unbegun)) {
            return;
        }
        if self.settings.postpone && self.pending.is_empty() {
            self.enter(Child::Empty(Rest::Change { failed: false }), now);
        } else {
            self.spawn(now, out);
        }
    }

    pub(super) fn spawn(&mut self, now: Instant, out: &mut Out) {
        self.runs += 1;
        let run = RunId(self.runs);
        let serves = std::mem::take(&mut self.pending);
        let cause = serves.cause();
        let first = cause == Cause::Start;
        out.push(Action::Say(Notice::Run {
            run,
            cause: cause.clone(),
            command: self.face.command.clone(),
            configuration: first.then(|| self.face.configuration.clone()),
            keys: first && self.face.keys,
        }));
        self.record.last_run = Some((run, cause.clone()));
        out.push(Action::Spawn { run, cause });
        self.crash.started(now);
        self.enter(Child::Starting { run, serves }, now);
    }

    /// Orders the stop of what may live; `next` follows when nothing is left.
    pub(super) fn stop_then(&mut self, next: Next, now: Instant, out: &mut Out) {
        let child = std::mem::replace(&mut self.child, Child::Over);
        let (run, pid) = match child {
            Child::Starting { run, serves } => {
                // Stopped at birth, it has answered nothing.
                self.pending.put_before(serves);
                (run, None)
            }
            Child::Running { run, pid, .. } => (run, Some(pid)),
            Child::Ended { run, .. } => (run, None),
            Child::Empty(_) => return self.proceed(next, now, out),
            Child::Stopping(stopping) => {
                self.child = Child::Stopping(Stopping { next, ..stopping });
                return;
            }
            Child::Over => return,
        };
        out.push(Action::Stop { run });
        let force = Force::Asked { at: now, slow: Slow::Unsaid };
        self.enter(Child::Stopping(Stopping { run, pid, next, force }), now);
    }

    /// Nothing lives: on to what was decided.
    pub(super) fn proceed(&mut self, next: Next, now: Instant, out: &mut Out) {
        match next {
            Next::Start => self.spawn(now, out),
            Next::Rest(rest) => self.enter(Child::Empty(rest), now),
            Next::Exit(exit) => {
                self.enter(Child::Over, now);
                out.push(Action::Exit(exit));
            }
        }
    }
}

#[cfg(test)]
impl Supervisor {
    /// What decides about the future, without numbers of runs and points in time.
    pub(super) fn shape(&self, now: Instant) -> String {
        let child = match &self.child {
            Child::Empty(rest) => format!("empty {}", rest.shape()),
            Child::Starting { serves, .. } => format!("starting {:?}", serves.shape()),
            Child::Running { .. } => "running".into(),
            Child::Ended { rest, .. } => format!("ended {}", rest.shape()),
            Child::Stopping(Stopping { next, force, .. }) => {
                let next = match next {
                    Next::Rest(rest) => rest.shape().into(),
                    next => format!("{next:?}"),
                };
                let force = match force {
                    Force::Asked { slow, .. } => format!("asked {slow:?}"),
                    Force::Killed => "killed".into(),
                };
                format!("stopping {next} {force}")
            }
            Child::Over => "over".into(),
        };
        let (pending, crash) = (self.pending.shape(), self.crash.shape(now));
        format!("{child} {pending:?} {} {crash:?} {}", self.paused, self.tried_again)
    }
}
