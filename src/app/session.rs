//! A session: what there is once in a process. It owns the watch engine, the clock, the terminal, the signals, the
//! control socket, the printer and the task, and the loop, which receives, lets the pure rooms decide, and performs.
#![expect(clippy::disallowed_methods, reason = "the only clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::alarm::Alarm;
use super::calls::{self, Calls, Question};
use super::git::{Gate, GitGate, Hold};
use super::live::{Live, Read};
use super::pace::Pace;
use super::private::Private;
use super::task::{Shared, Task};
use crate::config::{Config, RunArgs};
use crate::control::{Ask, Call, Reply};
use crate::model::{Level, Notice, ProcessEvent, RunId, Signal, SlotId, Stdin, Summary};
use crate::process::{Host, Key, Keys, Signals};
use crate::report::{self, Reporter};
use crate::settle::numbers;
use crate::supervisor::{Exit, Request};
use crate::watch::{Message, Seen, Timestamp, Watch};

/// How long the last lines may take to get out.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Messages of the watch engine that are taken in one go before anything else gets its turn.
const MESSAGES_A_TURN: usize = 512;

/// A running instance.
pub(super) struct Session {
    args: RunArgs,
    config: Arc<Config>,
    live: Live,
    shared: Shared,
    messages: UnboundedReceiver<Message>,
    signals: Signals,
    keys: Option<Keys>,
    calls: Calls,
    git: GitGate,
    alarm: Alarm,
    pace: Pace,
    task: Task,
}

/// What woke the loop.
enum Wake {
    Process(SlotId, ProcessEvent),
    Signal(Signal),
    Watch(Message),
    Key(Key),
    Call(Call),
    Time,
}

impl Session {
    /// Sets the rooms up and starts the first run; the walk comes after it. Must be called inside the
    /// tokio runtime, on the main thread.
    ///
    /// # Errors
    /// When the system has no descriptor, thread or signal handler to give.
    pub(super) fn start(config: Config, args: RunArgs, host: Host) -> std::io::Result<Self> {
        let now = Instant::now();
        let config = Arc::new(config);
        let signals = Signals::install()?;
        let keys = wants_keys(&config).then(Keys::start).flatten();
        let mut reporter = Reporter::new(report_settings(&config, keys.is_some()));
        for notice in &config.notices {
            reporter.say(notice, now);
        }
        if let Some(missing) = host.lacks() {
            let text = format!(
                "{missing}: what leaves the command's process group (setsid) is not stopped, and drives that are \
                 mounted later are not noticed"
            );
            reporter.say(&Notice::Configuration { level: Level::Warning, text }, now);
        }
        let private = Private::new();
        let settings = private.complete(&config.watch);
        let (sender, messages) = unbounded_channel();
        let (filter, roots) = (Arc::clone(&config.filter), config.watched_roots());
        let watch = Watch::start(settings, roots, filter, Timestamp::now(), sender);
        let mut session = Self {
            task: Task::new(&config, host, keys.is_some(), now),
            live: Live::new(&config),
            shared: Shared { watch, reporter, private },
            calls: Calls::default(),
            git: GitGate::default(),
            alarm: Alarm::new()?,
            pace: Pace::default(),
            args,
            config,
            messages,
            signals,
            keys,
        };
        session.task.begin(&mut session.shared, now);
        session.listen(now);
        Ok(session)
    }

    /// Opens the control socket: after the first run, which does not wait for it.
    fn listen(&mut self, now: Instant) {
        if let Err(error) = self.calls.listen() {
            let text =
                format!("no control socket: {error}; status and wait cannot reach this instance");
            self.say(&Notice::Configuration { level: Level::Warning, text }, now);
        }
    }

    fn say(&mut self, notice: &Notice, now: Instant) {
        self.shared.reporter.say(notice, now);
    }

    // The loop.

    /// Runs until something ends it, and tells what.
    pub(super) async fn go(mut self) -> Exit {
        loop {
            self.advance(Instant::now());
            if let Some(exit) = self.task.exit() {
                return self.end(exit).await;
            }
            let now = Instant::now();
            self.alarm.arm(self.deadline(now), now);
            let wake = self.wait().await;
            let now = Instant::now();
            if self.pace.over(now) {
                let taken = self.drain(now);
                self.pace.looked(taken, now);
            }
            match wake {
                Wake::Process(slot, event) => self.happened(slot, event, now),
                Wake::Signal(signal) => self.task.terminate(signal, &mut self.shared, now),
                Wake::Watch(message) => {
                    self.pace.woken(now);
                    self.see(message, now);
                    if !self.messages.is_empty() {
                        // A loop that always finds a message never asks the system what else has happened: the
                        // end of a run, a key, Ctrl-C.
                        tokio::task::yield_now().await;
                    }
                }
                Wake::Key(key) => self.press(key, now),
                Wake::Call(call) => self.answer(call, now),
                Wake::Time => {}
            }
        }
    }

    /// The next thing that happens. What ends things comes before what starts things.
    async fn wait(&mut self) -> Wake {
        let paced = self.pace.deadline().is_some();
        tokio::select! {
            biased;
            signal = self.signals.next() => Wake::Signal(signal),
            (slot, event) = self.task.next() => Wake::Process(slot, event),
            Some(message) = self.messages.recv(), if !paced => Wake::Watch(message),
            key = next_key(&mut self.keys) => Wake::Key(key),
            call = self.calls.next() => Wake::Call(call),
            () = self.alarm.fired() => Wake::Time,
        }
    }

    fn deadline(&self, now: Instant) -> Option<Instant> {
        let awaited = self.calls.is_awaited().then(|| self.calls.deadline(&self.look(now)));
        let rooms = [
            self.task.deadline(),
            self.shared.watch.deadline(),
            self.shared.reporter.deadline(),
            awaited.flatten(),
            self.live.deadline(),
            self.pace.deadline(),
        ];
        rooms.into_iter().flatten().min()
    }

    /// Everything that is due by now.
    fn advance(&mut self, now: Instant) {
        let mut seen = Vec::new();
        self.shared.watch.tick(now, &mut seen);
        self.note(seen, now);
        self.read_configuration(now);
        self.fire(now);
        self.task.tick(&mut self.shared, now);
        self.shared.reporter.tick(now);
        self.answer_waiting(now);
    }

    /// The last acts: the summary, the terminal, the shim.
    async fn end(mut self, exit: Exit) -> Exit {
        let now = Instant::now();
        if !self.config.supervise.once {
            let summary = self.summary(now);
            self.say(&Notice::Quit(summary), now);
        }
        drop(self.keys.take());
        // What has been answered a moment ago is written by a task of its own.
        tokio::task::yield_now().await;
        self.shared.reporter.flush(LAST_WORDS);
        self.task.shutdown().await;
        exit
    }

    fn summary(&self, now: Instant) -> Summary {
        let (tally, same_bytes) = self.task.tally(now);
        Summary {
            elapsed: tally.elapsed,
            runs: tally.runs,
            failed: tally.failed,
            last_failed: tally
                .last_failed
                .map(|(run, ended, at)| (run, ended, report::time_of_day(now - at))),
            same_bytes,
        }
    }

    // Processes, people and scripts.

    fn happened(&mut self, slot: SlotId, event: ProcessEvent, now: Instant) {
        if matches!(event, ProcessEvent::Exited { .. } | ProcessEvent::Gone { .. })
            && let Some(keys) = &mut self.keys
        {
            keys.refresh();
        }
        self.task.happened(slot, event, &mut self.shared, now);
    }

    fn press(&mut self, key: Key, now: Instant) {
        let request = match key {
            Key::Restart => Request::Restart,
            Key::Stop => Request::Stop,
            Key::Pause => Request::TogglePause,
            Key::Quit => Request::Quit,
            Key::Clear => return self.shared.reporter.clear(),
            Key::Help => return self.say(&Notice::KeyHelp, now),
            Key::Enter => return self.shared.reporter.blank(),
            Key::Undo => return self.task.release_outputs(&mut self.shared, now),
        };
        self.task.request(request, &mut self.shared, now);
    }

    /// Answers a call, or keeps the one who waits.
    fn answer(&mut self, call: Call, now: Instant) {
        let question = match call.ask {
            Ask::Wait { settle_ms } => {
                let look = self.look(now);
                return self.calls.wait(settle_ms, &look, &self.shared.private, call.answer);
            }
            Ask::Explain { paths } => Question::Paths(paths),
            Ask::Survey { tree } => Question::Survey { tree },
            ask => {
                // The one who asked may be gone.
                let _ = call.answer.send(self.reply(&ask, now));
                return;
            }
        };
        let (watch, files) = (&self.shared.watch, &self.shared.private);
        calls::explain(question, call.answer, (&self.task, &self.config), (watch, files));
    }

    fn reply(&mut self, ask: &Ask, now: Instant) -> Reply {
        let request = match ask {
            Ask::Status => return Reply::Status(calls::status(&self.task, &self.config, now)),
            Ask::Restart => Request::Restart,
            Ask::Pause => Request::Pause,
            Ask::Resume => Request::Resume,
            Ask::Stop => Request::Stop,
            Ask::Quit => Request::Quit,
            Ask::Identify | Ask::Wait { .. } | Ask::Explain { .. } | Ask::Survey { .. } => {
                return Reply::Identity(calls::identity(&self.task, &self.config, now));
            }
        };
        self.task.request(request, &mut self.shared, now);
        Reply::Done
    }

    fn look(&self, now: Instant) -> crate::control::Look {
        calls::look(&self.task, &self.config, self.live.deadline().is_some(), now)
    }

    fn answer_waiting(&mut self, now: Instant) {
        if !self.calls.is_awaited() {
            return;
        }
        let look = self.look(now);
        for (who, answer) in self.calls.answers(&look, now) {
            self.task.answered(now);
            let _ = who.send(Reply::Waited(answer));
        }
    }

    // Changes.

    /// Takes what the watch engine has to tell, many messages in one go: a storm must not cost a turn of
    /// the loop for each file.
    fn see(&mut self, message: Message, now: Instant) {
        let mut seen = Vec::new();
        self.shared.watch.handle(message, now, &mut seen);
        self.note(seen, now);
        self.drain(now);
    }

    /// Takes what is there; returns how many messages it was.
    fn drain(&mut self, now: Instant) -> usize {
        let mut seen = Vec::new();
        let mut taken = 0;
        while taken < MESSAGES_A_TURN {
            let Ok(message) = self.messages.try_recv() else { break };
            self.shared.watch.handle(message, now, &mut seen);
            taken += 1;
        }
        self.note(seen, now);
        taken
    }

    fn note(&mut self, seen: Vec<Seen>, now: Instant) {
        for seen in seen {
            match seen {
                Seen::Change(change) if self.live.is_configuration(&change.path) => {}
                Seen::Change(change) => self.task.note(change, &self.shared, now),
                Seen::Say(notice) => self.say(&notice, now),
                Seen::Ready(watching) if watching.roots.is_empty() => {}
                Seen::Ready(mut watching) => {
                    watching.types = types(&self.config);
                    self.say(&Notice::Watching(watching), now);
                }
                Seen::Marker(name) => self.calls.marked(&name, &self.shared.private),
                Seen::CaughtUp => self.task.caught_up(),
                Seen::Rearmed => self.calls.make_markers_again(&self.shared.private),
                Seen::ConfigChanged(_) => self.live.touched(now),
                Seen::LinkMoved => self.live.link_moved(now),
                Seen::RulesChanged => self.task.forget_ignored_outputs(&mut self.shared, now),
            }
        }
    }

    /// Hands a complete save on, unless git is at work.
    fn fire(&mut self, now: Instant) {
        if self.task.settles().is_some_and(|at| at <= now) {
            // An event that is already here belongs to the same run.
            self.drain(now);
        }
        if self.task.due(&mut self.shared, now) && self.gate_is_open(now) {
            self.task.fire(&mut self.shared, now);
        }
    }

    fn gate_is_open(&mut self, now: Instant) -> bool {
        let mut was_held = self.git.is_held();
        let roots = self.config.roots.iter().map(|root| root.path.as_path());
        let gate = self.git.look(roots, now);
        was_held |= self.git.has_worked();
        if was_held && !self.git.is_held() {
            self.shared.watch.catch_up(now);
        }
        let settle = self.task.settle();
        match gate {
            Gate::Held(hold) => {
                settle.postpone(now + numbers::GIT_ASK_AGAIN);
                if hold.say {
                    self.say_hold(&hold, now);
                }
                return false;
            }
            Gate::Open if was_held => settle.reopen(now, Duration::ZERO),
            Gate::Sequence if was_held => settle.reopen(now, numbers::GIT_SEQUENCE_WINDOW),
            Gate::Sequence => settle.widen(numbers::GIT_SEQUENCE_WINDOW),
            Gate::Open => {}
        }
        true
    }

    fn say_hold(&mut self, hold: &Hold, now: Instant) {
        let left = numbers::GIT_PATIENCE.saturating_sub(now.duration_since(hold.since));
        let waiting = self.task.waiting();
        let (lock, age, stale) = (hold.lock.clone(), hold.age, hold.is_stale());
        self.say(&Notice::GitHold { lock, age, waiting, left, stale }, now);
    }

    // Live configuration.

    /// Reads the configuration again if it is time to.
    fn read_configuration(&mut self, now: Instant) {
        match self.live.read(&self.args, &self.config, now) {
            None => {}
            Some(Read::Good(newer)) => self.apply(*newer, now),
            Some(Read::Bad(error)) => {
                let run = self.living_run();
                let text = error.to_string();
                self.say(&Notice::ConfigurationRejected { text, run }, now);
            }
        }
    }

    fn living_run(&self) -> Option<RunId> {
        let state = self.task.state();
        state.pid.and(state.run)
    }

    fn apply(&mut self, newer: Config, now: Instant) {
        let newer = Arc::new(newer);
        let old = std::mem::replace(&mut self.config, Arc::clone(&newer));
        let changes = old.changes(&newer);
        let restarts = old.needs_restart(&newer);
        for notice in newer.notices.iter().filter(|notice| !old.notices.contains(notice)) {
            self.say(notice, now);
        }
        self.shared.reporter.configure(report_settings(&newer, self.keys.is_some()));
        if changes.is_some() || !self.live.is_link_moved() {
            let (file, changes) = (newer.source(), changes.into_iter().collect());
            let run = self.living_run();
            self.say(&Notice::ConfigurationApplied { file, changes, run, restarts }, now);
        }
        self.task.configure(&newer, self.keys.is_some(), &mut self.shared, now);
        if old.needs_walk(&newer) {
            let settings = self.live.complete(self.shared.private.complete(&newer.watch));
            let mut seen = Vec::new();
            let (filter, roots) = (Arc::clone(&newer.filter), newer.watched_roots());
            let since = self.live.in_force_since(&newer);
            self.shared.watch.set_filter(filter, roots, settings, since, now, &mut seen);
            self.note(seen, now);
        }
        if restarts {
            self.task.request(Request::Restart, &mut self.shared, now);
        }
    }
}

fn report_settings(config: &Config, keys: bool) -> report::Settings {
    report::Settings { keys, ..config.report_settings() }
}

fn wants_keys(config: &Config) -> bool {
    config.keys && config.stdin != Stdin::Terminal && !config.supervise.once
}

/// The included types as they are shown, with their dots.
fn types(config: &Config) -> Vec<String> {
    let dotted = |text: &str| match text.strip_prefix('.') {
        None if text.chars().all(char::is_alphanumeric) => format!(".{text}"),
        _ => text.to_owned(),
    };
    config.filter.spec().types.iter().map(|pattern| dotted(&pattern.text)).collect()
}

async fn next_key(keys: &mut Option<Keys>) -> Key {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}
