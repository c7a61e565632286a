//! The run that a shim hosts: ending all of it, and knowing when it has ended.
#![expect(clippy::disallowed_methods, reason = "a shim has its own clock")]

use std::time::{Duration, Instant};

use super::tree::{Group, Tree, named, names};
use super::wire::{Named, Report};
use crate::model::{Ended, RunId};
use crate::sys::process::{self, own_pid};
use crate::sys::signal::{SIGCONT, SIGKILL, SIGTSTP, SIGTTIN, SIGTTOU};

/// The pause after the first round of killing; it doubles up to [`LAST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// What can't be killed (uninterruptible sleep) is tried again this often.
const LAST_PAUSE: Duration = Duration::from_millis(256);
/// A group sends no signal when its last member ends: it is asked for this often while it stops.
const STOPPING_PAUSE: Duration = Duration::from_millis(10);
/// A group of mere left-overs is asked for this often.
const LEFT_OVERS_PAUSE: Duration = Duration::from_secs(1);

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No stop was asked for.
    Running,
    /// The stop signal was sent.
    Stopping,
    /// SIGKILL was sent, and will be again at this time.
    Killing { again: Instant },
}

/// The run and what has become of it.
#[derive(Debug)]
pub(super) struct Hosted {
    pub(super) run: RunId,
    pub(super) group: Group,
    phase: Phase,
    pause: Duration,
    /// Pids and start times of what was killed in the last round.
    killed: Vec<(i32, u64)>,
    /// The run is meant to have the terminal.
    terminal: bool,
    told_waiting: bool,
    /// Left-overs that were there when the stop was ordered.
    stopped: Vec<Named>,
}

impl Hosted {
    pub(super) fn new(run: RunId, group: Group, terminal: bool) -> Hosted {
        let (phase, pause, told_waiting) = (Phase::Running, FIRST_PAUSE, false);
        let (killed, stopped) = (Vec::new(), Vec::new());
        Hosted { run, group, phase, pause, killed, terminal, told_waiting, stopped }
    }

    /// Whether no stop was asked for yet.
    pub(super) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// When the next round of killing is due, once it is killed.
    pub(super) fn kill_again(&self) -> Option<Instant> {
        match self.phase {
            Phase::Killing { again } => Some(again),
            Phase::Running | Phase::Stopping => None,
        }
    }

    /// How long its group can be left alone; without end where a signal tells of each end.
    pub(super) fn look_again(&self, tree: &Tree) -> Option<Duration> {
        match self.phase {
            _ if !tree.is_group() => None,
            Phase::Running => self.group.leaderless.then_some(LEFT_OVERS_PAUSE),
            Phase::Stopping | Phase::Killing { .. } => Some(STOPPING_PAUSE),
        }
    }

    /// Sends only a signal, to its process group.
    pub(super) fn signal(&self, signal: i32) {
        if !self.group.leaderless {
            process::kill_group(self.group.id, signal);
        }
    }

    /// The stop signal to everything, then SIGCONT: what is stopped could not act on it otherwise.
    ///
    /// Each process gets it once: servers take a second one for "at once". What its handlers start
    /// afterwards (a clean-up command) is left in peace, hence the list is made first.
    pub(super) fn stop(&mut self, tree: &mut Tree, signal: i32) {
        let living = tree.living_for_sure(&self.group);
        self.note_left_overs(tree, &living);
        if self.is_running() {
            self.phase = Phase::Stopping;
        }
        tree.send(&self.group, &living, signal);
        tree.send_to_runaways(&self.group, &living, signal);
        tree.send(&self.group, &living, SIGCONT);
    }

    /// SIGKILL to everything that is there; [`Hosted::kill_again`] says when the next round is due.
    pub(super) fn kill(&mut self, tree: &mut Tree) {
        let living = tree.living(own_pid(), &self.group);
        self.note_left_overs(tree, &living);
        // As long as newcomers appear (something forks against us), the rounds stay close.
        let round: Vec<_> = living.iter().map(|process| (process.pid, process.start)).collect();
        let newcomers = round.iter().any(|process| !self.killed.contains(process));
        self.pause = if newcomers { FIRST_PAUSE } else { (self.pause * 2).min(LAST_PAUSE) };
        self.phase = Phase::Killing { again: Instant::now() + self.pause };
        self.killed = round;
        tree.send(&self.group, &living, SIGKILL);
    }

    /// Remembers what is worth a word when it is stopped: all that has outlived its leader, and daemons of a leader
    /// that lives.
    fn note_left_overs(&mut self, tree: &mut Tree, living: &[process::Process]) {
        if self.is_running() {
            self.stopped =
                if self.group.leaderless { names(living) } else { tree.new_daemons(living) };
        }
    }

    /// What still lives of it.
    pub(super) fn remaining(&self, tree: &Tree) -> Report {
        let living = tree.living(own_pid(), &self.group);
        Report::Remaining { run: self.run, processes: living.iter().map(named).collect() }
    }

    /// The leader has ended.
    pub(super) fn exited(&self, tree: &Tree, ended: Ended, childless: bool) -> Report {
        // A member of a group need not be the shim's child.
        let none_left = childless && !tree.is_group();
        let left = match self.phase {
            Phase::Running if !none_left => names(&tree.living(own_pid(), &self.group)),
            _ => Vec::new(),
        };
        Report::Exited { run: self.run, ended, left }
    }

    /// `Gone`, once nothing is left.
    pub(super) fn gone(&mut self, tree: &Tree, childless: bool) -> Option<Report> {
        let gone = self.group.leaderless && tree.is_empty(&self.group, childless);
        gone.then(|| Report::Gone { run: self.run, stopped: std::mem::take(&mut self.stopped) })
    }

    /// A child of the shim was stopped by a signal.
    pub(super) fn suspended(&mut self, tree: &Tree, pid: i32, signal: i32) -> Option<Report> {
        let run = self.run;
        match signal {
            SIGTTIN | SIGTTOU if !self.told_waiting && !self.terminal => {
                self.told_waiting = true;
                Some(Report::Waits { run, process: tree.reader(pid, &self.group) })
            }
            SIGTSTP if self.terminal && !self.group.leaderless && self.group.id == pid => {
                Some(Report::Suspended { run })
            }
            _ => None,
        }
    }
}
