//! The host: the program's end of the shim.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

use super::launch::{self, Launch, Sought};
use super::link::Link;
use super::signals;
use super::terminal::{self, Foreground};
use super::tree::{Group, Shape, Tree};
use super::wire::{Named, Order, Report};
use crate::model::{Ended, LeftOver, ProcessEvent, RunId, Signal, SpawnError, SpawnStage, Stdin};
use crate::sys::dispositions::{self, Stream};
use crate::sys::process::{self, Child, Process, own_pid};
use crate::sys::readable::Readable;
use crate::sys::signal::{SIGCHLD, SIGCONT, SIGKILL, SIGWINCH};
use crate::sys::{processes, this};

/// The pause between two looks at a tree that fell to us.
const ORPHANS_PAUSE: Duration = Duration::from_millis(1);
/// A shim that closed its socket has this long to end by itself.
const SHIM_PATIENCE: Duration = Duration::from_secs(2);

/// Starts and ends runs. One per supervisor; hosts one run at a time.
///
/// Orders never block and never fail: what becomes of them comes back as events.
#[derive(Debug)]
pub struct Host {
    shape: Shape,
    link: Option<Link>,
    /// What the shim is told before it starts anything, and its successor again.
    keep: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    events: VecDeque<ProcessEvent>,
    /// Launched and not gone.
    run: Option<RunId>,
    /// The process group of the run that started last.
    group: Option<Group>,
    tree: Tree,
    /// What the current run's program is, should it not be found.
    sought: Sought,
    lost: Option<Lost>,
    children: Option<Stream>,
    foreground: Foreground,
    /// We have sent the run a signal that may end it.
    signalled: bool,
    /// SIGCONT and input, once a run is to have the terminal: signs that it is ours again.
    resume: Option<Stream>,
    watch: Option<Readable>,
    /// SIGWINCH: the terminal has another size. The kernel tells its foreground process group, which is ours.
    resized: Option<Stream>,
}

/// The shim died: its tree falls to us, who are a subreaper too; a group can be signalled by anybody.
#[derive(Debug)]
struct Lost {
    shim: Option<i32>,
    patience: Duration,
}

impl Host {
    /// Starts the shim, as early as possible; it needs no runtime yet. Only [`Host::next`] does.
    ///
    /// # Errors
    /// When the process or its socket can't be made.
    pub fn start(shape: Shape) -> io::Result<Host> {
        shape.take_orphans()?;
        Ok(Host {
            shape,
            link: Some(Link::start(shape)?),
            keep: Vec::new(),
            environment: Vec::new(),
            events: VecDeque::new(),
            run: None,
            group: None,
            tree: Tree::new(shape),
            sought: Sought::default(),
            lost: None,
            children: None,
            foreground: Foreground::default(),
            signalled: false,
            resume: None,
            watch: None,
            resized: None,
        })
    }

    /// Names of daemons that are left alone (`stop.keep`).
    pub fn settings(&mut self, stop_keep: &[String]) {
        self.keep = stop_keep.iter().map(OsString::from).collect();
        self.tree.keep.set_names(self.keep.clone());
        self.order(&Order::Keep(self.keep.clone()));
    }

    /// What every run finds in its environment, from now on.
    pub fn environment(&mut self, environment: Vec<(OsString, OsString)>) {
        if self.environment != environment {
            self.environment = environment;
            self.order(&Order::Environment(self.environment.clone()));
        }
    }

    /// Starts a run: `Started` or `SpawnFailed` follows, then `Exited`, then `Gone`. The run before it must
    /// be gone.
    pub fn launch(&mut self, launch: &Launch) {
        let run = launch.run;
        self.sought = Sought::of(launch, &self.environment);
        if self.link.is_none() && self.lost.is_none() {
            match Link::start(self.shape) {
                Ok(link) => self.tell_all(link),
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(0);
                    let (stage, path) = (SpawnStage::Shim, this::path());
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
            self.resume = signals::stream(SIGCONT);
            self.watch = crate::sys::terminal::open_again();
        }
        let foreground = terminal && self.foreground.prepare();
        self.order(&Order::Launch { launch: launch.clone(), foreground });
    }

    fn tell_all(&mut self, mut link: Link) {
        link.send(&Order::Keep(self.keep.clone()));
        link.send(&Order::Environment(self.environment.clone()));
        self.link = Some(link);
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

    /// Asks what still lives of the run; `StillThere` follows if it is not gone. (The shim looks: that takes a while
    /// where it has many processes.)
    pub fn survey(&mut self, run: RunId) {
        self.order(&Order::Survey { run });
    }

    /// What this system lacks for it to reach everything that a run starts.
    #[must_use]
    pub fn lacks(&self) -> Option<&'static str> {
        if self.tree.is_group() { processes::missing() } else { None }
    }

    /// Process id of the shim, when it lives.
    pub fn shim(&self) -> Option<u32> {
        self.link.as_ref().map(|link| link.pid.cast_unsigned())
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
            self.children = dispositions::stream(SIGCHLD).ok();
            self.resized = signals::stream(SIGWINCH);
            // No signal has told of what has happened to children by now.
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
            () = signals::next(&mut self.resized) => self.tell_of_size(),
            () = terminal::touched(&self.watch), if self.foreground.is_wanted() => self.give_terminal(),
        }
    }

    /// Passes SIGWINCH on. A run that has the terminal is told by the kernel.
    fn tell_of_size(&mut self) {
        if let Some(run) = self.run.filter(|_| !self.foreground.is_held()) {
            self.signal(run, Signal(SIGWINCH));
        }
    }

    fn give_terminal(&mut self) {
        if self.foreground.continued() {
            self.resume_run();
        }
    }

    fn resume_run(&mut self) {
        if let Some(run) = self.run {
            self.signal(run, Signal(SIGCONT));
        }
    }

    /// A report as an event.
    fn take(&mut self, report: Report) {
        let event = match report {
            Report::Started { run, pid } => {
                self.foreground.started(pid.cast_signed());
                self.group = Some(Group::new(pid.cast_signed(), self.sought.program()));
                ProcessEvent::Started { run, pid }
            }
            Report::Failed { run, stage, errno, path } => {
                self.run = None;
                self.take_terminal();
                let detail = launch::detail(stage, errno, &self.sought);
                let error = SpawnError { stage, path, errno, detail };
                ProcessEvent::SpawnFailed { run, error }
            }
            Report::Exited { run, ended, left } => return self.exited(run, ended, left),
            Report::Gone { run, stopped } => {
                if self.run == Some(run) {
                    // Also the number of its group may be another's from now on.
                    (self.run, self.group) = (None, None);
                }
                ProcessEvent::Gone { run, stopped: left_overs(stopped) }
            }
            Report::Remaining { run, processes } => {
                ProcessEvent::StillThere { run, processes: left_overs(processes) }
            }
            Report::Waits { run, process } => {
                ProcessEvent::WaitsForTerminal { run, process: process.into() }
            }
            Report::Suspended { .. } => {
                let mut foreground = std::mem::take(&mut self.foreground);
                foreground.suspended(|group| self.groups().contains(&group));
                self.foreground = foreground;
                return self.resume_run();
            }
        };
        self.events.push_back(event);
    }

    fn exited(&mut self, run: RunId, ended: Ended, left: Vec<Named>) {
        let by_hand = self.foreground.is_held() && !self.signalled;
        let typed = terminal::typed_signal(ended).filter(|_| by_hand);
        self.take_terminal();
        self.events.push_back(ProcessEvent::Exited { run, ended, left: left_overs(left) });
        self.events.extend(typed.map(ProcessEvent::Typed));
    }

    /// The run that had the terminal has ended.
    fn take_terminal(&mut self) {
        if self.foreground.is_held() {
            let foreground = std::mem::take(&mut self.foreground);
            foreground.ended(|group| self.groups().contains(&group));
        }
    }

    /// The process groups of what lives of the run.
    fn groups(&self) -> Vec<i32> {
        let living = self.link.as_ref().map_or_else(Vec::new, |link| self.living(link.pid));
        living.iter().map(|process| process.group).collect()
    }

    fn lose(&mut self) {
        let shim = self.link.take().map(|link| link.pid);
        self.lost = Some(Lost { shim, patience: SHIM_PATIENCE });
    }

    /// Waits for every child that has ended; the shim's end is noticed, and also that somebody has stopped it.
    fn reap(&mut self) -> bool {
        loop {
            match process::child() {
                Child::Stopped(pid, _) => self.wake(pid),
                Child::Ended(pid, _) => {
                    if self.link.as_ref().is_some_and(|link| link.pid == pid) {
                        self.lose();
                    }
                    if let Some(lost) = &mut self.lost {
                        lost.shim = lost.shim.filter(|&shim| shim != pid);
                    }
                }
                Child::NoNews => return false,
                Child::None => return true,
            }
        }
    }

    /// A child of ours was stopped (SIGSTOP: the shim blocks all that can be blocked). A shim that sleeps starts
    /// and stops nothing, and could not clean up after us either: it goes on at once.
    fn wake(&self, stopped: i32) {
        let shim = self.link.as_ref().map(|link| link.pid);
        let dying = self.lost.as_ref().and_then(|lost| lost.shim);
        if [shim, dying].contains(&Some(stopped)) {
            process::kill(stopped, SIGCONT);
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
                process::kill(shim, SIGKILL);
            }
            return false;
        }
        let none_left = childless && !self.tree.is_group();
        let orphans = if none_left { Vec::new() } else { self.living(own_pid()) };
        match &self.group {
            Some(group) if self.tree.is_group() => self.tree.send(group, &orphans, SIGKILL),
            _ => orphans.iter().for_each(|orphan| processes::send(orphan, SIGKILL)),
        }
        if orphans.is_empty() {
            (self.lost, self.group) = (None, None);
            self.take_terminal();
            let run = self.run.take();
            self.events.push_back(ProcessEvent::HostLost { run });
        }
        orphans.is_empty()
    }

    /// What lives of the run, or of any, below a subreaper.
    fn living(&self, root: i32) -> Vec<Process> {
        let none = || Group::new(0, &OsString::new());
        self.tree.living(root, &self.group.clone().unwrap_or_else(none))
    }
}

fn left_overs(named: Vec<Named>) -> Vec<LeftOver> {
    named.into_iter().map(LeftOver::from).collect()
}

impl Drop for Host {
    fn drop(&mut self) {
        self.take_terminal();
        if let Some(link) = self.link.take() {
            link.end(SHIM_PATIENCE);
        }
    }
}
