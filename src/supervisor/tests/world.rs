//! A small world of processes that does what real ones may do, in any order they may do it, and the
//! promises that are checked at each step.

use std::time::Instant;

use super::super::{Action, Event, Exit, Order, Request, Settings, Supervisor};
use super::{batch, face, ms};
use crate::model::{
    Cause, Ended, LeftOver, Notice, OnBusy, OnCrash, ProcessEvent, RunId, Signal, SlotId,
    SpawnError, SpawnStage,
};

/// What lives of the current run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    /// Nothing.
    None,
    /// Ordered, not up yet.
    Ordered,
    /// The leader.
    Leader,
    /// Only descendants of it.
    Descendants,
    /// Nothing, but it has not been told yet.
    Unreported,
}

/// One thing that may happen next. Not each is possible in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Change,
    Restart,
    Stop,
    Toggle,
    Quit,
    Terminate,
    /// The next deadline comes.
    Tick,
    Started,
    CannotStart,
    Succeeds,
    Fails,
    /// The leader ends and leaves descendants.
    Leaves,
    /// The last process ends.
    Empties,
    ShimDies,
}

pub(super) const STEPS: [Step; 14] = [
    Step::Change,
    Step::Restart,
    Step::Stop,
    Step::Toggle,
    Step::Quit,
    Step::Terminate,
    Step::Tick,
    Step::Started,
    Step::CannotStart,
    Step::Succeeds,
    Step::Fails,
    Step::Leaves,
    Step::Empties,
    Step::ShimDies,
];

/// A supervisor in its world.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) supervisor: Supervisor,
    now: Instant,
    run: u64,
    life: Life,
    /// `Stop` has been ordered for the current run; `Kill` has.
    asked: bool,
    killed: bool,
    /// A change that no run and no notice has answered.
    unanswered: bool,
    /// A change that the next run must be told of; and one that the ordered run was told of, which counts only
    /// when that has come up before anybody stopped it.
    owed: bool,
    carried: bool,
    /// The person stopped the command: what had changed before waits for what comes next.
    excused: bool,
    leaving: bool,
    exited: bool,
}

impl World {
    pub(super) fn new(settings: Settings, now: Instant) -> World {
        let supervisor = Supervisor::new(settings, face(), now);
        let mut world = World {
            supervisor,
            now,
            run: 0,
            life: Life::None,
            asked: false,
            killed: false,
            unanswered: false,
            owed: false,
            carried: false,
            excused: false,
            leaving: false,
            exited: false,
        };
        world.tell(Event::Begin);
        world
    }

    /// Makes a step, if it is possible here.
    pub(super) fn step(&mut self, step: Step) -> bool {
        let run = RunId(self.run);
        let exit = |status, left: &[u32]| ProcessEvent::Exited {
            run,
            ended: Ended::Exit(status),
            left: left.iter().map(|&pid| LeftOver { pid, name: "worker".into() }).collect(),
        };
        let event = match (step, self.life) {
            (Step::Change, _) => {
                self.unanswered = !self.leaving;
                self.owed = true;
                self.excused = false;
                Event::Batch(batch("a", self.now))
            }
            (Step::Restart, _) => Event::Request(Request::Restart),
            (Step::Stop, _) => {
                self.excused = true;
                Event::Request(Request::Stop)
            }
            (Step::Toggle, _) => Event::Request(Request::TogglePause),
            (Step::Quit, _) => {
                self.leaving = true;
                Event::Request(Request::Quit)
            }
            (Step::Terminate, _) => {
                self.leaving = true;
                Event::Terminate(Signal(2))
            }
            (Step::Tick, _) => return self.tick(),
            (Step::Started, Life::Ordered) => {
                self.life = Life::Leader;
                self.carried &= self.asked;
                process(ProcessEvent::Started { run, pid: 100 })
            }
            (Step::CannotStart, Life::Ordered) => {
                self.life = Life::None;
                process(ProcessEvent::SpawnFailed { run, error: cannot() })
            }
            (Step::Succeeds, Life::Leader) => {
                self.life = Life::Unreported;
                process(exit(0, &[]))
            }
            (Step::Fails, Life::Leader) => {
                self.life = Life::Unreported;
                process(exit(1, &[]))
            }
            (Step::Leaves, Life::Leader) => {
                self.life = Life::Descendants;
                process(exit(0, &[7]))
            }
            (Step::Empties, Life::Descendants | Life::Unreported) => {
                let had = self.life == Life::Descendants && self.asked;
                self.life = Life::None;
                let stopped = had.then(|| LeftOver { pid: 7, name: "worker".into() });
                process(ProcessEvent::Gone { run, stopped: stopped.into_iter().collect() })
            }
            (Step::ShimDies, life) => {
                let hosted = life != Life::None;
                self.life = Life::None;
                process(ProcessEvent::HostLost { run: hosted.then_some(run) })
            }
            _ => return false,
        };
        self.tell(event);
        true
    }

    fn tick(&mut self) -> bool {
        let Some(at) = self.supervisor.deadline() else { return false };
        self.now = self.now.max(at);
        let actions = self.supervisor.tick(self.now);
        assert!(!actions.is_empty() || self.supervisor.deadline() != Some(at), "a busy deadline");
        self.perform(actions);
        true
    }

    fn tell(&mut self, event: Event) {
        let actions = self.supervisor.handle(event, self.now);
        self.perform(actions);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            assert!(!self.exited, "{action:?} after the end");
            match action {
                Action::Order(slot, order) if slot != SlotId::APP => panic!("{slot:?}: {order:?}"),
                Action::Order(_, Order::Spawn { run, cause }) => self.spawned(run, &cause),
                Action::Order(_, Order::Stop { run }) => {
                    self.is_current(run, "stop");
                    assert!(!self.asked, "stopped twice");
                    self.asked = true;
                }
                Action::Order(_, Order::Kill { run }) => {
                    self.is_current(run, "kill");
                    assert!(self.asked && !self.killed, "killed unasked or twice");
                    self.killed = true;
                }
                Action::Order(_, Order::Signal { run, .. }) => {
                    self.is_current(run, "signal");
                    assert_eq!(self.life, Life::Leader);
                    self.answered();
                }
                Action::Order(_, Order::Survey { run }) => self.is_current(run, "survey"),
                Action::Say(Notice::Busy { on_busy: OnBusy::Ignore, .. }) => self.answered(),
                Action::Say(_) => {}
                Action::Exit(exit) => {
                    assert_eq!(self.life, Life::None, "left while something lives");
                    assert!(self.leaving || !matches!(exit, Exit::Signal(_)));
                    self.exited = true;
                }
            }
        }
    }

    fn spawned(&mut self, run: RunId, cause: &Cause) {
        assert_eq!(self.life, Life::None, "two alive");
        assert_eq!(run.0, self.run + 1, "runs are counted");
        assert!(!self.leaving, "started although told to leave");
        self.run = run.0;
        self.life = Life::Ordered;
        self.asked = false;
        self.killed = false;
        self.carried |= std::mem::take(&mut self.owed);
        assert!(!self.carried || !cause.paths().is_empty(), "it is not told what has changed");
        self.unanswered = false;
    }

    /// By a notice or a signal in place of a run.
    fn answered(&mut self) {
        self.unanswered = false;
        self.owed = false;
    }

    fn is_current(&self, run: RunId, what: &str) {
        assert!(run.0 == self.run && self.life != Life::None, "{what} of a stale run");
    }

    /// Events of runs that are over, and of another slot, have no effect.
    pub(super) fn ignores_the_past(&self) {
        let mut supervisor = self.supervisor.clone();
        let before = format!("{supervisor:?}");
        let gone = if self.life == Life::None { self.run } else { self.run.saturating_sub(1) };
        let past = [0, gone].map(|run| (SlotId::APP, RunId(run)));
        let elsewhere = [0, self.run].map(|run| (SlotId(1), RunId(run)));
        for (slot, run) in past.into_iter().chain(elsewhere) {
            let other = || LeftOver { pid: 1, name: "x".into() };
            for event in [
                ProcessEvent::Started { run, pid: 1 },
                ProcessEvent::SpawnFailed { run, error: cannot() },
                ProcessEvent::Exited { run, ended: Ended::Exit(1), left: vec![] },
                ProcessEvent::Gone { run, stopped: vec![other()] },
                ProcessEvent::StillThere { run, processes: vec![other()] },
                ProcessEvent::WaitsForTerminal { run, process: other() },
            ] {
                let told = format!("{event:?}");
                let actions = supervisor.handle(Event::Process(slot, event), self.now);
                assert!(actions.is_empty(), "{told} led to {actions:?}");
            }
            let lost = ProcessEvent::HostLost { run: Some(run) };
            let actions = supervisor.handle(Event::Process(slot, lost), self.now);
            assert!(actions.len() <= 1, "{actions:?}");
        }
        assert_eq!(before, format!("{supervisor:?}"));
    }

    /// Lets the world come to rest: processes do only what they must. Then every promise must be kept.
    pub(super) fn comes_to_rest(mut self, stubborn: bool) {
        for _ in 0..64 {
            let step = match self.life {
                _ if self.exited => break,
                Life::Ordered => Step::Started,
                Life::Unreported => Step::Empties,
                // Who must stop does: at once, or only when killed.
                Life::Leader if self.asked && (self.killed || !stubborn) => Step::Fails,
                Life::Descendants if self.asked && (self.killed || !stubborn) => Step::Empties,
                // A command that ends lets what is queued run.
                Life::Leader if !self.asked && self.queues() => Step::Succeeds,
                _ if self.supervisor.deadline().is_some() => Step::Tick,
                _ => break,
            };
            assert!(self.step(step), "{step:?} should be possible: {self:?}");
        }
        let resting = matches!(self.life, Life::None | Life::Leader | Life::Descendants);
        assert!(resting, "no rest: {self:?}");
        assert!(!self.asked || self.life == Life::None, "a stop without an end: {self:?}");
        assert!(!self.leaving || self.exited, "told to leave, and stayed: {self:?}");
        let kept = self.supervisor.paused && self.supervisor.state().kept > 0;
        let answered = !self.unanswered || self.excused || kept || self.exited;
        assert!(answered, "a change was lost: {self:?}");
    }

    fn queues(&self) -> bool {
        self.supervisor.settings.on_busy == OnBusy::Queue
            && !self.supervisor.paused
            && self.unanswered
    }

    /// Everything that decides what happens next, times as the distance from now.
    pub(super) fn shape(&self) -> String {
        let deadline = self.supervisor.deadline().map(|at| at.saturating_duration_since(self.now));
        let World { life, asked, killed, unanswered, owed, carried, .. } = *self;
        let World { excused, leaving, exited, .. } = *self;
        let flags = [asked, killed, unanswered, owed, carried, excused, leaving, exited];
        format!("{} {deadline:?} {life:?} {flags:?}", self.supervisor.shape(self.now))
    }
}

fn process(event: ProcessEvent) -> Event {
    Event::Process(SlotId::APP, event)
}

fn cannot() -> SpawnError {
    SpawnError { stage: SpawnStage::Exec, path: "./app".into(), errno: 2, detail: None }
}

/// All settings that decisions depend on.
pub(super) fn all_settings() -> Vec<Settings> {
    let mut all = vec![];
    for on_busy in [OnBusy::Restart, OnBusy::Queue, OnBusy::Ignore, OnBusy::Signal] {
        for on_crash in [OnCrash::Wait, OnCrash::Exit, OnCrash::Restart] {
            let settings = Settings { on_busy, on_crash, ..super::settings() };
            all.push(settings.clone());
            if on_crash == OnCrash::Wait {
                all.push(Settings { once: true, ..settings.clone() });
                all.push(Settings { postpone: true, ..settings.clone() });
                all.push(Settings { stop_timeout: ms(500), ..settings });
            }
        }
    }
    all
}
