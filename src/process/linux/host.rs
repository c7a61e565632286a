//! The supervisor's end of the shim.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal as Number, WaitOptions, getpid};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::hosted::send_to;
use super::keep::Keep;
use super::link::Link;
use super::sys;
use super::tree::{self, Process};
use super::wire::{Order, Report};
use crate::model::{Ended, LeftOver, ProcessEvent, RunId, Signal, SpawnError, SpawnStage, Stdin};
use crate::process::explain::{self, Sought};
use crate::process::terminal::{self, Foreground, Watch};
use crate::process::{Launch, signals};

/// Between two looks at a tree that fell to us.
const ORPHANS_PAUSE: Duration = Duration::from_millis(1);
/// A shim that closed its socket has this long to end by itself.
const SHIM_PATIENCE: Duration = Duration::from_secs(2);

/// Starts and ends runs. One per supervisor; hosts one run at a time.
///
/// Orders never block and never fail: what becomes of them comes back as events.
#[derive(Debug)]
pub struct Host {
    link: Option<Link>,
    keep: Vec<OsString>,
    events: VecDeque<ProcessEvent>,
    /// Launched and not gone.
    run: Option<RunId>,
    /// What the current run's program is, should it not be found.
    sought: Sought,
    lost: Option<Lost>,
    children: Option<Stream>,
    foreground: Foreground,
    /// We have sent the run a signal that may end it.
    signalled: bool,
    /// SIGCONT and input, once a run is to have the terminal: signs that it is ours again.
    resume: Option<Stream>,
    watch: Option<Watch>,
}

/// The shim died: its tree falls to us, who are a subreaper too.
#[derive(Debug)]
struct Lost {
    shim: Option<Pid>,
    patience: Duration,
}

impl Host {
    /// Starts the shim. Call it on the main thread (the shim's life is tied to the thread that starts it),
    /// as early as possible; it needs no runtime yet. Only [`Host::next`] does.
    ///
    /// # Errors
    /// When the process or its socket can't be made.
    pub fn start() -> io::Result<Host> {
        rustix::process::set_child_subreaper(Some(getpid()))?;
        Ok(Host {
            link: Some(Link::start()?),
            keep: Vec::new(),
            events: VecDeque::new(),
            run: None,
            sought: Sought::default(),
            lost: None,
            children: None,
            foreground: Foreground::default(),
            signalled: false,
            resume: None,
            watch: None,
        })
    }

    /// Names of daemons that are left alone (`stop.keep`).
    pub fn settings(&mut self, stop_keep: &[String]) {
        self.keep = stop_keep.iter().map(OsString::from).collect();
        self.order(&Order::Keep(self.keep.clone()));
    }

    /// Starts a run: `Started` or `SpawnFailed` follows, then `Exited`, then `Gone`. The run before it must
    /// be gone.
    pub fn launch(&mut self, launch: &Launch) {
        let run = launch.run;
        self.sought = Sought::of(launch);
        if self.link.is_none() && self.lost.is_none() {
            match Link::start() {
                Ok(mut link) => {
                    link.send(&Order::Keep(self.keep.clone()));
                    self.link = Some(link);
                }
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(0);
                    let (stage, path) = (SpawnStage::Shim, "/proc/self/exe".into());
                    let error = SpawnError { stage, path, errno, detail: None };
                    self.events.push_back(ProcessEvent::SpawnFailed { run, error });
                    return;
                }
            }
        }
        self.run = Some(run);
        self.signalled = false;
        let terminal = launch.stdin == Stdin::Terminal;
        if terminal && self.resume.is_none() {
            self.resume = signals::stream(libc::SIGCONT);
            self.watch = Watch::start();
        }
        let foreground = terminal && self.foreground.prepare();
        self.order(&Order::Launch { launch: launch.clone(), foreground });
    }

    /// Sends the stop signal to the whole tree of the run, then SIGCONT. `Gone` follows when nothing is
    /// left of it (at once when the run is already gone).
    pub fn stop(&mut self, run: RunId, signal: Signal) {
        self.end(run, &Order::Stop { run, signal: signal.0 });
    }

    /// SIGKILL to everything of the run, again until nothing is left; `Gone` follows.
    pub fn kill(&mut self, run: RunId) {
        self.end(run, &Order::Kill { run });
    }

    /// Sends a signal to the run's process group and lets it live.
    pub fn signal(&mut self, run: RunId, signal: Signal) {
        self.signalled |= terminal::typed_signal(Ended::Signal(signal.0)).is_some();
        self.order(&Order::Signal { run, signal: signal.0 });
    }

    /// What still lives of the current run, its leader first; for the line about a slow stop.
    pub fn remaining(&self) -> Vec<LeftOver> {
        let root = self.link.as_ref().map_or(getpid(), |link| link.pid);
        self.living(root).iter().map(Process::named).collect()
    }

    /// Process id of the shim, when it lives.
    pub fn shim(&self) -> Option<u32> {
        self.link.as_ref().map(|link| link.pid.as_raw_nonzero().get() as u32)
    }

    /// The next event of a run. Cancel-safe.
    pub async fn next(&mut self) -> ProcessEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            if self.lost.is_some() {
                if !self.clean() {
                    tokio::time::sleep(ORPHANS_PAUSE).await;
                }
                continue;
            }
            self.wait().await;
        }
    }

    /// Ends the shim; call it after the last `Gone`. What should still live is stopped with at most 200 ms
    /// of grace. Dropping the host does the same.
    pub async fn shutdown(self) {
        drop(self);
    }

    fn order(&mut self, order: &Order) {
        if let Some(link) = &mut self.link {
            link.send(order);
        }
    }

    fn end(&mut self, run: RunId, order: &Order) {
        self.signalled = true;
        if self.link.is_none() && self.lost.is_none() {
            self.events.push_back(ProcessEvent::Gone { run, stopped: Vec::new() });
        }
        self.order(order);
    }

    /// Waits for the shim or for children that fell to us (as PID 1, anybody's).
    async fn wait(&mut self) {
        if self.children.is_none() {
            self.children = signal(SignalKind::child()).ok();
            // What has happened to a child by now has told nobody.
            self.reap();
            return;
        }
        let Some(link) = &mut self.link else {
            signals::next(&mut self.children).await;
            self.reap();
            return;
        };
        tokio::select! {
            biased;
            reports = link.receive() => match reports {
                Some(reports) => reports.into_iter().for_each(|report| self.take(report)),
                None => self.lose(),
            },
            () = signals::next(&mut self.children) => {
                self.reap();
            }
            () = signals::next(&mut self.resume) => self.give_terminal(),
            () = Watch::touched(&self.watch), if self.foreground.is_wanted() => self.give_terminal(),
        }
    }

    fn give_terminal(&mut self) {
        if self.foreground.continued() {
            self.resume_run();
        }
    }

    fn resume_run(&mut self) {
        if let Some(run) = self.run {
            self.signal(run, Signal(libc::SIGCONT));
        }
    }

    /// A report as an event.
    fn take(&mut self, report: Report) {
        let event = match report {
            Report::Started { run, pid } => {
                self.foreground.started(pid);
                ProcessEvent::Started { run, pid }
            }
            Report::Failed { run, stage, errno, path } => {
                self.run = None;
                self.take_terminal();
                let detail = explain::detail(stage, errno, &self.sought);
                ProcessEvent::SpawnFailed { run, error: SpawnError { stage, path, errno, detail } }
            }
            Report::Exited { run, ended, left } => {
                let by_hand = self.foreground.is_held() && !self.signalled;
                let typed = terminal::typed_signal(ended).filter(|_| by_hand);
                self.take_terminal();
                self.events.push_back(ProcessEvent::Exited { run, ended, left });
                let Some(signal) = typed else { return };
                ProcessEvent::Typed(signal)
            }
            Report::Gone { run, stopped } => {
                self.run = self.run.filter(|&current| current != run);
                ProcessEvent::Gone { run, stopped }
            }
            Report::Waits { run, process } => ProcessEvent::WaitsForTerminal { run, process },
            Report::Suspended { .. } => {
                let groups = self.groups();
                self.foreground.suspended(|group| groups.contains(&group));
                self.resume_run();
                return;
            }
        };
        self.events.push_back(event);
    }

    /// The run that had the terminal has ended.
    fn take_terminal(&mut self) {
        if self.foreground.is_held() {
            let groups = self.groups();
            self.foreground.ended(|group| groups.contains(&group));
        }
    }

    /// The process groups of what lives of the run.
    fn groups(&self) -> Vec<Pid> {
        let living = self.link.as_ref().map_or_else(Vec::new, |link| self.living(link.pid));
        living.iter().filter_map(|process| Pid::from_raw(process.group)).collect()
    }

    fn lose(&mut self) {
        let shim = self.link.take().map(|link| link.pid);
        self.lost = Some(Lost { shim, patience: SHIM_PATIENCE });
    }

    /// Waits for every child that has ended; the shim's end is noticed, and also that somebody has stopped it.
    fn reap(&mut self) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(Some((pid, status))) if status.stopped() => self.wake(pid),
                Ok(Some((pid, _))) => {
                    if self.link.as_ref().is_some_and(|link| link.pid == pid) {
                        self.lose();
                    }
                    if let Some(lost) = &mut self.lost {
                        lost.shim = lost.shim.filter(|&shim| shim != pid);
                    }
                }
                Ok(None) => return false,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return true,
            }
        }
    }

    /// A child of ours was stopped (SIGSTOP: the shim blocks all that can be blocked). A shim that sleeps starts
    /// and stops nothing, and could not clean up after us either: it goes on at once.
    fn wake(&self, stopped: Pid) {
        let shim = self.link.as_ref().map(|link| link.pid);
        let dying = self.lost.as_ref().and_then(|lost| lost.shim);
        if [shim, dying].contains(&Some(stopped)) {
            let _ = rustix::process::kill_process(stopped, Number::CONT);
        }
    }

    /// One round of killing what a dead shim left. True when nothing is left and it is said.
    fn clean(&mut self) -> bool {
        let childless = self.reap();
        let Some(lost) = &mut self.lost else { return true };
        if let Some(shim) = lost.shim.filter(|_| !childless) {
            // Its tree falls to us only when it has ended.
            lost.patience = lost.patience.saturating_sub(ORPHANS_PAUSE);
            if lost.patience.is_zero() {
                let _ = rustix::process::kill_process(shim, Number::KILL);
            }
            return false;
        }
        let orphans = if childless { Vec::new() } else { self.living(getpid()) };
        for process in &orphans {
            send_to(getpid().as_raw_nonzero().get(), process, Number::KILL);
        }
        if orphans.is_empty() {
            self.lost = None;
            self.take_terminal();
            let run = self.run.take();
            self.events.push_back(ProcessEvent::HostLost { run });
        }
        orphans.is_empty()
    }

    fn living(&self, root: Pid) -> Vec<Process> {
        let root = root.as_raw_nonzero().get();
        Keep::new(self.keep.clone(), sys::own_session()).split(root, tree::descendants(root)).0
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.take_terminal();
        if let Some(link) = self.link.take() {
            link.end(SHIM_PATIENCE);
        }
    }
}
