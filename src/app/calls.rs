//! The loop's part that answers other processes: `status`, `wait`, orders.
#![expect(clippy::disallowed_methods, reason = "shell: makes the markers of those who wait")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::run::Instance;
use crate::control::{Ask, Call, Ending, Identity, Look, Name, PROTOCOL, Reply, Status};
use crate::explain::{self, Known};
use crate::model::{Cause, Ended, ExitStatus, RunId};
use crate::report;
use crate::supervisor::{Event, Request, Snapshot, State};
use crate::watch::Survey;

/// Where an answer goes.
type Asker = tokio::sync::oneshot::Sender<Reply>;

/// How many changed paths a cause names before it only counts them.
const NAMED: usize = 3;
/// A run whose end is not known was killed by us, with what was left of it: SIGKILL, the same number on
/// every Unix (signal(7)).
const KILLED: i32 = 9;

/// What those who wait have to know of the latest run beyond how it ended by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Latest {
    up: Option<(RunId, Instant)>,
    not_started: Option<(RunId, ExitStatus)>,
}

impl Latest {
    /// Remembers that a run came up, or that it could not.
    pub(super) fn note(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Started { run, .. } => self.up = Some((*run, now)),
            Event::SpawnFailed { run, error } => {
                self.not_started = Some((*run, ExitStatus::from((error.stage, error.errno))));
            }
            _ => {}
        }
    }

    /// How a run ended that is over but did not end by itself: not started, stopped, or lost.
    fn end(&self, run: RunId, state: &Snapshot, stop: i32) -> (Ended, Duration) {
        match (self.not_started, self.up) {
            (Some((failed, status)), _) if failed == run => {
                (Ended::Exit(status.code().into()), Duration::ZERO)
            }
            (_, up) => {
                let up = up.filter(|(up, _)| *up == run);
                let lived = up.map(|(_, at)| state.since.saturating_duration_since(at));
                let signal = if state.state == State::Failed { KILLED } else { stop };
                (Ended::Signal(signal), lived.unwrap_or_default())
            }
        }
    }
}

impl Instance {
    /// Answers now, or keeps the one who waits.
    pub(super) fn answer(&mut self, call: Call, now: Instant) {
        let reply = match call.ask {
            Ask::Identify => Reply::Identity(self.identity(now)),
            Ask::Status => Reply::Status(self.status(now)),
            Ask::Wait { settle_ms } => return self.keep_waiting(settle_ms, call.answer, now),
            Ask::Explain { paths } => return self.explain(paths, call.answer),
            Ask::Survey { tree } => return self.survey(tree, call.answer),
            Ask::Restart => self.order(Request::Restart, now),
            Ask::Pause => self.order(Request::Pause, now),
            Ask::Resume => self.order(Request::Resume, now),
            Ask::Stop => self.order(Request::Stop, now),
            Ask::Quit => self.order(Request::Quit, now),
        };
        // Whoever asked may be gone.
        let _ = call.answer.send(reply);
    }

    fn order(&mut self, request: Request, now: Instant) -> Reply {
        self.request(request, now);
        Reply::Done
    }

    fn identity(&self, now: Instant) -> Identity {
        Identity {
            v: PROTOCOL,
            pid: std::process::id(),
            name: self.config.name.clone(),
            directory: self.config.directory.as_os_str().as_bytes().to_vec(),
            age_ms: millis(self.supervisor.session(now).elapsed),
        }
    }

    fn status(&self, now: Instant) -> Status {
        let state = self.supervisor.state();
        Status {
            v: PROTOCOL,
            identity: self.identity(now),
            command: self.config.command.as_ref().map(|c| c.shown.clone()).unwrap_or_default(),
            state: word(state.state).to_owned(),
            paused: state.paused,
            run: state.run.map(|run| run.0),
            pid: state.pid,
            cause: state.cause.as_ref().map(|cause| self.cause(cause)),
            since_ms: millis(now.saturating_duration_since(state.since)),
            last: self.last_end(&state, now),
            reloads: state.reloads,
            median_reload_us: state
                .median_reload
                .map(|d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX)),
            waiting: self.settle.waiting() + state.kept,
            outputs: self.outputs.taken(),
        }
    }

    fn cause(&self, cause: &Cause) -> String {
        let Cause::Changes(paths) = cause else {
            return match cause {
                Cause::Start => "start",
                Cause::Crash => "on_crash: restart",
                Cause::Request | Cause::Changes(_) => "request",
            }
            .to_owned();
        };
        let shown: Vec<String> = paths
            .iter()
            .take(NAMED)
            .map(|path| report::shown(path, &self.config.directory))
            .collect();
        match paths.len().saturating_sub(NAMED) {
            0 => shown.join(", "),
            more => format!("{} (+{more})", shown.join(", ")),
        }
    }

    fn keep_waiting(
        &mut self,
        settle_ms: Option<u64>,
        who: tokio::sync::oneshot::Sender<Reply>,
        now: Instant,
    ) {
        let look = self.look(now);
        let marker = self.waiters.add(settle_ms.map(Duration::from_millis), &look, who);
        let made = match self.private.markers() {
            Some(directory) => std::fs::write(directory.join(marker.to_string()), b""),
            None => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        };
        if let Err(error) = made {
            let why = format!("the temporary directory: {error}; free some space");
            for who in self.waiters.give_up() {
                let _ = who.send(Reply::Refused { why: why.clone() });
            }
        }
    }

    /// Markers that were made while their directory was not watched never come back: they are made once more.
    pub(super) fn make_markers_again(&mut self) {
        let Some(directory) = self.private.markers() else { return };
        for marker in self.waiters.unmarked() {
            let path = directory.join(marker.to_string());
            let _ = std::fs::remove_file(&path);
            // It was possible a moment ago; should it not be now, the one who waits has a time limit.
            let _ = std::fs::write(&path, b"");
        }
    }

    /// A marker has come back: everything that was on disk before it has been seen.
    pub(super) fn marked(&mut self, name: &OsStr) {
        let Some(marker) = name.to_str().and_then(|name| name.parse().ok()) else { return };
        if let Some(directory) = self.private.markers() {
            let _ = std::fs::remove_file(directory.join(name));
        }
        self.waiters.marked(marker);
    }

    /// Answers everyone who can be answered by now.
    pub(super) fn answer_waiting(&mut self, now: Instant) {
        if self.waiters.is_empty() {
            return;
        }
        let look = self.look(now);
        for (who, answer) in self.waiters.answer(&look, now) {
            self.outputs.answered(now);
            let _ = who.send(Reply::Waited(answer));
        }
    }

    /// When a waiting one can be answered by time alone.
    pub(super) fn waiting_deadline(&self, now: Instant) -> Option<Instant> {
        if self.waiters.is_empty() { None } else { self.waiters.deadline(&self.look(now)) }
    }

    fn look(&self, now: Instant) -> Look {
        let state = self.supervisor.state();
        Look {
            state: state.state,
            pending: self.pending(&state),
            run: state.run.map(|run| run.0),
            cause: state.cause.as_ref().map(|cause| self.cause(cause)),
            since: state.since,
            last: self.last_end(&state, now),
        }
    }

    /// Whether something that was written is still to lead to a run. What is kept without one to come (its
    /// run could not be started, or was stopped) is not: waiting for it would be waiting for a save.
    fn pending(&self, state: &Snapshot) -> bool {
        let kept = state.kept > 0 && (state.paused || !over(state.state));
        self.settle.waiting() > 0 || self.live.deadline().is_some() || kept
    }

    /// How the last run that is over ended: the latest one, whatever ended it, when nothing runs.
    fn last_end(&self, state: &Snapshot, now: Instant) -> Option<Ending> {
        let ago = Some(millis(now.saturating_duration_since(state.since)));
        let by_itself = state.last_end;
        match state.run.filter(|run| over(state.state) && by_itself.is_none_or(|l| l.0 != *run)) {
            Some(run) => {
                let stop = self.config.supervise.stop_signal.0;
                let (ended, lived) = self.latest.end(run, state, stop);
                Some(Ending::new(run.0, ended, millis(lived), ago))
            }
            None => by_itself.map(|(run, ended, lived)| {
                let ago = ago.filter(|_| state.run == Some(run));
                Ending::new(run.0, ended, millis(lived), ago)
            }),
        }
    }

    fn explain(&self, paths: Vec<Name>, who: Asker) {
        self.aside(who, move |survey, known, _, go_on| {
            let verdicts = explain::judge(survey, Some(known), &paths, go_on)?;
            Some(Reply::Explained { verdicts })
        });
    }

    fn survey(&self, tree: bool, who: Asker) {
        self.aside(who, move |survey, known, configuration, go_on| {
            let gathered = explain::gather(survey, Some(known), tree, configuration, go_on);
            gathered.map(Reply::Surveyed)
        });
    }

    /// Answers from a thread of its own, as long as anybody waits for it: the loop has other things to do.
    fn aside(
        &self,
        who: Asker,
        answer: impl FnOnce(&mut Survey, &Known, String, &dyn Fn() -> bool) -> Option<Reply>
        + Send
        + 'static,
    ) {
        let (filter, roots) = (Arc::clone(&self.config.filter), self.config.roots.clone());
        let settings = self.private.complete(&self.config.watch);
        let known =
            Known { polled: self.watch.without_events(), outputs: self.outputs.known_outputs() };
        let configuration = self.config.source();
        let work = move || {
            let mut survey = Survey::new(filter, roots, &settings);
            let wanted = || !who.is_closed();
            if let Some(reply) = answer(&mut survey, &known, configuration, &wanted) {
                let _ = who.send(reply);
            }
        };
        // Without a thread the connection is closed, and whoever asks finds out by itself.
        let _ = std::thread::Builder::new().name("gw-explain".into()).spawn(work);
    }
}

/// Whether nothing runs and nothing is about to.
fn over(state: State) -> bool {
    matches!(state, State::Waiting | State::Failed | State::Paused)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn word(state: State) -> &'static str {
    match state {
        State::Starting => "starting",
        State::Running => "running",
        State::Building => "building",
        State::Waiting => "waiting",
        State::Stopping => "stopping",
        State::Failed => "failed",
        State::Paused => "paused",
    }
}
