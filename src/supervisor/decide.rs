//! The decisions: what an event means in the state the command is in.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::child::{Child, Force, Next, Rest, Slow, Stopping};
use super::crash::{Crash, Verdict};
use super::pending::Pending;
use super::record::Record;
use super::{Action, Event, Exit, Face, Order, Request, Settings, Snapshot, State, Tally};
use crate::model::{
    Batch, Cause, Ended, LeftOver, Notice, OnBusy, OnCrash, ProcessEvent, RunEnd, RunId, Signal,
    SlotId, SpawnError, SpawnStage,
};

/// A stop that takes longer is told.
const SLOW_STOP: Duration = Duration::from_secs(1);
/// The answer to who still lives is waited for so long; then the leader is named.
const SURVEY: Duration = Duration::from_millis(100);

/// SIGHUP, the same number on every Unix (signal(7)).
const HANG_UP: Signal = Signal(1);
/// A run that was killed with its host this soon after its start has not answered its changes.
const HARDLY_BEGUN: Duration = Duration::from_secs(1);

/// A command that stays does not end by itself within this time.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Decides about one command.
///
/// What has changed is kept in `pending` until a run is known to have started after it, or until the
/// person is told that it was answered otherwise. Every stop leads to `Gone` and every `Gone` to what
/// was decided before it.
#[derive(Clone, Debug)]
pub struct Supervisor {
    pub(super) settings: Settings,
    face: Face,
    child: Child,
    /// Since when the child is in this state.
    since: Instant,
    pending: Pending,
    pub(super) paused: bool,
    /// A change was dropped since the last run was ordered (`on_busy: ignore`).
    dropped: bool,
    crash: Crash,
    /// A run that was lost with its host has been started again, and none has ended since.
    tried_again: bool,
    /// People have been told that its standard input may be missing.
    input_told: bool,
    runs: u64,
    record: Record,
}

/// The actions so far.
type Out = Vec<Action>;

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
            dropped: false,
            crash: Crash::default(),
            tried_again: false,
            input_told: false,
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
            Event::Process(SlotId::APP, event) => self.process(event, now, &mut out),
            // No other slot has been ordered to do anything.
            Event::Process(..) => {}
            Event::Terminate(signal) => self.terminate(signal, now, &mut out),
            Event::Request(request) => self.request(request, now, &mut out),
        }
        out
    }

    fn process(&mut self, event: ProcessEvent, now: Instant, out: &mut Out) {
        match event {
            ProcessEvent::Started { run, pid } => self.started(run, pid, now, out),
            ProcessEvent::SpawnFailed { run, error } => self.spawn_failed(run, error, now, out),
            ProcessEvent::Exited { run, ended, left } => self.exited(run, ended, left, now, out),
            ProcessEvent::Gone { run, stopped } => self.gone(run, stopped, now, out),
            ProcessEvent::StillThere { run, processes } => {
                self.still_there(run, Some(&processes), now, out)
            }
            ProcessEvent::WaitsForTerminal { run, process } if self.child.is(run) => {
                out.push(Action::Say(Notice::WaitsForTerminal { run, process }));
            }
            ProcessEvent::WaitsForTerminal { .. } => {}
            ProcessEvent::HostLost { run } => self.host_lost(run, now, out),
            ProcessEvent::Typed(signal) => self.terminate(signal, now, out),
        }
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
                    out.push(order(Order::Kill { run }));
                    out.push(Action::Say(Notice::Killed { run, timeout }));
                } else if *slow == Slow::Unsaid {
                    *slow = Slow::Asked;
                    out.push(order(Order::Survey { run }));
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
            // A `wait` for the only run has to hear of its end.
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
            dropped: self.dropped,
        }
    }

    /// For the last line.
    #[must_use]
    pub fn tally(&self, now: Instant) -> Tally {
        self.record.tally(now)
    }

    fn enter(&mut self, child: Child, now: Instant) {
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

    fn spawn(&mut self, now: Instant, out: &mut Out) {
        self.runs += 1;
        self.dropped = false;
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
        out.push(order(Order::Spawn { run, cause }));
        self.crash.started(now);
        self.enter(Child::Starting { run, serves }, now);
    }

    /// Orders the stop of what may live; `next` follows when nothing is left.
    fn stop_then(&mut self, next: Next, now: Instant, out: &mut Out) {
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
        out.push(order(Order::Stop { run }));
        let force = Force::Asked { at: now, slow: Slow::Unsaid };
        self.enter(Child::Stopping(Stopping { run, pid, next, force }), now);
    }

    /// Nothing lives: on to what was decided.
    fn proceed(&mut self, next: Next, now: Instant, out: &mut Out) {
        match next {
            Next::Start => self.spawn(now, out),
            Next::Rest(rest) => self.enter(Child::Empty(rest), now),
            Next::Exit(exit) => {
                self.enter(Child::Over, now);
                out.push(Action::Exit(exit));
            }
        }
    }

    fn batch(&mut self, batch: Batch, now: Instant, out: &mut Out) {
        let news = batch
            .changes
            .first()
            .map(|first| News { path: Arc::clone(&first.path), more: batch.changes.len() - 1 });
        self.pending.add_batch(batch, now);
        if let Some(news) = news {
            self.answer(news, now, out);
        }
    }

    /// Decides what the pending changes lead to in this state.
    fn answer(&mut self, news: News, now: Instant, out: &mut Out) {
        match &mut self.child {
            Child::Stopping(Stopping { next: next @ Next::Rest(_), .. }) if !self.paused => {
                self.crash.reset();
                *next = Next::Start;
            }
            // The start that is due anyway will come after them.
            Child::Stopping(_) | Child::Empty(Rest::Unbegun) | Child::Over => {}
            _ if self.paused => {}
            Child::Empty(_) => {
                self.crash.reset();
                self.spawn(now, out);
            }
            Child::Ended { .. } => {
                self.crash.reset();
                self.stop_then(Next::Start, now, out);
            }
            Child::Starting { .. } | Child::Running { .. } => self.answer_busy(news, now, out),
        }
    }

    fn answer_busy(&mut self, news: News, now: Instant, out: &mut Out) {
        let policy = if self.settings.once { OnBusy::Ignore } else { self.settings.on_busy };
        let running = match self.child {
            Child::Running { run, .. } => Some(run),
            _ => None,
        };
        match (policy, running) {
            (OnBusy::Restart, _) => {
                self.crash.reset();
                self.stop_then(Next::Start, now, out);
            }
            (OnBusy::Queue, _) => out.push(news.busy(OnBusy::Queue)),
            // Whether it comes up at all is not known yet: decided when it is.
            (OnBusy::Ignore | OnBusy::Signal, None) => {}
            (OnBusy::Ignore, Some(_)) => {
                out.push(news.busy(OnBusy::Ignore));
                self.pending.drop_changes();
                self.dropped = true;
            }
            (OnBusy::Signal, Some(run)) => {
                let signal = self.settings.stop_signal;
                out.push(order(Order::Signal { run, signal }));
                out.push(news.busy(OnBusy::Signal));
                self.pending.drop_changes();
            }
        }
    }

    /// Decides about what came while the run was starting. What is queued has been told already.
    fn answer_deferred(&mut self, now: Instant, out: &mut Out) {
        let queued = self.settings.on_busy == OnBusy::Queue && !self.settings.once;
        if let Some(news) = News::of(self.pending.paths())
            && !self.paused
            && !queued
        {
            self.answer_busy(news, now, out);
        }
    }

    fn terminate(&mut self, signal: Signal, now: Instant, out: &mut Out) {
        match &mut self.child {
            // A closed terminal tells twice: the hang-up, then the end of the session's leader.
            Child::Stopping(Stopping { next: Next::Exit(Exit::Signal(first)), .. })
                if signal == HANG_UP && *first == HANG_UP =>
            {
                return;
            }
            // Asked a second time.
            Child::Stopping(Stopping { next: Next::Exit(Exit::Signal(_)), .. }) => {
                return self.kill_now(out);
            }
            Child::Stopping(Stopping { next: Next::Exit(exit @ Exit::Quit), .. }) => {
                *exit = Exit::Signal(signal);
                return self.kill_now(out);
            }
            _ => {}
        }
        self.stop_then(Next::Exit(Exit::Signal(signal)), now, out);
    }

    fn kill_now(&mut self, out: &mut Out) {
        let Child::Stopping(stopping) = &mut self.child else { return };
        if matches!(stopping.force, Force::Asked { .. }) {
            stopping.force = Force::Killed;
            out.push(order(Order::Kill { run: stopping.run }));
            out.push(Action::Say(Notice::Requested { what: "kill" }));
        }
    }

    fn request(&mut self, request: Request, now: Instant, out: &mut Out) {
        match request {
            Request::Restart => self.restart(now, out),
            Request::Stop => self.stop(now, out),
            Request::Pause => self.pause(true, now, out),
            Request::Resume => self.pause(false, now, out),
            Request::TogglePause => self.pause(!self.paused, now, out),
            Request::Quit => {
                if !matches!(self.child, Child::Stopping(Stopping { next: Next::Exit(_), .. })) {
                    out.push(Action::Say(Notice::Requested { what: "quit" }));
                    self.stop_then(Next::Exit(Exit::Quit), now, out);
                }
            }
        }
    }

    fn restart(&mut self, now: Instant, out: &mut Out) {
        match &mut self.child {
            Child::Stopping(Stopping { next: Next::Exit(_), .. }) => self.kill_now(out),
            Child::Stopping(stopping) => {
                stopping.next = Next::Start;
                self.pending.request(now);
                self.kill_now(out);
            }
            _ => {
                out.push(Action::Say(Notice::Requested { what: "restart" }));
                self.crash.reset();
                self.pending.request(now);
                self.pending.decided_at(Some(now));
                self.stop_then(Next::Start, now, out);
            }
        }
    }

    fn stop(&mut self, now: Instant, out: &mut Out) {
        if matches!(self.child, Child::Stopping(Stopping { next: Next::Exit(_), .. })) {
            return;
        }
        out.push(Action::Say(Notice::Requested { what: "stop" }));
        self.crash.reset();
        let rest = Next::Rest(Rest::Change { failed: false });
        // A single run that is stopped leaves nothing to wait for.
        let next = if self.settings.once { Next::Exit(Exit::Quit) } else { rest };
        self.stop_then(next, now, out);
        self.pending.calm();
    }

    fn pause(&mut self, paused: bool, now: Instant, out: &mut Out) {
        if self.paused == paused {
            return;
        }
        self.paused = paused;
        let waiting = if paused { Vec::new() } else { self.pending.paths().to_vec() };
        let news = News::of(&waiting);
        let said = if paused { Notice::Paused } else { Notice::Resumed { waiting } };
        out.push(Action::Say(said));
        if let Some(news) = news {
            self.pending.decided_at(Some(now));
            self.answer(news, now, out);
        }
    }

    fn started(&mut self, run: RunId, pid: u32, now: Instant, out: &mut Out) {
        match &mut self.child {
            Child::Starting { run: current, serves } if *current == run => {
                let took = serves.reload_since().map(|since| now.saturating_duration_since(since));
                self.record.started(took);
                self.enter(Child::Running { run, pid, at: now }, now);
                if let Some(took) = took {
                    out.push(Action::Say(Notice::Restarted { run, took }));
                }
                self.answer_deferred(now, out);
            }
            Child::Stopping(stopping) if stopping.run == run => stopping.pid = Some(pid),
            _ => {}
        }
    }

    fn spawn_failed(&mut self, run: RunId, error: SpawnError, now: Instant, out: &mut Out) {
        let child = match &self.child {
            Child::Starting { .. } | Child::Stopping(_) if self.child.is(run) => {
                std::mem::replace(&mut self.child, Child::Over)
            }
            _ => return,
        };
        self.record.failed();
        let exit = Exit::CannotStart(error.stage, error.errno);
        let say = |waiting| Action::Say(Notice::CannotStart { run, error, waiting });
        match child {
            Child::Stopping(stopping) => {
                out.push(say(matches!(stopping.next, Next::Rest(_))));
                self.proceed(stopping.next, now, out);
            }
            Child::Starting { serves, .. } => {
                let next = self.after_failure(exit, serves, Duration::ZERO, now);
                out.push(say(matches!(next.0, Next::Rest(Rest::Change { .. }))));
                out.extend(next.1.map(Action::Say));
                self.proceed(next.0, now, out);
            }
            _ => {}
        }
    }

    /// What follows a failed run: what it had to answer is pending again; what came since is answered.
    /// Also what to say about it.
    fn after_failure(
        &mut self,
        exit: Exit,
        serves: Pending,
        lived: Duration,
        now: Instant,
    ) -> (Next, Option<Notice>) {
        let again = !self.pending.is_empty() && !self.paused;
        self.pending.put_before(serves);
        self.pending.decided_at(again.then_some(now));
        let rest = Rest::Change { failed: true };
        if self.settings.once {
            return (Next::Exit(exit), None);
        }
        if again {
            self.crash.reset();
            return (Next::Start, None);
        }
        match self.settings.on_crash {
            OnCrash::Wait => (Next::Rest(rest), None),
            OnCrash::Exit => (Next::Exit(exit), None),
            OnCrash::Restart => match self.crash.failed(lived, now) {
                Verdict::GiveUp(starts) => (Next::Rest(rest), Some(Notice::CrashGaveUp { starts })),
                Verdict::Again(wait) => {
                    let run = RunId(self.runs);
                    let next = Next::Rest(Rest::Backoff { until: now + wait });
                    (next, Some(Notice::CrashDelay { run, wait }))
                }
            },
        }
    }

    fn exited(
        &mut self,
        run: RunId,
        ended: Ended,
        left: Vec<LeftOver>,
        now: Instant,
        out: &mut Out,
    ) {
        let lived = match self.child {
            Child::Running { run: current, at, .. } if current == run => {
                now.saturating_duration_since(at)
            }
            // Its `Started` got lost: it was up all the same.
            Child::Starting { run: current, .. } if current == run => {
                self.record.started(None);
                Duration::ZERO
            }
            _ => return,
        };
        self.tried_again = false;
        self.record.ended(run, ended, lived, now);
        let (next, more) = self.after_end(ended, lived, now);
        let waiting = matches!(next, Next::Rest(Rest::Change { .. }));
        let end = RunEnd { ended, shell: self.face.shell };
        out.push(Action::Say(Notice::Ended { run, end, after: lived, waiting }));
        if !left.is_empty() {
            out.push(Action::Say(Notice::LeftOvers { run, processes: left }));
        }
        let at_once = ended == Ended::Exit(0) && lived < AT_ONCE && !self.settings.once;
        if at_once && self.face.may_miss_input && !std::mem::replace(&mut self.input_told, true) {
            out.push(Action::Say(Notice::InputEnded { run }));
        }
        out.extend(more.map(Action::Say));
        match next {
            Next::Rest(rest) => self.enter(Child::Ended { run, rest }, now),
            next => {
                self.child = Child::Ended { run, rest: Rest::Change { failed: false } };
                self.stop_then(next, now, out);
            }
        }
    }

    fn after_end(&mut self, ended: Ended, lived: Duration, now: Instant) -> (Next, Option<Notice>) {
        let exit = Exit::Command(ended);
        if ended != Ended::Exit(0) || self.settings.once {
            return self.after_failure(exit, Pending::default(), lived, now);
        }
        self.crash.reset();
        let queued = !self.pending.is_empty() && !self.paused;
        let rest = Next::Rest(Rest::Change { failed: false });
        if !queued {
            return (rest, None);
        }
        self.pending.decided_at(Some(now));
        (Next::Start, None)
    }

    fn gone(&mut self, run: RunId, stopped: Vec<LeftOver>, now: Instant, out: &mut Out) {
        if !self.child.is(run) {
            return;
        }
        if !stopped.is_empty() {
            out.push(Action::Say(Notice::LeftOversStopped { run, processes: stopped }));
        }
        match &self.child {
            Child::Ended { rest, .. } => {
                // The state as a person sees it is the same.
                self.child = Child::Empty(*rest);
            }
            Child::Stopping(stopping) => {
                let next = stopping.next;
                self.proceed(next, now, out);
            }
            // Gone without an end: the end got lost with the one who knew it.
            _ => {
                out.push(Action::Say(Notice::ShimLost { run: Some(run) }));
                self.lost(now, out);
            }
        }
    }

    fn host_lost(&mut self, run: Option<RunId>, now: Instant, out: &mut Out) {
        out.push(Action::Say(Notice::ShimLost { run }));
        if run.is_some_and(|run| self.child.is(run)) {
            self.lost(now, out);
        }
    }

    /// Nothing of the current run lives any more, and how it ended is not known.
    fn lost(&mut self, now: Instant, out: &mut Out) {
        let (serves, lived) = match std::mem::replace(&mut self.child, Child::Over) {
            Child::Starting { serves, .. } => (serves, Duration::ZERO),
            Child::Running { at, .. } => (self.record.served(), now.saturating_duration_since(at)),
            Child::Ended { rest, .. } => return self.enter(Child::Empty(rest), now),
            Child::Stopping(stopping) => return self.proceed(stopping.next, now, out),
            child @ (Child::Empty(_) | Child::Over) => return self.child = child,
        };
        self.record.failed();
        // Not the command's fault: the changes that a run had hardly begun to answer are tried again, once
        // in a row.
        let open = lived < HARDLY_BEGUN && !serves.is_empty() && !self.settings.once;
        if open && !self.tried_again && !self.paused {
            self.tried_again = true;
            self.pending.put_before(serves);
            return self.spawn(now, out);
        }
        let serves = if lived < HARDLY_BEGUN { serves } else { Pending::default() };
        let (next, more) =
            self.after_failure(Exit::CannotStart(SpawnStage::Shim, 0), serves, lived, now);
        out.extend(more.map(Action::Say));
        self.proceed(next, now, out);
    }

    fn still_there(
        &mut self,
        run: RunId,
        living: Option<&[LeftOver]>,
        now: Instant,
        out: &mut Out,
    ) {
        let Child::Stopping(stopping) = &mut self.child else { return };
        let Force::Asked { at, slow } = &mut stopping.force else { return };
        if stopping.run != run || *slow != Slow::Asked {
            return;
        }
        *slow = Slow::Said;
        let leader = stopping.pid.map(|pid| {
            let name = self.face.command.split_whitespace().next().unwrap_or_default();
            LeftOver { pid, name: name.into() }
        });
        let timeout = self.settings.stop_timeout;
        let left =
            at.checked_add(timeout).map_or(timeout, |kill| kill.saturating_duration_since(now));
        // Asked and nobody left: the end of the stop is on its way. No answer: the leader is named.
        let process = living.map_or(leader, |living| living.first().cloned());
        if let Some(process) = process {
            let signal = self.settings.stop_signal;
            out.push(Action::Say(Notice::SlowStop { run, signal, process, left, timeout }));
        }
    }
}

/// For the slot of the command.
fn order(order: Order) -> Action {
    Action::Order(SlotId::APP, order)
}

/// The changes that have just come, as a notice names them.
#[derive(Clone, Debug)]
struct News {
    path: Arc<Path>,
    more: usize,
}

impl News {
    /// `None` when there are none.
    fn of(paths: &[Arc<Path>]) -> Option<News> {
        let (path, rest) = paths.split_first()?;
        Some(News { path: Arc::clone(path), more: rest.len() })
    }

    fn busy(self, on_busy: OnBusy) -> Action {
        Action::Say(Notice::Busy { path: self.path, more: self.more, on_busy })
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
