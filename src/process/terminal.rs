//! The terminal at standard input: its modes, whose foreground it is, and handing it to a run.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, Once, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty};
use rustix::termios::{tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{signals, unix};
use crate::model::{Ended, Signal as Typed};

/// The modes to go back to, while ours are set. Also read by the panic hook.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether standard input is a terminal of which we are the foreground group.
pub(super) fn is_ours() -> bool {
    isatty(stdin()) && our_group().is_some_and(|ours| tcgetpgrp(stdin()) == Ok(ours))
}

/// None when the group's leader is outside our PID namespace: then it could not be given the terminal back.
fn our_group() -> Option<Pid> {
    Pid::from_raw(unix::own_group())
}

/// The terminal opened anew: not blocking is a matter of the open file, which we share with our shell.
pub(super) fn open_again() -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let name = rustix::termios::ttyname(stdin(), Vec::new())?;
    let by_name = rustix::fs::open(&name, flags, Mode::empty());
    // After `su` the terminal may belong to somebody else.
    Ok(by_name.or_else(|_| rustix::fs::open("/dev/tty", flags, Mode::empty()))?)
}

/// Sees input and the end of the terminal, without reading.
#[derive(Debug)]
pub(super) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    pub(super) fn start() -> Option<Watch> {
        unix::register(open_again().ok()?, Interest::READABLE).map(Watch)
    }

    /// Something was typed, for whomever. Not every shell sends SIGCONT with `fg`: so this is how we learn
    /// that the terminal is ours again.
    pub(super) async fn touched(watch: &Option<Watch>) {
        let Some(Watch(fd)) = watch else { return std::future::pending().await };
        match fd.readable().await {
            Ok(mut ready) if !ready.ready().is_read_closed() => ready.clear_ready(),
            _ => std::future::pending().await,
        }
    }

    /// The terminal has closed. (An interest in that alone would not be woken by it.)
    pub(super) async fn closed(watch: &Option<Watch>) {
        let Some(Watch(fd)) = watch else { return std::future::pending().await };
        while let Ok(mut ready) = fd.readable().await {
            if ready.ready().is_read_closed() {
                return;
            }
            ready.clear_ready();
        }
        std::future::pending().await
    }
}

/// Whether our session has lost the terminal at standard input.
fn is_lost() -> bool {
    tcgetpgrp(stdin()).is_err()
}

/// Single keys without echo, if the terminal is ours; everything else stays as it is: Ctrl-C is a signal, and
/// the run's output looks as always.
pub(super) fn single_keys() -> bool {
    static HOOK: Once = Once::new();
    if !is_ours() {
        return false;
    }
    let Ok(modes) = tcgetattr(stdin()) else { return false };
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
    });
    let wanted = LocalModes::ICANON | LocalModes::ECHO;
    if modes.local_modes.intersects(wanted) {
        let mut keys = modes.clone();
        keys.local_modes.remove(wanted);
        // Who set these modes since (the shell, after a suspension) wants them back.
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = Some(modes);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &keys);
    }
    true
}

/// Sets the modes back as they were before [`single_keys`], if the terminal is still ours.
pub(super) fn restore() {
    let saved = match SAVED.try_lock() {
        Ok(mut saved) => saved.take(),
        Err(std::sync::TryLockError::Poisoned(saved)) => saved.into_inner().take(),
        Err(std::sync::TryLockError::WouldBlock) => None,
    };
    if let Some(modes) = saved.filter(|_| is_ours()) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
    }
}

/// The hand-over of the terminal to runs with `stdin: terminal`.
#[derive(Debug, Default)]
pub(super) struct Foreground {
    /// The run that should have the terminal: its process group.
    run: Option<Pid>,
    /// It has it.
    held: bool,
    /// The modes before the first hand-over to this run.
    ours: Option<Termios>,
    /// The run's modes when it was suspended.
    theirs: Option<Termios>,
}

impl Foreground {
    /// Before a launch: whether the new process is to take the terminal.
    pub(super) fn prepare(&mut self) -> bool {
        signals::never_stop_for_terminal();
        *self = Foreground::default();
        self.held = is_ours();
        if self.held {
            self.ours = tcgetattr(stdin()).ok();
        }
        self.held
    }

    /// The leader runs and has taken the terminal, if it was told to.
    pub(super) fn started(&mut self, leader: u32) {
        self.run = Pid::from_raw(leader as i32);
    }

    /// Whether a run should have the terminal but has not.
    pub(super) fn is_wanted(&self) -> bool {
        self.run.is_some() && !self.held
    }

    /// Whether a run has the terminal.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// The leader has ended, or all is lost: the terminal is ours again, with our modes. `is_run` tells
    /// whether a process group belongs to the run.
    pub(super) fn ended(&mut self, is_run: impl Fn(Pid) -> bool) {
        self.take_back(is_run);
        *self = Foreground::default();
    }

    fn take_back(&mut self, is_run: impl Fn(Pid) -> bool) {
        if !std::mem::take(&mut self.held) {
            return;
        }
        let (Ok(group), Some(ours)) = (tcgetpgrp(stdin()), our_group()) else { return };
        let nobody = || rustix::process::test_kill_process_group(group).is_err();
        if group != ours && Some(group) != self.run && !is_run(group) && !nobody() {
            // The shell has it: it has stopped us and gone on.
            return;
        }
        let _ = tcsetpgrp(stdin(), ours);
        if let Some(modes) = &self.ours {
            let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
        }
    }

    /// The run was stopped by Ctrl-Z: so are we, with our whole job. Returns after `fg` or `bg`; then the
    /// run is to be continued.
    pub(super) fn suspended(&mut self, is_run: impl Fn(Pid) -> bool) {
        if self.held {
            self.theirs = tcgetattr(stdin()).ok();
        }
        self.take_back(is_run);
        let _ = rustix::process::kill_current_process_group(Signal::TSTP);
        self.continued();
    }

    /// We were continued: when the terminal is ours, the run gets it (again). True if it did.
    pub(super) fn continued(&mut self) -> bool {
        let Some(run) = self.run.filter(|_| !self.held && is_ours()) else { return false };
        self.ours = tcgetattr(stdin()).ok();
        if let Some(modes) = self.theirs.take() {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
        }
        self.held = tcsetpgrp(stdin(), run).is_ok();
        self.held
    }
}

/// Ctrl-C and Ctrl-\ go to the foreground group only; a run that dies of them passes them on to us.
pub(super) fn typed_signal(ended: Ended) -> Option<Typed> {
    match ended {
        Ended::Signal(number @ (libc::SIGINT | libc::SIGQUIT)) => Some(Typed(number)),
        // It alone gets the hangup when the terminal goes with its session's leader.
        Ended::Signal(libc::SIGHUP) if is_lost() => Some(Typed(libc::SIGHUP)),
        _ => None,
    }
}
