//! Scripts: what happens on the left, what must be ordered and said on the right.

use std::time::Instant;

use super::super::{Action, Event, Exit, Order, Request, Settings, Supervisor};
use super::{batch, face, ms, zero};
use crate::model::{
    Cause, Ended, LeftOver, Notice, ProcessEvent, RunId, Signal, SlotId, SpawnError, SpawnStage,
};

/// A supervisor that is told things and answers.
pub(super) struct Dialogue {
    pub(super) supervisor: Supervisor,
    pub(super) now: Instant,
    pub(super) start: Instant,
}

impl Dialogue {
    pub(super) fn new(settings: Settings) -> Dialogue {
        let now = zero();
        Dialogue { supervisor: Supervisor::new(settings, face(), now), now, start: now }
    }

    /// Plays lines of the form `what happens -> what is answered`. Empty lines are skipped.
    ///
    /// Happens: `begin`, `change A B`, `up N`, `no N` (cannot start), `exit N STATUS [left]`,
    /// `gone N [left]`, `still N`, `tty N`, `shim N`, `int`, `term`, the requests by name, `wait MS`
    /// (deadlines are kept), `keep A`.
    pub(super) fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (happens, answers) = line.split_once("->").unwrap_or((line, ""));
            let actions = self.happens(happens.trim());
            let told: Vec<String> = actions.iter().map(word).collect();
            assert_eq!(told.join(", "), answers.trim(), "after: {happens}");
        }
    }

    pub(super) fn happens(&mut self, happens: &str) -> Vec<Action> {
        let words: Vec<&str> = happens.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        let rest = || words[1..].join(" ");
        let run = || RunId(number(1));
        let left = |at: usize| {
            let named = words.get(at).into_iter();
            named.map(|name| LeftOver { pid: 7, name: name.into() }).collect::<Vec<_>>()
        };
        let event = match words[0] {
            "wait" => return self.wait(number(1)),
            "keep" => {
                self.supervisor.keep(batch(&rest(), self.now), self.now);
                return Vec::new();
            }
            "begin" => Event::Begin,
            "change" => Event::Batch(batch(&rest(), self.now)),
            "up" => process(ProcessEvent::Started { run: run(), pid: 100 + number(1) as u32 }),
            "no" => process(ProcessEvent::SpawnFailed { run: run(), error: cannot() }),
            "exit" => process(ProcessEvent::Exited {
                run: run(),
                ended: match words[2].strip_prefix("sig") {
                    Some(signal) => Ended::Signal(signal.parse().expect("a number")),
                    None => Ended::Exit(number(2) as i32),
                },
                left: left(3),
            }),
            "gone" => process(ProcessEvent::Gone { run: run(), stopped: left(2) }),
            "still" => process(ProcessEvent::StillThere { run: run(), processes: left(2) }),
            "tty" => {
                process(ProcessEvent::WaitsForTerminal { run: run(), process: left(2).remove(0) })
            }
            "shim" => process(ProcessEvent::HostLost { run: words.get(1).map(|_| run()) }),
            "int" => Event::Terminate(Signal(2)),
            "term" => Event::Terminate(Signal(15)),
            "restart" => Event::Request(Request::Restart),
            "stop" => Event::Request(Request::Stop),
            "pause" => Event::Request(Request::Pause),
            "resume" => Event::Request(Request::Resume),
            "toggle" => Event::Request(Request::TogglePause),
            "quit" => Event::Request(Request::Quit),
            other => panic!("no such word: {other}"),
        };
        self.supervisor.handle(event, self.now)
    }

    fn wait(&mut self, millis: u64) -> Vec<Action> {
        let end = self.now + ms(millis);
        let mut actions = vec![];
        while let Some(at) = self.supervisor.deadline().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            let told = self.supervisor.tick(self.now);
            assert!(!told.is_empty() || self.supervisor.deadline() != Some(at), "busy");
            actions.extend(told);
        }
        self.now = end;
        actions
    }
}

fn process(event: ProcessEvent) -> Event {
    Event::Process(SlotId::APP, event)
}

fn cannot() -> SpawnError {
    SpawnError { stage: SpawnStage::Exec, path: "./app".into(), errno: 2, detail: None }
}

/// An action in a word or two.
fn word(action: &Action) -> String {
    match action {
        Action::Order(_, Order::Spawn { run, cause }) => {
            format!("spawn {} {}", run.0, why(cause))
        }
        Action::Order(_, Order::Stop { run }) => format!("stop {}", run.0),
        Action::Order(_, Order::Kill { run }) => format!("kill {}", run.0),
        Action::Order(_, Order::Survey { run }) => format!("survey {}", run.0),
        Action::Order(_, Order::Signal { run, signal }) => {
            format!("signal {} {}", run.0, signal.0)
        }
        Action::Exit(Exit::Quit) => "exit".into(),
        Action::Exit(Exit::Signal(signal)) => format!("exit signal {}", signal.0),
        Action::Exit(Exit::Command(Ended::Exit(status))) => format!("exit {status}"),
        Action::Exit(Exit::Command(Ended::Signal(signal))) => format!("exit by {signal}"),
        Action::Exit(Exit::CannotStart(..)) => "exit cannot".into(),
        Action::Say(notice) => format!("'{}'", said(notice)),
    }
}

fn why(cause: &Cause) -> String {
    match cause {
        Cause::Start => "start".into(),
        Cause::Request => "request".into(),
        Cause::Crash => "crash".into(),
        Cause::Changes(paths) => paths.iter().map(|p| p.display().to_string()).collect(),
    }
}

fn said(notice: &Notice) -> String {
    let waits = |waiting: &bool| if *waiting { " waiting" } else { "" };
    match notice {
        Notice::Run { run, cause, .. } => format!("run {} {}", run.0, why(cause)),
        Notice::Restarted { took, .. } => format!("took {}", took.as_millis()),
        Notice::SlowStop { process, left, .. } => {
            format!("slow {} {} {}", process.pid, process.name.display(), left.as_millis())
        }
        Notice::Killed { .. } => "killed".into(),
        Notice::Busy { path, more, on_busy } => {
            format!("{} {} +{more}", on_busy.word(), path.display())
        }
        Notice::Ended { end, waiting, .. } => match end.ended {
            Ended::Exit(status) => format!("ended {status}{}", waits(waiting)),
            Ended::Signal(signal) => format!("ended sig{signal}{}", waits(waiting)),
        },
        Notice::CannotStart { waiting, .. } => format!("cannot{}", waits(waiting)),
        Notice::LeftOvers { processes, .. } => format!("left {}", processes.len()),
        Notice::LeftOversStopped { processes, .. } => format!("left stopped {}", processes.len()),
        Notice::ShimLost { .. } => "shim lost".into(),
        Notice::WaitsForTerminal { .. } => "tty".into(),
        Notice::CrashDelay { wait, .. } => format!("again in {}", wait.as_millis()),
        Notice::CrashGaveUp { starts } => format!("gave up after {starts}"),
        Notice::Paused => "paused".into(),
        Notice::Resumed { waiting } => format!("resumed {}", waiting.len()),
        Notice::Requested { what } => (*what).into(),
        other => panic!("not a notice of the supervisor: {other:?}"),
    }
}
