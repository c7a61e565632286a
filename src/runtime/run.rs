//! `go-watcher run`: the loop. It receives, lets the pure rooms decide, and performs.
#![expect(clippy::disallowed_methods, reason = "the only clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config::Config;
use crate::process::{Host, Key, Keys, Signals, Stdin};
use crate::report::{Notice, Reporter, Summary};
use crate::settle::{Batch, Due, Settle};
use crate::supervisor::{Action, Cause, Event, Exit, Face, Request, RunId, Supervisor};
use crate::watch::{Comparison, Message, Seen, Timestamp, Watch};

use super::changed::ChangedFiles;
use super::git::{self, Gate, GitGate};
use super::launch::Environment;
use super::timer::Timer;

/// Messages of the watch engine that are taken in one go before anything else gets its turn.
const MESSAGES_A_TURN: usize = 1024;
/// How long the last lines may take to get out.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A running instance: every room, and nothing that decides.
pub(super) struct Instance {
    config: Arc<Config>,
    environment: Environment,
    reporter: Reporter,
    signals: Signals,
    keys: Option<Keys>,
    host: Host,
    watch: Watch,
    messages: UnboundedReceiver<Message>,
    settle: Settle,
    git: GitGate,
    supervisor: Supervisor,
    files: ChangedFiles,
    timer: Timer,
    same_bytes: u64,
    exit: Option<Exit>,
}

/// What woke the loop.
enum Wake {
    Process(Event),
    Watch(Message),
    Key(Key),
    Time,
}

impl Instance {
    /// Sets the rooms up and starts the first run; the walk comes after it. Must be called inside the
    /// tokio runtime, on the main thread.
    ///
    /// # Errors
    /// When the system has no descriptor, thread or signal handler to give.
    pub(super) fn start(config: Config, mut host: Host) -> std::io::Result<Self> {
        let now = Instant::now();
        let config = Arc::new(config);
        let signals = Signals::install()?;
        let keys = wants_keys(&config).then(Keys::start).flatten();
        let mut reporter = Reporter::new(config.report_settings());
        for notice in &config.notices {
            reporter.say(notice, now);
        }
        host.settings(&config.stop_keep);
        let face = face(&config, keys.is_some());
        let files = ChangedFiles::new();
        let mut settings = config.watch.clone();
        settings.own.extend(files.directory().map(std::path::Path::to_path_buf));
        let (sender, messages) = unbounded_channel();
        let since = Timestamp::now();
        let mut supervisor = Supervisor::new(config.supervise.clone(), face, now);
        let first = supervisor.handle(Event::Begin, now);
        let mut instance = Self {
            environment: Environment::new(&config),
            watch: Watch::start(settings, config.roots.clone(), config.filter.clone(), since, sender),
            settle: Settle::new(config.settle),
            git: GitGate::default(),
            timer: Timer::new()?,
            same_bytes: 0,
            exit: None,
            config,
            reporter,
            signals,
            keys,
            host,
            messages,
            supervisor,
            files,
        };
        instance.perform(first, now);
        Ok(instance)
    }

    /// Runs until something ends it, and tells what.
    pub(super) async fn go(mut self) -> Exit {
        loop {
            self.advance(Instant::now());
            if let Some(exit) = self.exit {
                return self.end(exit).await;
            }
            self.timer.arm(self.deadline(), Instant::now());
            let wake = self.wait().await;
            let now = Instant::now();
            match wake {
                Wake::Process(event) => self.happened(event, now),
                Wake::Watch(message) => self.see(message, now),
                Wake::Key(key) => self.press(key, now),
                Wake::Time => {}
            }
        }
    }

    /// The next thing that happens. What ends things comes before what starts things.
    async fn wait(&mut self) -> Wake {
        tokio::select! {
            biased;
            signal = self.signals.next() => Wake::Process(Event::Terminate(signal)),
            event = self.host.next() => Wake::Process(event),
            Some(message) = self.messages.recv() => Wake::Watch(message),
            key = next_key(&mut self.keys) => Wake::Key(key),
            () = self.timer.fired() => Wake::Time,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let rooms = [
            self.settle.deadline(),
            self.supervisor.deadline(),
            self.watch.deadline(),
            self.reporter.deadline(),
        ];
        rooms.into_iter().flatten().min()
    }

    /// Everything that is due by now.
    fn advance(&mut self, now: Instant) {
        let mut seen = Vec::new();
        self.watch.tick(now, &mut seen);
        self.note(seen, now);
        self.fire(now);
        let actions = self.supervisor.tick(now);
        self.perform(actions, now);
        self.reporter.tick(now);
    }

    /// Takes what the watch engine has to tell, many messages in one go: a storm must not cost a turn of
    /// the loop for each file.
    fn see(&mut self, message: Message, now: Instant) {
        let mut seen = Vec::new();
        self.watch.handle(message, now, &mut seen);
        for _ in 1..MESSAGES_A_TURN {
            let Ok(message) = self.messages.try_recv() else { break };
            self.watch.handle(message, now, &mut seen);
        }
        self.note(seen, now);
    }

    fn note(&mut self, seen: Vec<Seen>, now: Instant) {
        for seen in seen {
            match seen {
                Seen::Change(change) => self.settle.note(change, now),
                Seen::Say(notice) => self.reporter.say(&notice, now),
                Seen::Ready(mut watching) => {
                    watching.types = types(&self.config);
                    self.reporter.say(&Notice::Watching(watching), now);
                }
                Seen::ConfigChanged(_) | Seen::RulesChanged | Seen::Marker(_) => {}
            }
        }
    }

    /// Hands a complete save to the supervisor, unless git is at work or nothing really changed.
    fn fire(&mut self, now: Instant) {
        match self.settle.due(now) {
            None => {}
            Some(Due::Delayed { until, path, more }) => {
                let wait = until.saturating_duration_since(now);
                let duration = self.config.settle.duration;
                self.reporter.say(&Notice::Delayed { path, more, wait, duration }, now);
            }
            Some(Due::Ready) => {
                if self.gate_is_open(now)
                    && let Some(batch) = self.settle.take(now)
                {
                    self.verify(batch, now);
                }
            }
        }
    }

    fn gate_is_open(&mut self, now: Instant) -> bool {
        let was_held = self.git.is_held();
        let roots = self.config.roots.iter().map(|root| root.path.as_path());
        match self.git.look(roots, now) {
            Gate::Held(hold) => {
                self.settle.postpone(now + git::ASK_AGAIN);
                if hold.say {
                    self.say_hold(&hold, now);
                }
                return false;
            }
            Gate::Open if was_held => self.settle.reopen(now, Duration::ZERO),
            Gate::Sequence if was_held => self.settle.reopen(now, git::SEQUENCE_WINDOW),
            Gate::Sequence => self.settle.widen(git::SEQUENCE_WINDOW),
            Gate::Open => {}
        }
        true
    }

    fn say_hold(&mut self, hold: &git::Hold, now: Instant) {
        let holder = git::holder(&hold.lock);
        let left = git::LONGEST_HOLD.saturating_sub(now.duration_since(hold.since));
        let waiting = self.settle.waiting();
        let (lock, stale) = (hold.lock.clone(), holder.is_none());
        self.reporter.say(&Notice::GitHold { lock, holder, waiting, left, stale }, now);
    }

    fn verify(&mut self, batch: Batch, now: Instant) {
        if let Some(path) = &batch.noisy {
            let notice = Notice::Noisy { path: path.clone(), every: batch.last - batch.first };
            self.reporter.say(&notice, now);
        }
        match (self.watch.compare(&batch), batch.changes.first()) {
            (Comparison::Same, Some(first)) => {
                self.same_bytes += 1;
                let (path, more) = (first.path.clone(), batch.changes.len() - 1);
                self.reporter.say(&Notice::SameBytes { path, more }, now);
            }
            _ => self.happened(Event::Batch(batch), now),
        }
    }

    fn press(&mut self, key: Key, now: Instant) {
        let request = match key {
            Key::Restart => Request::Restart,
            Key::Stop => Request::Stop,
            Key::Pause => Request::TogglePause,
            Key::Quit => Request::Quit,
            Key::Clear => return self.reporter.clear(),
            Key::Help => return self.reporter.say(&Notice::KeyHelp, now),
            Key::Enter => return self.reporter.blank(),
            Key::Undo => return,
        };
        self.request(request, now);
    }

    fn request(&mut self, request: Request, now: Instant) {
        if request == Request::Restart
            && let Some(batch) = self.settle.take_all(now)
        {
            self.supervisor.keep(batch, now);
        }
        self.happened(Event::Request(request), now);
    }

    fn happened(&mut self, event: Event, now: Instant) {
        if matches!(event, Event::Exited { .. } | Event::Gone { .. })
            && let Some(keys) = &mut self.keys
        {
            keys.refresh();
        }
        let actions = self.supervisor.handle(event, now);
        self.perform(actions, now);
    }

    fn perform(&mut self, actions: Vec<Action>, now: Instant) {
        for action in actions {
            match action {
                Action::Spawn { run, cause } => self.spawn(run, &cause, now),
                Action::Stop { run } => self.host.stop(run, self.config.supervise.stop_signal),
                Action::Kill { run } => self.host.kill(run),
                Action::Signal { run, signal } => self.host.signal(run, signal),
                Action::Survey { run } => {
                    let processes = self.host.remaining();
                    self.happened(Event::StillThere { run, processes }, now);
                }
                Action::Say(notice) => self.reporter.say(&notice, now),
                Action::Exit(exit) => self.exit = Some(exit),
            }
        }
    }

    fn spawn(&mut self, run: RunId, cause: &Cause, now: Instant) {
        let launch = self.environment.prepare(&self.config, &mut self.files, run, cause);
        self.host.launch(&launch.launch);
        if let Some(notice) = launch.problem {
            self.reporter.say(&notice, now);
        }
        if matches!(cause, Cause::Changes(_)) {
            self.settle.run_started(now);
        }
        self.watch.run_started(None, now);
    }

    /// The last acts: the summary, the terminal, the shim.
    async fn end(mut self, exit: Exit) -> Exit {
        let now = Instant::now();
        if !self.config.supervise.once {
            let summary = self.summary(now);
            self.reporter.say(&Notice::Quit(summary), now);
        }
        drop(self.keys.take());
        self.reporter.flush(LAST_WORDS);
        self.host.shutdown().await;
        exit
    }

    fn summary(&self, now: Instant) -> Summary {
        let session = self.supervisor.session(now);
        Summary {
            elapsed: session.elapsed,
            runs: session.runs,
            failed: session.failed,
            last_failed: session
                .last_failed
                .map(|(run, ended, at)| (run, ended, crate::report::time_of_day(now - at))),
            same_bytes: self.same_bytes,
        }
    }
}

fn wants_keys(config: &Config) -> bool {
    config.keys && config.stdin != Stdin::Terminal && !config.supervise.once
}

fn face(config: &Config, keys: bool) -> Face {
    let (command, shell) = match &config.command {
        Some(command) => (command.shown.clone(), command.shell),
        None => (String::new(), false),
    };
    Face { command, shell, configuration: config.origin.to_string(), keys }
}

fn types(config: &Config) -> Vec<String> {
    config.filter.spec().types.iter().map(|pattern| pattern.text.to_string()).collect()
}

async fn next_key(keys: &mut Option<Keys>) -> Key {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}
