//! The run that a shim hosts: ending its whole tree, and knowing when it has ended.

use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::shim::{Shim, now};
use super::sys;
use super::tree::{self, Process};
use super::wire::Report;
use crate::model::{Ended, LeftOver, RunId};

/// The pause after the first round of killing; it doubles up to [`LAST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// What can't be killed (uninterruptible sleep) is tried again this often.
const LAST_PAUSE: Duration = Duration::from_millis(256);

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody asked it to stop.
    Running,
    /// It got the stop signal.
    Stopping,
    /// It is killed, again at this monotonic time.
    Killing { again: Duration },
}

/// The run and what has become of it.
#[derive(Debug)]
pub(super) struct Hosted {
    pub(super) run: RunId,
    /// `None` once it has ended (and is reaped: its number means nothing any more).
    pub(super) leader: Option<Pid>,
    pub(super) phase: Phase,
    pause: Duration,
    /// Pids and start times of what was killed in the last round.
    killed: Vec<(i32, u64)>,
    /// It is meant to have the terminal.
    terminal: bool,
    told_waiting: bool,
    /// Left-overs that were there when the stop was ordered.
    stopped: Vec<LeftOver>,
}

impl Hosted {
    pub(super) fn new(run: RunId, leader: Option<Pid>, terminal: bool) -> Hosted {
        let (phase, pause, told_waiting) = (Phase::Running, FIRST_PAUSE, false);
        let (killed, stopped) = (Vec::new(), Vec::new());
        Hosted { run, leader, phase, pause, killed, terminal, told_waiting, stopped }
    }
}

impl Shim {
    /// Sends only a signal, to the run's process group.
    pub(super) fn signal_group(&self, signal: i32) {
        let Some(signal) = sys::signal(signal) else { return };
        if let Some(leader) = self.hosted.as_ref().and_then(|hosted| hosted.leader) {
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    /// The stop signal to everything, then SIGCONT: what is stopped could not act on it otherwise.
    ///
    /// Each process gets it once: servers take a second one for "at once". What its handlers start
    /// afterwards (a clean-up command) is left in peace, hence the list is made first.
    pub(super) fn stop_tree(&mut self, signal: i32) {
        let Some(signal) = sys::signal(signal) else { return };
        let living = self.living_for_sure();
        self.note_left_overs(&living);
        let Some(hosted) = &mut self.hosted else { return };
        if hosted.phase == Phase::Running {
            hosted.phase = Phase::Stopping;
        }
        let leader = hosted.leader;
        self.send(leader, &living, signal);
        self.send_to_runaways(leader, &living, signal);
        self.send(leader, &living, Signal::CONT);
        self.reap();
    }

    /// Between the look and the stroke at the group a process can leave the group (`setsid`), or be
    /// forked outside of it: it would miss the signal and live for the whole grace time. Its parent may be
    /// ending of the signal just now, so one look is not enough.
    fn send_to_runaways(&self, leader: Option<Pid>, known: &[Process], signal: Signal) {
        let Some(group) = leader.map(|leader| leader.as_raw_nonzero().get()) else { return };
        let outside = |one: &Process| one.group != group && one.state != b'Z';
        let told = |one: &Process| known.iter().any(|known| known.pid == one.pid && outside(known));
        for process in self.living_for_sure().iter().filter(|one| outside(one) && !told(one)) {
            send_to(self.me, process, signal);
        }
    }

    /// SIGKILL to everything that is there; [`Phase::Killing`] says when again.
    pub(super) fn kill_round(&mut self) {
        let living = self.living();
        self.note_left_overs(&living);
        let Some(hosted) = &mut self.hosted else { return };
        // As long as newcomers appear (something forks against us), the rounds stay close.
        let round: Vec<_> = living.iter().map(|process| (process.pid, process.start)).collect();
        let newcomers = round.iter().any(|process| !hosted.killed.contains(process));
        hosted.pause = if newcomers { FIRST_PAUSE } else { (hosted.pause * 2).min(LAST_PAUSE) };
        hosted.phase = Phase::Killing { again: now() + hosted.pause };
        hosted.killed = round;
        let leader = hosted.leader;
        self.send(leader, &living, Signal::KILL);
        self.reap();
    }

    /// What is stopped although nobody would expect it: all that has outlived its leader, and, each name
    /// once, daemons (own session, parent gone) of a leader that lives.
    fn note_left_overs(&mut self, living: &[Process]) {
        let Some(hosted) = self.hosted.as_mut().filter(|hosted| hosted.phase == Phase::Running)
        else {
            return;
        };
        if hosted.leader.is_none() {
            hosted.stopped = names(living);
            return;
        }
        let (me, keep, told) = (self.me, &self.keep, &mut self.told_daemons);
        let mut daemons = living.to_vec();
        daemons.retain(|one| one.parent == me && keep.is_in_other_session(one));
        daemons.retain(|one| !told.contains(&one.name));
        told.extend(daemons.iter().map(|one| one.name.clone()));
        hosted.stopped = names(&daemons);
    }

    /// To the leader's group at one stroke, and to every process outside it.
    fn send(&self, leader: Option<Pid>, living: &[Process], signal: Signal) {
        if let Some(leader) = leader {
            let _ = rustix::process::kill_process_group(leader, signal);
        }
        let group = leader.map(|leader| leader.as_raw_nonzero().get());
        for process in living.iter().filter(|process| Some(process.group) != group) {
            send_to(self.me, process, signal);
        }
    }

    /// Everything below us that belongs to a run, parents first.
    fn living(&self) -> Vec<Process> {
        self.keep.split(self.me, tree::descendants(self.me)).0
    }

    /// The same, until a look finds nobody new: a look can miss a process whose parent ends meanwhile.
    fn living_for_sure(&self) -> Vec<Process> {
        let mut living = self.living();
        for _ in 0..4 {
            let mut new = self.living();
            new.retain(|one| !living.iter().any(|known| known.pid == one.pid));
            if new.is_empty() {
                break;
            }
            living.append(&mut new);
        }
        living
    }

    /// Whether nothing of the run is left. `waitpid` proves it, unless daemons are kept: then all that can
    /// be found must be kept, and something must be found, twice.
    fn is_empty(&self) -> bool {
        let only_kept = || {
            let (run, kept) = self.keep.split(self.me, tree::descendants(self.me));
            run.is_empty() && !kept.is_empty()
        };
        self.childless || (only_kept() && only_kept())
    }

    /// Reports what has become of the run after a look at `waitpid`.
    pub(super) fn settle(&mut self, ended: Option<Ended>) {
        let Some(hosted) = &self.hosted else { return };
        if hosted.leader.is_some() {
            return;
        }
        let (run, phase) = (hosted.run, hosted.phase);
        if let Some(ended) = ended {
            let left = match phase {
                Phase::Running if !self.childless => names(&self.living()),
                _ => Vec::new(),
            };
            self.tell(&Report::Exited { run, ended, left });
        }
        if self.is_empty() {
            let stopped = self.hosted.take().map(|hosted| hosted.stopped).unwrap_or_default();
            self.tell(&Report::Gone { run, stopped });
        } else if matches!(phase, Phase::Killing { .. }) && ended.is_some() {
            // What the leader's end has set free is ours now: no need to wait for the pause.
            self.kill_round();
        }
    }

    /// A child of ours was stopped by a signal.
    pub(super) fn stopped(&mut self, pid: Pid, signal: i32) {
        let Some(hosted) = &mut self.hosted else { return };
        let run = hosted.run;
        match signal {
            libc::SIGTTIN | libc::SIGTTOU if !hosted.told_waiting && !hosted.terminal => {
                hosted.told_waiting = true;
                let living = self.living();
                let group = tree::process(pid.as_raw_nonzero().get()).map_or(0, |one| one.group);
                let process = reader(&living, group).map(Process::named);
                let unknown = LeftOver { pid: pid.as_raw_nonzero().get() as u32, name: "?".into() };
                let process = process.unwrap_or(unknown);
                self.tell(&Report::Waits { run, process });
            }
            libc::SIGTSTP if hosted.terminal && hosted.leader == Some(pid) => {
                self.tell(&Report::Suspended { run });
            }
            _ => {}
        }
    }
}

/// Who of a stopped group wants the terminal: all of it is stopped. The one that has opened the terminal
/// beyond its output, else the innermost.
fn reader(living: &[Process], group: i32) -> Option<&Process> {
    let members = || living.iter().rev().filter(|one| one.group == group && one.state != b'Z');
    members().find(|one| tree::has_opened_terminal(one.pid)).or_else(|| members().next())
}

/// For messages; what has ended and was not yet waited for is not worth a name.
fn names(living: &[Process]) -> Vec<LeftOver> {
    living.iter().filter(|process| process.state != b'Z').map(Process::named).collect()
}

/// Signals exactly this process: by its number where only we can free that (it is our child), else through
/// a pidfd of which we know that it is still the same process.
pub(super) fn send_to(me: i32, process: &Process, signal: Signal) {
    let Some(pid) = Pid::from_raw(process.pid) else { return };
    if process.parent == me {
        let _ = rustix::process::kill_process(pid, signal);
        return;
    }
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(fd) => {
            if tree::process(process.pid).is_some_and(|now| now.start == process.start) {
                let _ = rustix::process::pidfd_send_signal(fd, signal);
            }
        }
        Err(rustix::io::Errno::NOSYS) => {
            let _ = rustix::process::kill_process(pid, signal);
        }
        Err(_) => {}
    }
}
