//! What other processes ask: `status`, `wait`, `explain`.
#![expect(clippy::disallowed_methods, reason = "shell: makes the markers of those who wait")]

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::private::Private;
use super::task::{Task, is_over, millis};
use crate::config::Config;
use crate::control::{
    Call, Identity, Look, Outcome, PROTOCOL, Reply, Server, SocketDirectory, SocketDirectoryError,
    Status, WaitAnswer, Waiters,
};
use crate::explain::{self, Known};
use crate::model::Cause;
use crate::report::{self, JsonName};
use crate::supervisor::{Snapshot, State};
use crate::watch::{Survey, Watch};

/// Where an answer goes.
pub(super) type Asker = tokio::sync::oneshot::Sender<Reply>;

/// How many changed paths a cause names before it only counts them.
const NAMED: usize = 3;

/// The control socket, and those who wait for a run.
#[derive(Default)]
pub(super) struct Calls {
    server: Option<Server>,
    waiters: Waiters<Asker>,
}

impl Calls {
    /// Opens the control socket.
    ///
    /// # Errors
    /// What is wrong with its place.
    pub(super) fn listen(&mut self) -> Result<(), SocketDirectoryError> {
        self.server = Some(Server::start(&SocketDirectory::of_this_user())?);
        Ok(())
    }

    /// The next call; none without a socket.
    pub(super) async fn next(&mut self) -> Call {
        match &mut self.server {
            Some(server) => server.next().await,
            None => std::future::pending().await,
        }
    }

    /// Takes one in who waits. Its marker is a file: once the watch engine tells of it, all that was written before
    /// has been told.
    pub(super) fn wait(
        &mut self,
        settle_ms: Option<u64>,
        look: &Look,
        files: &Private,
        who: Asker,
    ) {
        let marker = self.waiters.add(settle_ms.map(Duration::from_millis), look, who);
        let made = match files.markers() {
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
    pub(super) fn make_markers_again(&self, files: &Private) {
        let Some(directory) = files.markers() else { return };
        for marker in self.waiters.unmarked() {
            let path = directory.join(marker.to_string());
            let _ = std::fs::remove_file(&path);
            // Writing was possible a moment ago; should it fail now, the one who waits has a time limit.
            let _ = std::fs::write(&path, b"");
        }
    }

    /// A marker has come back: everything that was on disk before it has been seen.
    pub(super) fn marked(&mut self, name: &OsStr, files: &Private) {
        let Some(marker) = name.to_str().and_then(|name| name.parse().ok()) else { return };
        if let Some(directory) = files.markers() {
            let _ = std::fs::remove_file(directory.join(name));
        }
        self.waiters.marked(marker);
    }

    /// Whether anybody waits for a run.
    pub(super) fn is_awaited(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Those who can be answered by now, with their answers.
    pub(super) fn answers(&mut self, look: &Look, now: Instant) -> Vec<(Asker, WaitAnswer)> {
        self.waiters.answer(look, now)
    }

    /// When one who waits can be answered by time alone.
    pub(super) fn deadline(&self, look: &Look) -> Option<Instant> {
        self.waiters.deadline(look)
    }
}

/// The identity of this instance.
pub(super) fn identity(task: &Task, config: &Config, now: Instant) -> Identity {
    Identity {
        v: PROTOCOL,
        pid: std::process::id(),
        name: config.name.clone(),
        directory: JsonName::from(config.directory.as_path()),
        age_ms: millis(task.tally(now).0.elapsed),
    }
}

/// The answer to `status`.
pub(super) fn status(task: &Task, config: &Config, now: Instant) -> Status {
    let state = task.state();
    Status {
        v: PROTOCOL,
        identity: identity(task, config, now),
        command: config.command.as_ref().map(|c| c.shown.clone()).unwrap_or_default(),
        state: word(state.state).to_owned(),
        paused: state.paused,
        run: state.run.map(|run| run.0),
        pid: state.pid,
        cause: state.cause.as_ref().map(|cause| told(cause, &config.directory)),
        since_ms: millis(now.saturating_duration_since(state.since)),
        last: task.last_end(&state, now),
        reloads: state.reloads,
        median_reload_us: state
            .median_reload
            .map(|d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX)),
        waiting: task.waiting() + state.kept,
        outputs: task.outputs().taken(),
    }
}

/// What those who wait go by. `edited`: the configuration is about to be read.
pub(super) fn look(task: &Task, config: &Config, edited: bool, now: Instant) -> Look {
    let state = task.state();
    Look {
        state: state.state,
        pending: edited || is_pending(task, &state),
        stuck: stuck(&state),
        run: state.run.map(|run| run.0),
        cause: state.cause.as_ref().map(|cause| told(cause, &config.directory)),
        since: state.since,
        last: task.last_end(&state, now),
    }
}

/// Whether something that was written is still to lead to a run. What is kept without one to come (its
/// run could not be started, or was stopped) is not: waiting for it would be waiting for a save.
fn is_pending(task: &Task, state: &Snapshot) -> bool {
    let kept = state.kept > 0 && !state.paused && !is_over(state.state);
    task.waiting() > 0 || kept
}

/// Why a change that has been settled leads to no run by itself.
fn stuck(state: &Snapshot) -> Option<Outcome> {
    let held = state.paused && state.kept > 0;
    held.then_some(Outcome::Held).or(state.dropped.then_some(Outcome::Ignored))
}

fn told(cause: &Cause, directory: &Path) -> String {
    let paths = match cause {
        Cause::Start => return "start".to_owned(),
        Cause::Crash => return "on_crash: restart".to_owned(),
        Cause::Request => return "request".to_owned(),
        Cause::Changes(paths) => paths,
    };
    let shown: Vec<String> =
        paths.iter().take(NAMED).map(|path| report::shown(path, directory)).collect();
    match paths.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} (+{more})", shown.join(", ")),
    }
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

/// What `explain` asks.
pub(super) enum Question {
    /// Why these paths count or do not.
    Paths(Vec<JsonName>),
    /// What is watched; with its tree.
    Survey { tree: bool },
}

/// Answers from a thread of its own, as long as anybody waits for it: the loop has other things to do.
pub(super) fn explain(
    question: Question,
    who: Asker,
    (task, config): (&Task, &Config),
    (watch, files): (&Watch, &Private),
) {
    let (filter, roots) = (Arc::clone(&config.filter), config.roots.clone());
    let settings = files.complete(&config.watch);
    let known = Known { polled: watch.without_events(), outputs: task.outputs().known_outputs() };
    let configuration = config.source();
    let work = move || {
        let mut survey = Survey::new(filter, roots, &settings);
        let wanted = || !who.is_closed();
        let reply = match question {
            Question::Paths(paths) => explain::judge(&mut survey, Some(&known), &paths, &wanted)
                .map(|verdicts| Reply::Explained { verdicts }),
            Question::Survey { tree } => {
                explain::gather(&mut survey, Some(&known), tree, configuration, &wanted)
                    .map(Reply::Surveyed)
            }
        };
        if let Some(reply) = reply {
            let _ = who.send(reply);
        }
    };
    // Without a thread the connection is closed, and the one who asks finds out by that.
    let _ = std::thread::Builder::new().name("gw-explain".into()).spawn(work);
}
