//! What the processes do: starts, failed starts, ends, and what is left.

use std::time::{Duration, Instant};

use super::child::{Child, Force, Next, Rest, Slow};
use super::crash::Verdict;
use super::decide::{Out, Supervisor};
use super::pending::Pending;
use super::{Action, Exit, OnCrash};
use crate::model::{Ended, LeftOver, Notice, RunId, SpawnError, SpawnStage};

/// A run that was killed with its host this soon after its start has not answered its changes.
const HARDLY_BEGUN: Duration = Duration::from_secs(1);

impl Supervisor {
    pub(super) fn started(&mut self, run: RunId, pid: u32, now: Instant, out: &mut Out) {
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

    pub(super) fn spawn_failed(
        &mut self,
        run: RunId,
        error: SpawnError,
        now: Instant,
        out: &mut Out,
    ) {
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

    pub(super) fn exited(
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
        let shell = self.face.shell;
        out.push(Action::Say(Notice::Ended { run, ended, after: lived, shell, waiting }));
        if !left.is_empty() {
            out.push(Action::Say(Notice::LeftOvers { run, processes: left }));
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

    pub(super) fn gone(&mut self, run: RunId, stopped: Vec<LeftOver>, now: Instant, out: &mut Out) {
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

    pub(super) fn shim_lost(&mut self, run: Option<RunId>, now: Instant, out: &mut Out) {
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

    pub(super) fn still_there(
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
