//! Unix without subreapers: a run is its process group. What leaves the group (`setsid`) is out of reach.
//! When we are killed with SIGKILL nobody is left to stop it.
//!
//! Only POSIX: so this is tested on Linux too.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ExitCode};
use std::time::Duration;

use rustix::process::{Pid, Signal as Number, WaitOptions};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::explain::{self, Sought};
use super::terminal::{self, Foreground, Watch};
use super::{Launch, signals};
use crate::model::{Ended, LeftOver, ProcessEvent, RunId, Signal, SpawnError, SpawnStage, Stdin};

#[path = "groups/spawn.rs"]
mod spawn;
#[cfg(test)]
#[path = "groups/tests.rs"]
mod tests;

/// A group sends no signal when its last member ends: so often it is asked for while it stops, …
const STOPPING_PAUSE: Duration = Duration::from_millis(10);
/// … and while it merely has left-overs.
const LEFT_OVERS_PAUSE: Duration = Duration::from_secs(1);
/// What should still live at the end has this long after SIGTERM, …
const LAST_GRACE: Duration = Duration::from_millis(200);
/// … and after SIGKILL.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// There is no shim here: records which signals were ignored when we were started. Must be the first thing
/// in `main`.
pub fn shim_entry() -> Option<ExitCode> {
    signals::remember_ignored();
    None
}

/// Starts and ends runs. One per supervisor; hosts one run at a time.
///
/// Orders never block and never fail: what becomes of them comes back as events.
#[derive(Debug, Default)]
pub struct Host {
    run: Option<Run>,
    events: VecDeque<ProcessEvent>,
    children: Option<Stream>,
    foreground: Foreground,
    resume: Option<Stream>,
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Run {
    id: RunId,
    group: Pid,
    name: std::ffi::OsString,
    leader_lives: bool,
    stopping: bool,
    killing: bool,
    told_waiting: bool,
    terminal: bool,
    signalled: bool,
    stopped: Vec<LeftOver>,
    /// The pipe of `stdin: open`.
    _input: Option<ChildStdin>,
}

impl Host {
    /// Nothing to start here. What we have inherited besides 0, 1 and 2 is kept from every run.
    ///
    /// # Errors
    /// None.
    pub fn start() -> io::Result<Host> {
        spawn::keep_inherited_descriptors();
        Ok(Host::default())
    }

    /// Daemons leave the process group, and are out of reach as it is.
    pub fn settings(&mut self, _stop_keep: &[String]) {}

    /// Starts a run: `Started` or `SpawnFailed` follows, then `Exited`, then `Gone`. The run before it must
    /// be gone. Call it inside the runtime.
    pub fn launch(&mut self, launch: &Launch) {
        let run = launch.run;
        let event = match self.spawn(launch) {
            Ok(child) => {
                let pid = child.id();
                self.foreground.started(pid);
                self.run = Some(Run::of(launch, child));
                ProcessEvent::Started { run, pid }
            }
            Err((stage, errno)) => {
                let path = match stage {
                    SpawnStage::WorkingDirectory => launch.directory.clone(),
                    _ => launch.argv.first().cloned().unwrap_or_default().into(),
                };
                let detail = explain::detail(stage, errno, &Sought::of(launch));
                ProcessEvent::SpawnFailed { run, error: SpawnError { stage, path, errno, detail } }
            }
        };
        self.events.push_back(event);
    }

    fn spawn(&mut self, launch: &Launch) -> Result<Child, (SpawnStage, i32)> {
        if self.run.is_some() {
            return Err((SpawnStage::Fork, libc::EBUSY));
        }
        // Before there is a child: its end must not be missed, nor its status be lost where SIGCHLD was
        // ignored when we were started.
        self.listen();
        let terminal = launch.stdin == Stdin::Terminal;
        if terminal && self.resume.is_none() {
            self.resume = signals::stream(libc::SIGCONT);
            self.watch = Watch::start();
        }
        let foreground = terminal && self.foreground.prepare();
        let child = spawn::spawn(launch, foreground);
        if child.is_err() && terminal {
            // It may have taken the terminal before it failed.
            self.foreground.ended(|_| false);
        }
        child
    }

    fn listen(&mut self) {
        if self.children.is_none() {
            self.children = signal(SignalKind::child()).ok();
        }
    }

    /// Sends the stop signal to the process group of the run, then SIGCONT. `Gone` follows when nothing is
    /// left of it (at once when the run is already gone).
    pub fn stop(&mut self, run: RunId, signal: Signal) {
        self.end(run, signal.0, false);
    }

    /// SIGKILL to the process group; `Gone` follows.
    pub fn kill(&mut self, run: RunId) {
        self.end(run, libc::SIGKILL, true);
    }

    fn end(&mut self, id: RunId, number: i32, killing: bool) {
        match &mut self.run {
            Some(run) if run.id == id => {
                if !run.leader_lives && !run.stopping {
                    run.stopped = run.left();
                }
                (run.stopping, run.killing, run.signalled) = (true, run.killing || killing, true);
                run.send(number);
                run.send(libc::SIGCONT);
            }
            _ => self.events.push_back(ProcessEvent::Gone { run: id, stopped: Vec::new() }),
        }
    }

    /// Sends a signal to the run's process group and lets it live.
    pub fn signal(&mut self, run: RunId, signal: Signal) {
        if let Some(run) = self.run.as_mut().filter(|current| current.id == run) {
            run.signalled |= matches!(signal.0, libc::SIGINT | libc::SIGQUIT);
            run.send(signal.0);
        }
    }

    /// What still lives of the current run: its group, under the name of its leader.
    pub fn remaining(&self) -> Vec<LeftOver> {
        self.run.as_ref().map_or_else(Vec::new, Run::left)
    }

    /// The next event of a run. Cancel-safe.
    pub async fn next(&mut self) -> ProcessEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            self.listen();
            self.look();
            if !self.events.is_empty() {
                continue;
            }
            let pause = self.pause();
            let pause = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = signals::next(&mut self.children) => {}
                () = signals::next(&mut self.resume) => self.give_terminal(),
                () = Watch::touched(&self.watch), if self.foreground.is_wanted() => self.give_terminal(),
                () = pause => {}
            }
        }
    }

    fn pause(&self) -> Option<Duration> {
        let run = self.run.as_ref()?;
        match (run.stopping, run.leader_lives) {
            (true, _) => Some(STOPPING_PAUSE),
            (false, false) => Some(LEFT_OVERS_PAUSE),
            (false, true) => None,
        }
    }

    fn give_terminal(&mut self) {
        if self.foreground.continued()
            && let Some(run) = &self.run
        {
            run.send(libc::SIGCONT);
        }
    }

    /// Ends what should still live: with at most 200 ms of grace. Dropping the host kills it at once.
    pub async fn shutdown(mut self) {
        let Some(run) = self.run.as_ref().map(|run| run.id) else { return };
        self.stop(run, Signal(libc::SIGTERM));
        if tokio::time::timeout(LAST_GRACE, self.gone(run)).await.is_err() {
            self.kill(run);
            let _ = tokio::time::timeout(LAST_PATIENCE, self.gone(run)).await;
        }
    }

    async fn gone(&mut self, id: RunId) {
        while !matches!(self.next().await, ProcessEvent::Gone { run, .. } if run == id) {}
    }

    /// Looks what has become of the run.
    fn look(&mut self) {
        while let Some(run) = self.run.as_ref().filter(|run| run.leader_lives) {
            let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
            match rustix::process::waitpid(Some(run.group), options) {
                Ok(None) => break,
                Ok(Some((_, status))) => match status.stopping_signal() {
                    Some(number) => self.stopped(number),
                    None => {
                        let killed = status.terminating_signal().map(Ended::Signal);
                        let exit = || Ended::Exit(status.exit_status().unwrap_or(0));
                        self.ended(killed.unwrap_or_else(exit));
                    }
                },
                Err(rustix::io::Errno::INTR) => {}
                // Somebody else has waited for it: how it ended will never be known.
                Err(_) => self.ended(Ended::Exit(255)),
            }
        }
        let Some(run) = &self.run else { return };
        if run.killing {
            run.send(libc::SIGKILL);
        }
        if !run.leader_lives && run.left().is_empty() {
            let (run, stopped) = (run.id, run.stopped.clone());
            self.run = None;
            self.events.push_back(ProcessEvent::Gone { run, stopped });
        }
    }

    /// The leader has ended and was waited for.
    fn ended(&mut self, ended: Ended) {
        let Some(run) = &mut self.run else { return };
        run.leader_lives = false;
        let left = if run.stopping { Vec::new() } else { run.left() };
        let by_hand = self.foreground.is_held() && !run.signalled;
        let group = run.group;
        self.events.push_back(ProcessEvent::Exited { run: run.id, ended, left });
        self.foreground.ended(|other| other == group);
        if let Some(signal) = terminal::typed_signal(ended).filter(|_| by_hand) {
            self.events.push_back(ProcessEvent::Typed(signal));
        }
    }

    fn stopped(&mut self, number: i32) {
        let Some(run) = &mut self.run else { return };
        match number {
            libc::SIGTTIN | libc::SIGTTOU if !run.terminal && !run.told_waiting => {
                run.told_waiting = true;
                let process = LeftOver { pid: run.pid(), name: run.name.clone() };
                self.events.push_back(ProcessEvent::WaitsForTerminal { run: run.id, process });
            }
            libc::SIGTSTP if run.terminal => {
                let group = run.group;
                self.foreground.suspended(|other| other == group);
                run.send(libc::SIGCONT);
            }
            _ => {}
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(run) = &self.run {
            run.send(libc::SIGKILL);
            let group = run.group;
            self.foreground.ended(|other| other == group);
        }
    }
}

impl Run {
    fn of(launch: &Launch, mut child: Child) -> Run {
        // The child is waited for by its pid; the handle is only what made it.
        let input = child.stdin.take();
        let program = PathBuf::from(launch.argv.first().cloned().unwrap_or_default());
        Run {
            id: launch.run,
            group: Pid::from_child(&child),
            name: program.file_name().unwrap_or_default().to_owned(),
            leader_lives: true,
            stopping: false,
            killing: false,
            told_waiting: false,
            terminal: launch.stdin == Stdin::Terminal,
            signalled: false,
            stopped: Vec::new(),
            _input: input,
        }
    }

    fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get() as u32
    }

    fn send(&self, number: i32) {
        if let Some(signal) = Number::from_named_raw(number) {
            let _ = rustix::process::kill_process_group(self.group, signal);
        }
    }

    /// The group as one left-over, if it has a member: who its members are is not known. (A group in which
    /// there is nobody whom we may signal, `EPERM`, is out of our hands: on macOS that is also the answer
    /// for one of zombies.)
    fn left(&self) -> Vec<LeftOver> {
        let lives = rustix::process::test_kill_process_group(self.group).is_ok();
        lives.then(|| LeftOver { pid: self.pid(), name: self.name.clone() }).into_iter().collect()
    }
}
