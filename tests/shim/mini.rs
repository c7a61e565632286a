//! The smallest program around the process room: enough of a loop for signals, keys and the terminal. It
//! logs every event to a file.

use std::io::Write as _;
use std::process::ExitCode;

use go_watcher::model::ProcessEvent;
use go_watcher::model::Stdin;
use go_watcher::model::{RunId, Signal};
use go_watcher::process::{Host, Key, Keys, Launch, Signals, raise_again};

use crate::support::{TERM, host, runtime};

/// The first argument. After it: the log, `null`, `open`, `terminal` or `keys`, the command.
pub(crate) const ROLE: &str = "mini";

struct Mini {
    host: Host,
    log: std::fs::File,
    launch: Launch,
    alive: bool,
    again: bool,
    end: Option<Option<Signal>>,
}

pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let [log, mode, argv @ ..] = arguments else { return ExitCode::FAILURE };
    let launch = Launch {
        run: RunId(0),
        argv: argv.iter().map(Into::into).collect(),
        env: std::env::vars_os().collect(),
        directory: std::env::current_dir().unwrap(),
        stdin: match mode.as_str() {
            "terminal" => Stdin::Terminal,
            "open" => Stdin::Open,
            _ => Stdin::Null,
        },
    };
    let host = host();
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut mini = Mini { host, log, launch, alive: false, again: false, end: None };
    match runtime().block_on(mini.run(mode == "keys")) {
        Some(signal) => {
            drop(mini);
            raise_again(signal)
        }
        None => ExitCode::SUCCESS,
    }
}

impl Mini {
    async fn run(&mut self, with_keys: bool) -> Option<Signal> {
        let mut signals = Signals::install().unwrap();
        let mut keys = with_keys.then(Keys::start).flatten();
        self.start();
        loop {
            let key = async {
                match &mut keys {
                    Some(keys) => keys.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.host.next() => {
                    self.event(&event);
                    if let (ProcessEvent::Exited { .. }, Some(keys)) = (&event, &mut keys) {
                        keys.refresh();
                    }
                }
                signal = signals.next() => {
                    self.say(&format!("signal {}", signal.0));
                    self.terminate(Some(signal));
                }
                key = key => {
                    self.say(&format!("key {key:?}"));
                    match key {
                        Key::Restart => {
                            self.again = true;
                            self.host.stop(self.launch.run, TERM);
                        }
                        Key::Stop => self.host.stop(self.launch.run, TERM),
                        Key::Quit => self.terminate(None),
                        Key::Clear => panic!("on purpose"),
                        _ => {}
                    }
                }
            }
            if let Some(end) = self.end.filter(|_| !self.alive) {
                return end;
            }
        }
    }

    /// In one piece: others read it meanwhile.
    fn say(&mut self, line: &str) {
        self.log.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn start(&mut self) {
        self.launch.run = RunId(self.launch.run.0 + 1);
        self.alive = true;
        let launch = self.launch.clone();
        self.host.launch(&launch);
    }

    fn terminate(&mut self, signal: Option<Signal>) {
        if self.end.replace(signal).is_some() {
            self.host.kill(self.launch.run);
        } else {
            self.host.stop(self.launch.run, TERM);
        }
    }

    fn event(&mut self, event: &ProcessEvent) {
        self.say(&format!("{event:?}"));
        match event {
            ProcessEvent::Typed(signal) => self.terminate(Some(*signal)),
            ProcessEvent::SpawnFailed { .. } | ProcessEvent::HostLost { .. } => self.alive = false,
            ProcessEvent::Gone { .. } => {
                self.alive = false;
                if std::mem::take(&mut self.again) {
                    self.start();
                }
            }
            _ => {}
        }
    }
}
