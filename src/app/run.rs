//! `go-watcher run`: the loop. It receives, lets the pure rooms decide, and performs.
#![expect(clippy::disallowed_methods, reason = "the only clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

use crate::cli::RunArgs;
use crate::config::Config;
use crate::control::{Call, Place, Reply, Server, Waiters};
use crate::model::{Level, Notice, Summary};
use crate::outputs::Outputs;
use crate::process::{Host, Key, Keys, Signals, Stdin};
use crate::report::{self, Reporter};
use crate::settle::Settle;
use crate::supervisor::{Event, Exit, Face, Request, Supervisor};
use crate::watch::{Message, Timestamp, Watch};

use super::calls::Latest;
use super::git::GitGate;
use super::launch;
use super::live::Live;
use super::outputs::seed;
use super::pace::Pace;
use super::private::Private;
use super::timer::Timer;

/// How long the last lines may take to get out.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A running instance: every room, and nothing that decides.
pub(super) struct Instance {
    pub(super) args: RunArgs,
    pub(super) config: Arc<Config>,
    pub(super) live: Live,
    pub(super) outputs: Outputs,
    pub(super) reporter: Reporter,
    pub(super) signals: Signals,
    pub(super) keys: Option<Keys>,
    pub(super) host: Host,
    pub(super) watch: Watch,
    pub(super) messages: UnboundedReceiver<Message>,
    pub(super) settle: Settle,
    pub(super) git: GitGate,
    pub(super) supervisor: Supervisor,
    pub(super) private: Private,
    pub(super) timer: Timer,
    pub(super) pace: Pace,
    pub(super) server: Option<Server>,
    pub(super) waiters: Waiters<oneshot::Sender<Reply>>,
    pub(super) latest: Latest,
    pub(super) same_bytes: u64,
    pub(super) put_backs: u32,
    /// Since when a batch waits for a file that has been emptied.
    pub(super) emptied: Option<Instant>,
    pub(super) exit: Option<Exit>,
}

/// What woke the loop.
enum Wake {
    Process(Event),
    Watch(Message),
    Key(Key),
    Call(Call),
    Time,
}

impl Instance {
    /// Sets the rooms up and starts the first run; the walk comes after it. Must be called inside the
    /// tokio runtime, on the main thread.
    ///
    /// # Errors
    /// When the system has no descriptor, thread or signal handler to give.
    pub(super) fn start(config: Config, args: RunArgs, mut host: Host) -> std::io::Result<Self> {
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
        host.settings(&config.stop_keep);
        host.environment(launch::environment(&config));
        let face = face(&config, keys.is_some());
        let private = Private::new();
        let settings = private.complete(&config.watch);
        let (sender, messages) = unbounded_channel();
        let since = Timestamp::now();
        let mut supervisor = Supervisor::new(config.supervise.clone(), face, now);
        let first = supervisor.handle(Event::Begin, now);
        let mut instance = Self {
            watch: Watch::start(
                settings,
                config.watched_roots(),
                config.filter.clone(),
                since,
                sender,
            ),
            settle: Settle::new(config.settle),
            git: GitGate::default(),
            timer: Timer::new()?,
            pace: Pace::default(),
            server: None,
            waiters: Waiters::default(),
            latest: Latest::default(),
            same_bytes: 0,
            put_backs: 0,
            emptied: None,
            exit: None,
            args,
            outputs: Outputs::new(seed()),
            live: Live::new(&config),
            config,
            reporter,
            signals,
            keys,
            host,
            messages,
            supervisor,
            private,
        };
        instance.perform(first, now);
        instance.listen(now);
        Ok(instance)
    }

    /// Opens the control socket: after the first run, which does not wait for it.
    fn listen(&mut self, now: Instant) {
        match Server::start(&Place::of_this_user()) {
            Ok(server) => self.server = Some(server),
            Err(error) => {
                let text = format!(
                    "no control socket: {error}; status and wait cannot reach this instance"
                );
                self.reporter.say(&Notice::Configuration { level: Level::Warning, text }, now);
            }
        }
    }

    /// Runs until something ends it, and tells what.
    pub(super) async fn go(mut self) -> Exit {
        loop {
            self.advance(Instant::now());
            if let Some(exit) = self.exit {
                return self.end(exit).await;
            }
            let now = Instant::now();
            self.timer.arm(self.deadline(now), now);
            let wake = self.wait().await;
            let now = Instant::now();
            if self.pace.over(now) {
                let taken = self.drain(now);
                self.pace.looked(taken, now);
            }
            match wake {
                Wake::Process(event) => self.happened(event, now),
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
            signal = self.signals.next() => Wake::Process(Event::Terminate(signal)),
            event = self.host.next() => Wake::Process(event),
            Some(message) = self.messages.recv(), if !paced => Wake::Watch(message),
            key = next_key(&mut self.keys) => Wake::Key(key),
            call = next_call(&mut self.server) => Wake::Call(call),
            () = self.timer.fired() => Wake::Time,
        }
    }

    fn deadline(&self, now: Instant) -> Option<Instant> {
        let rooms = [
            self.settle.deadline(),
            self.supervisor.deadline(),
            self.watch.deadline(),
            self.reporter.deadline(),
            self.waiting_deadline(now),
            self.live.deadline(),
            self.pace.deadline(),
            self.outputs.deadline(),
        ];
        rooms.into_iter().flatten().min()
    }

    /// Everything that is due by now.
    fn advance(&mut self, now: Instant) {
        let mut seen = Vec::new();
        self.watch.tick(now, &mut seen);
        self.note(seen, now);
        self.reload_configuration(now);
        self.fire(now);
        let actions = self.supervisor.tick(now);
        self.perform(actions, now);
        self.tell_findings(now);
        self.reporter.tick(now);
        self.answer_waiting(now);
    }

    pub(super) fn report_settings(&self) -> report::Settings {
        report_settings(&self.config, self.keys.is_some())
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
            Key::Undo => return self.release_outputs(now),
        };
        self.request(request, now);
    }

    pub(super) fn request(&mut self, request: Request, now: Instant) {
        if request == Request::Restart {
            self.outputs.request();
            self.take_along(now);
        }
        self.happened(Event::Request(request), now);
    }

    /// Whatever has changed by now goes with the run that is about to start.
    fn take_along(&mut self, now: Instant) {
        if let Some(batch) = self.settle.take_all(now) {
            self.supervisor.keep(batch, now);
        }
    }

    pub(super) fn happened(&mut self, event: Event, now: Instant) {
        if matches!(event, Event::Exited { .. } | Event::Gone { .. })
            && let Some(keys) = &mut self.keys
        {
            keys.refresh();
        }
        // Not before: until the command is there, every microsecond of this processor may be the shim's.
        let started = matches!(event, Event::Started { .. } | Event::SpawnFailed { .. });
        self.ended_for_outputs(&event, now);
        if matches!(event, Event::Gone { .. }) && self.supervisor.is_restarting() {
            // What came while the run was being stopped (its own last words, often) is seen by the next one.
            self.take_along(now);
        }
        self.latest.note(&event, now);
        let actions = self.supervisor.handle(event, now);
        self.perform(actions, now);
        if started {
            self.private.tidy();
        }
    }

    /// The last acts: the summary, the terminal, the shim.
    async fn end(mut self, exit: Exit) -> Exit {
        let now = Instant::now();
        if !self.config.supervise.once {
            let summary = self.summary(now);
            self.reporter.say(&Notice::Quit(summary), now);
        }
        drop(self.keys.take());
        // What has been answered a moment ago is written by a task of its own.
        tokio::task::yield_now().await;
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
                .map(|(run, ended, at)| (run, ended, report::time_of_day(now - at))),
            same_bytes: self.same_bytes,
        }
    }
}

fn report_settings(config: &Config, keys: bool) -> report::Settings {
    report::Settings { keys, ..config.report_settings() }
}

fn wants_keys(config: &Config) -> bool {
    config.keys && config.stdin != Stdin::Terminal && !config.supervise.once
}

pub(super) fn face(config: &Config, keys: bool) -> Face {
    let (command, shell) = match &config.command {
        Some(command) => (command.shown.clone(), command.shell),
        None => (String::new(), false),
    };
    Face { command, shell, configuration: config.origin.to_string(), keys }
}

async fn next_key(keys: &mut Option<Keys>) -> Key {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

async fn next_call(server: &mut Option<Server>) -> Call {
    match server {
        Some(server) => server.next().await,
        None => std::future::pending().await,
    }
}
