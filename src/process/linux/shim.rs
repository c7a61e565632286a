//! The shim: a small process between the supervisor and its runs. It is the subreaper of everything that a
//! run forks, so that its `waitpid` proves when nothing is left.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, getppid};

use super::hosted::{Hosted, Phase};
use super::keep::Keep;
use super::spawn;
use super::sys::{self, Blocked};
use super::wire::{self, Order, Report};
use crate::model::{Ended, RunId, SpawnStage, Stdin};
use crate::process::Launch;
use crate::process::{explain, unix};

/// `argv[0]` and the name in `ps`: a kill by the program's name spares the shim, which then cleans up.
pub(super) const NAME: &str = "gw-shim";

/// The descriptor of the socket in a new shim.
const SOCKET: i32 = 3;

/// How long a tree may take to stop when the supervisor has died.
const ORPHAN_GRACE: Duration = Duration::from_millis(200);

/// The loop's state.
pub(super) struct Shim {
    /// Stays open to our end, so that the supervisor sees that.
    socket: OwnedFd,
    signals: OwnedFd,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The end of the time to stop, in monotonic time, once the supervisor is gone.
    grace: Option<Duration>,
    /// Signals that every run ignores.
    ignored: u64,
    /// The pipe of `stdin: open`, made when first needed.
    open_input: Option<(OwnedFd, OwnedFd)>,
    blocked: Blocked,
    pub(super) me: i32,
    pub(super) keep: Keep,
    pub(super) hosted: Option<Hosted>,
    /// Names of stopped daemons that were said.
    pub(super) told_daemons: Vec<Vec<u8>>,
    /// `waitpid` says that there is nobody.
    pub(super) childless: bool,
}

/// The shim's `main`; its arguments are the supervisor's pid and the signals to ignore.
pub(super) fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
    let (Some(parent), Some(ignored)) = (number(), number()) else { return ExitCode::FAILURE };
    match Shim::start(parent as i32, ignored) {
        Ok(mut shim) => {
            shim.run();
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

impl Shim {
    /// All signals are blocked since before we were executed, and stay so.
    fn start(parent: i32, ignored: u64) -> io::Result<Shim> {
        let blocked = sys::block_all();
        sys::set_name(c"gw-shim");
        let socket = sys::inherited(SOCKET)?;
        rustix::process::set_child_subreaper(Some(getpid()))?;
        (1..=64).filter(|&number| unix::is_ignored(number)).for_each(sys::set_default);
        let signals = sys::signal_descriptor(&[libc::SIGCHLD, libc::SIGTERM])?;
        let me = getpid().as_raw_nonzero().get();
        let mut shim = Shim {
            socket,
            signals,
            inbox: Vec::new(),
            outbox: Vec::new(),
            grace: None,
            ignored,
            open_input: None,
            blocked,
            me,
            keep: Keep::new(Vec::new(), sys::own_session()),
            hosted: None,
            told_daemons: Vec::new(),
            childless: true,
        };
        // The death signal was set before the execution; a parent that died before that sent none.
        if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(parent) {
            shim.orphaned();
        }
        Ok(shim)
    }

    fn run(&mut self) {
        while !(self.grace.is_some() && self.hosted.is_none()) {
            let (signals, socket) = self.wait();
            if signals {
                while let Some(number) = sys::next_signal(&self.signals) {
                    if number == libc::SIGTERM {
                        self.orphaned();
                    }
                }
                self.reap();
            }
            if socket {
                self.receive();
            }
            self.due();
            self.flush();
        }
    }

    /// Sleeps until a signal, a message or a deadline.
    fn wait(&self) -> (bool, bool) {
        let timeout = self.timeout().map(|wait| Timespec {
            tv_sec: wait.as_secs() as i64,
            tv_nsec: i64::from(wait.subsec_nanos()),
        });
        let mut watched = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if self.grace.is_none() {
            let out = if self.outbox.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            watched.push(PollFd::new(&self.socket, PollFlags::IN | out));
        }
        match rustix::event::poll(&mut watched, timeout.as_ref()) {
            Ok(_) => {
                let ready = |at: usize| watched.get(at).is_some_and(|fd| !fd.revents().is_empty());
                (ready(0), ready(1))
            }
            Err(_) => (false, false),
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let hosted = self.hosted.as_ref()?;
        match hosted.phase {
            Phase::Killing { again } => Some(again.saturating_sub(now())),
            _ => self.grace.map(|grace| grace.saturating_sub(now())),
        }
    }

    /// What is due by time: the next round of killing, the end of the grace of orphans.
    fn due(&mut self) {
        let Some(hosted) = &self.hosted else { return };
        let due = match hosted.phase {
            Phase::Killing { again } => Some(again),
            _ => self.grace,
        };
        if due.is_some_and(|due| due <= now()) {
            self.kill_round();
        }
    }

    /// The supervisor is gone: stop everything and end.
    fn orphaned(&mut self) {
        if self.grace.is_some() {
            return;
        }
        self.grace = Some(now() + ORPHAN_GRACE);
        if self.hosted.is_none() && !self.childless {
            self.hosted = Some(Hosted::new(RunId(0), None, false));
        }
        if self.hosted.as_ref().is_some_and(|hosted| hosted.phase == Phase::Running) {
            self.stop_tree(libc::SIGTERM);
        }
    }

    fn receive(&mut self) {
        self.inbox.reserve(16 * 1024);
        let read = rustix::net::recv(
            &self.socket,
            rustix::buffer::spare_capacity(&mut self.inbox),
            rustix::net::RecvFlags::DONTWAIT,
        );
        match read {
            Ok((0, _)) => return self.orphaned(),
            Ok(_) => {}
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            Err(_) => return self.orphaned(),
        }
        let mut orders = Vec::new();
        wire::frames(&mut self.inbox, |body| orders.extend(Order::decode(body)));
        for order in orders {
            self.perform(order);
        }
    }

    fn perform(&mut self, order: Order) {
        match order {
            Order::Keep(names) => self.keep.set_names(names),
            Order::Launch { launch, foreground } => {
                let report = self.launch(&launch, foreground);
                self.tell(&report);
            }
            Order::Signal { run, signal } => {
                if self.hosts(run) {
                    self.signal_group(signal);
                }
            }
            Order::Stop { run, .. } | Order::Kill { run } if !self.hosts(run) => {
                self.tell(&Report::Gone { run, stopped: Vec::new() });
            }
            Order::Stop { signal, .. } => self.stop_tree(signal),
            Order::Kill { .. } => self.kill_round(),
        }
    }

    fn hosts(&self, run: RunId) -> bool {
        self.hosted.as_ref().is_some_and(|hosted| hosted.run == run)
    }

    fn launch(&mut self, launch: &Launch, foreground: bool) -> Report {
        let run = launch.run;
        let program = launch.argv.first().cloned().unwrap_or_default();
        let failed = |stage, errno, path| Report::Failed { run, stage, errno, path };
        if self.hosted.is_some() {
            return failed(SpawnStage::Fork, libc::EBUSY, program.into());
        }
        let candidates = explain::candidates(&program, &launch.env);
        let found = |at: usize| {
            use std::os::unix::ffi::OsStringExt;
            candidates.get(at).map_or(program.clone(), |path| OsString::from_vec(path.clone()))
        };
        match self.spawn(launch, &candidates, foreground) {
            Ok(pid) => {
                self.childless = false;
                self.hosted = Some(Hosted::new(run, Some(pid), launch.stdin == Stdin::Terminal));
                Report::Started { run, pid: pid.as_raw_nonzero().get() as u32 }
            }
            Err(failure) => {
                let path = match (failure.stage, failure.errno) {
                    (SpawnStage::WorkingDirectory, _) => launch.directory.clone(),
                    (SpawnStage::Exec, errno)
                        if errno != libc::ENOENT && errno != libc::ENOTDIR =>
                    {
                        found(failure.program).into()
                    }
                    _ => program.clone().into(),
                };
                failed(failure.stage, failure.errno, path)
            }
        }
    }

    fn spawn(
        &mut self,
        launch: &Launch,
        candidates: &[Vec<u8>],
        foreground: bool,
    ) -> Result<Pid, spawn::Failure> {
        let failure = |stage, errno| spawn::Failure { stage, errno, program: 0 };
        let text = |bytes: Vec<u8>| {
            CString::new(bytes).map_err(|_| failure(SpawnStage::Exec, libc::EINVAL))
        };
        let input = |error: rustix::io::Errno| failure(SpawnStage::Fork, error.raw_os_error());
        let null;
        let stdin = match launch.stdin {
            Stdin::Null => {
                use rustix::fs::{Mode, OFlags};
                let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                null = rustix::fs::open("/dev/null", flags, Mode::empty()).map_err(input)?;
                Some(&null)
            }
            Stdin::Open => {
                if self.open_input.is_none() {
                    let flags = rustix::pipe::PipeFlags::CLOEXEC;
                    self.open_input = Some(rustix::pipe::pipe_with(flags).map_err(input)?);
                }
                self.open_input.as_ref().map(|(read, _)| read)
            }
            Stdin::Terminal => None,
        };
        let plan = spawn::Plan {
            programs: candidates.iter().cloned().map(text).collect::<Result<_, _>>()?,
            argv: launch.argv.iter().map(|word| text(bytes(word))).collect::<Result<_, _>>()?,
            env: launch
                .env
                .iter()
                .map(|(name, value)| text([&bytes(name), &b"="[..], &bytes(value)].concat()))
                .collect::<Result<_, _>>()?,
            directory: Some(text(bytes(launch.directory.as_os_str()))?),
            stdin: stdin.map(std::os::fd::AsFd::as_fd),
            socket: None,
            death_signal: libc::SIGKILL,
            ignored: self.ignored,
            blocked: false,
            foreground,
        };
        spawn::spawn(&plan, &self.blocked)
    }

    /// Takes in everything that `waitpid` has to say.
    pub(super) fn reap(&mut self) {
        let mut ended = None;
        loop {
            match rustix::process::wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(Some((pid, status))) => ended = self.changed(pid, status).or(ended),
                Ok(None) => {
                    self.childless = false;
                    break;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => {
                    self.childless = true;
                    break;
                }
            }
        }
        self.settle(ended);
    }

    /// The leader's end, if it is that.
    fn changed(&mut self, pid: Pid, status: WaitStatus) -> Option<Ended> {
        if let Some(signal) = status.stopping_signal() {
            self.stopped(pid, signal);
            return None;
        }
        let hosted = self.hosted.as_mut()?;
        if hosted.leader != Some(pid) {
            return None;
        }
        hosted.leader = None;
        let killed = status.terminating_signal().map(Ended::Signal);
        killed.or(status.exit_status().map(Ended::Exit))
    }

    /// Queues a report for the supervisor.
    pub(super) fn tell(&mut self, report: &Report) {
        if self.grace.is_none() {
            report.encode(&mut self.outbox);
        }
    }

    /// Writes what the socket takes. A supervisor that does not read (stopped) never blocks us.
    fn flush(&mut self) {
        use rustix::net::SendFlags;
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        while self.grace.is_none() && !self.outbox.is_empty() {
            match rustix::net::send(&self.socket, &self.outbox, flags) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(rustix::io::Errno::AGAIN) => return,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return self.orphaned(),
            }
        }
    }
}

fn bytes(text: &std::ffi::OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec()
}

/// Monotonic time.
pub(super) fn now() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
