//! The shim: a small process between the host and its runs. Where the system can do that, it is the subreaper of
//! everything that a run forks.
#![expect(clippy::disallowed_methods, reason = "a shim has its own clock")]

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::hosted::Hosted;
use super::launch::{self, Launch};
use super::tree::{Group, Shape, Tree};
use super::wire::{self, Order, Report};
use crate::model::{Ended, RunId, SpawnStage, Stdin};
use crate::sys::bytes::{os_str, os_string};
use crate::sys::dispositions::{self, Blocked};
use crate::sys::process::{self, Child};
use crate::sys::sleep::{self, Until};
use crate::sys::socket::{Received, Socket};
use crate::sys::spawn::{self, Failure, Plan};
use crate::sys::stdin::{self, Input};
use crate::sys::{errno, this};

/// `argv[0]` and the name in `ps`: a kill by the program's name spares the shim, which then cleans up.
pub(super) const NAME: &str = "gw-shim";

/// How long a tree may take to stop when the host has died.
const ORPHAN_GRACE: Duration = Duration::from_millis(200);

/// The loop's state.
struct Shim {
    /// Stays open to our end, so that the host sees that.
    socket: Socket,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The end of the time to stop, once the host is gone.
    grace: Option<Instant>,
    /// Signals that every run ignores.
    ignored: u64,
    environment: Environment,
    /// The pipe of `stdin: open`, made when first needed.
    open_input: Option<Input>,
    blocked: Blocked,
    tree: Tree,
    hosted: Option<Hosted>,
    /// `waitpid` says that there is no child.
    childless: bool,
}

/// The shim's `main`; its arguments are its shape and the signals to ignore.
pub(super) fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut argument = || arguments.next()?.into_string().ok();
    let shape = argument().and_then(|word| Shape::of_word(&word));
    let ignored = argument().and_then(|number| number.parse().ok());
    let (Some(shape), Some(ignored)) = (shape, ignored) else { return ExitCode::FAILURE };
    match Shim::start(shape, ignored) {
        Ok(mut shim) => {
            shim.run();
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

impl Shim {
    /// All signals are blocked since before we were executed, and stay so.
    fn start(shape: Shape, ignored: u64) -> io::Result<Shim> {
        let blocked = dispositions::block_all();
        this::set_name(c"gw-shim");
        let socket = Socket::inherited(spawn::SOCKET)?;
        shape.take_orphans()?;
        (1..=64)
            .filter(|&number| dispositions::is_ignored(number))
            .for_each(dispositions::set_default);
        sleep::handle_signals();
        Ok(Shim {
            socket,
            inbox: Vec::new(),
            outbox: Vec::new(),
            grace: None,
            ignored,
            environment: Environment::default(),
            open_input: None,
            blocked,
            tree: Tree::new(shape),
            hosted: None,
            childless: true,
        })
    }

    fn run(&mut self) {
        while !(self.grace.is_some() && self.hosted.is_none()) {
            self.sleep();
            if sleep::terminated() {
                self.orphaned();
            }
            self.reap();
            if self.grace.is_none() {
                self.receive();
            }
            self.due();
            self.flush();
        }
    }

    /// Sleeps until a signal, a message or a deadline.
    fn sleep(&self) {
        let socket = self.socket.fd().filter(|_| self.grace.is_none());
        let writable = socket.filter(|_| !self.outbox.is_empty());
        sleep::sleep(Until { readable: socket, writable, time: self.timeout() });
    }

    fn timeout(&self) -> Option<Duration> {
        let due = self.deadline().map(|due| due.saturating_duration_since(Instant::now()));
        let look = self.hosted.as_ref().and_then(|hosted| hosted.look_again(&self.tree));
        [due, look].into_iter().flatten().min()
    }

    /// When the next round of killing is due: of what is being killed, and at the end of the grace of orphans.
    fn deadline(&self) -> Option<Instant> {
        self.hosted.as_ref()?.kill_again().or(self.grace)
    }

    fn due(&mut self) {
        if self.deadline().is_some_and(|due| due <= Instant::now()) {
            self.kill();
        }
    }

    /// The host is gone: stop everything and end.
    fn orphaned(&mut self) {
        if self.grace.is_some() {
            return;
        }
        self.grace = Some(Instant::now() + ORPHAN_GRACE);
        if self.hosted.is_none() && !self.childless {
            let group = Group { leaderless: true, ..Group::new(0, &OsString::new()) };
            self.hosted = Some(Hosted::new(RunId(0), group, false));
        }
        if self.hosted.as_ref().is_some_and(Hosted::is_running) {
            self.stop(crate::sys::signal::SIGTERM);
        }
    }

    fn receive(&mut self) {
        match self.socket.receive(&mut self.inbox) {
            Ok(Received::Some) => {}
            Ok(Received::Nothing) => return,
            Ok(Received::End) | Err(_) => return self.orphaned(),
        }
        for order in wire::take(&mut self.inbox) {
            self.perform(order);
        }
    }

    fn perform(&mut self, order: Order) {
        match order {
            Order::Keep(names) => self.tree.keep.set_names(names),
            Order::Environment(base) => self.environment = Environment::new(&base),
            Order::Launch { launch, foreground } => {
                let report = self.launch(&launch, foreground);
                self.tell(&report);
            }
            Order::Signal { run, signal } => {
                if let Some(hosted) = self.hosted.as_ref().filter(|hosted| hosted.run == run) {
                    hosted.signal(signal);
                }
            }
            Order::Survey { run } => {
                let hosted = self.hosted.as_ref().filter(|hosted| hosted.run == run);
                if let Some(report) = hosted.map(|hosted| hosted.remaining(&self.tree)) {
                    self.tell(&report);
                }
            }
            Order::Stop { run, .. } | Order::Kill { run } if !self.hosts(run) => {
                self.tell(&Report::Gone { run, stopped: Vec::new() });
            }
            Order::Stop { signal, .. } => self.stop(signal),
            Order::Kill { .. } => self.kill(),
        }
    }

    fn hosts(&self, run: RunId) -> bool {
        self.hosted.as_ref().is_some_and(|hosted| hosted.run == run)
    }

    fn stop(&mut self, signal: i32) {
        if let Some(hosted) = &mut self.hosted {
            hosted.stop(&mut self.tree, signal);
        }
        self.reap();
    }

    fn kill(&mut self) {
        if let Some(hosted) = &mut self.hosted {
            hosted.kill(&mut self.tree);
        }
        self.reap();
    }

    fn launch(&mut self, launch: &Launch, foreground: bool) -> Report {
        let run = launch.run;
        let program = launch.argv.first().cloned().unwrap_or_default();
        let failed =
            |stage, errno, path: OsString| Report::Failed { run, stage, errno, path: path.into() };
        if self.hosted.is_some() {
            return failed(SpawnStage::Fork, errno::EBUSY, program);
        }
        let candidates = launch::candidates(&program, self.environment.path(launch));
        match self.spawn(launch, &candidates, foreground) {
            Ok(pid) => {
                self.childless = false;
                let group = Group::new(pid, &program);
                self.hosted = Some(Hosted::new(run, group, launch.stdin == Stdin::Terminal));
                Report::Started { run, pid: pid.cast_unsigned() }
            }
            Err(Failure { stage, errno, program: at }) => {
                let path = match stage {
                    SpawnStage::WorkingDirectory => launch.directory.clone().into(),
                    SpawnStage::Exec if errno != errno::ENOENT && errno != errno::ENOTDIR => {
                        candidates.get(at).map_or(program, |path| os_string(path.clone()))
                    }
                    _ => program,
                };
                failed(stage, errno, path)
            }
        }
    }

    fn spawn(
        &mut self,
        launch: &Launch,
        candidates: &[Vec<u8>],
        foreground: bool,
    ) -> Result<i32, Failure> {
        let input = |error: io::Error| Failure {
            stage: SpawnStage::Fork,
            errno: error.raw_os_error().unwrap_or(0),
            program: 0,
        };
        let null;
        let stdin = match launch.stdin {
            Stdin::Null => {
                null = stdin::null().map_err(input)?;
                Some(null.fd())
            }
            Stdin::Open => {
                if self.open_input.is_none() {
                    self.open_input = Some(stdin::endless().map_err(input)?);
                }
                self.open_input.as_ref().map(Input::fd)
            }
            Stdin::Terminal => None,
        };
        let added = launch.env.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let plan = Plan {
            programs: candidates.iter().map(|path| text(os_str(path))).collect::<Result<_, _>>()?,
            argv: launch.argv.iter().map(text).collect::<Result<_, _>>()?,
            env: self.environment.with(&launch.env, &added)?,
            directory: Some(text(&launch.directory)?),
            stdin,
            socket: None,
            dies_with_us: true,
            ignored: self.ignored,
            blocked: false,
            foreground,
        };
        spawn::spawn(&plan, &self.blocked)
    }

    /// Takes in everything that `waitpid` has to say.
    fn reap(&mut self) {
        let mut ended = None;
        self.childless = loop {
            match process::child() {
                Child::Stopped(pid, signal) => {
                    let report = self.hosted.as_mut();
                    if let Some(report) =
                        report.and_then(|one| one.suspended(&self.tree, pid, signal))
                    {
                        self.tell(&report);
                    }
                }
                Child::Ended(pid, how) => ended = self.is_leader(pid).then_some(how).or(ended),
                Child::NoNews => break false,
                Child::None => break true,
            }
        };
        self.settle(ended);
    }

    /// Whether this was the leader, who has ended and was waited for.
    fn is_leader(&mut self, pid: i32) -> bool {
        let group = self.hosted.as_mut().map(|hosted| &mut hosted.group);
        let leads = |group: &&mut Group| group.id == pid && !group.leaderless;
        group.filter(leads).map(|group| group.leaderless = true).is_some()
    }

    /// Reports what has become of the run after a look at `waitpid`.
    fn settle(&mut self, ended: Option<Ended>) {
        let Some(hosted) = &mut self.hosted else { return };
        let exited = ended.map(|ended| hosted.exited(&self.tree, ended, self.childless));
        let gone = hosted.gone(&self.tree, self.childless);
        let killed = hosted.kill_again().is_some();
        exited.iter().chain(&gone).for_each(|report| self.tell(report));
        if gone.is_some() {
            self.hosted = None;
        } else if killed && ended.is_some() {
            // What the leader's end has set free is ours now: no need to wait for the pause.
            self.kill();
        }
    }

    /// Queues a report for the host.
    fn tell(&mut self, report: &Report) {
        if self.grace.is_none() {
            wire::put(report, &mut self.outbox);
        }
    }

    /// Writes what the socket takes. A host that does not read (stopped) never blocks us.
    fn flush(&mut self) {
        if self.grace.is_none() && self.socket.send(&mut self.outbox).is_err() {
            self.orphaned();
        }
    }
}

/// What every run finds in its environment: names, and `NAME=value` as the system takes it.
#[derive(Default)]
struct Environment(Vec<(OsString, Result<CString, Failure>)>);

impl Environment {
    fn new(base: &[(OsString, OsString)]) -> Environment {
        Environment(base.iter().map(|one| (one.0.clone(), entry(one))).collect())
    }

    /// The whole environment of one run. What is added wins.
    fn with<'a>(
        &'a self,
        added: &[(OsString, OsString)],
        entries: &'a [CString],
    ) -> Result<Vec<&'a CStr>, Failure> {
        let kept = self.0.iter().filter(|(name, _)| !added.iter().any(|(new, _)| new == name));
        let kept = kept.map(|(_, entry)| entry.as_deref().map_err(|failure| *failure));
        kept.chain(entries.iter().map(|entry| Ok(entry.as_c_str()))).collect()
    }

    /// The `PATH` of a run.
    fn path<'a>(&'a self, launch: &'a Launch) -> Option<&'a OsStr> {
        let added = launch.env.iter().rfind(|(name, _)| name == "PATH");
        let base = || {
            let (_, entry) = self.0.iter().rfind(|(name, _)| name == "PATH")?;
            Some(os_str(entry.as_ref().ok()?.as_bytes().strip_prefix(b"PATH=")?))
        };
        added.map(|(_, value)| value.as_os_str()).or_else(base)
    }
}

fn entry((name, value): &(OsString, OsString)) -> Result<CString, Failure> {
    text(os_str(&[name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat()))
}

/// Bytes as the system takes them: without a NUL.
fn text(bytes: impl AsRef<OsStr>) -> Result<CString, Failure> {
    CString::new(bytes.as_ref().as_encoded_bytes()).map_err(|_| Failure {
        stage: SpawnStage::Exec,
        errno: errno::EINVAL,
        program: 0,
    })
}
