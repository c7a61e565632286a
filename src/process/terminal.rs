//! The terminal at standard input: its modes, whose foreground it is, and handing it to a run.

use std::future::pending;
use std::sync::{Mutex, Once, PoisonError};

use crate::model::{Ended, Signal};
use crate::sys::readable::Readable;
use crate::sys::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
use crate::sys::terminal::{self as tty, Modes};
use crate::sys::{dispositions, process};

/// The modes to go back to, while ours are set. Also read by the panic hook.
static SAVED: Mutex<Option<Modes>> = Mutex::new(None);

/// Whether standard input is a terminal of which we are the foreground group.
pub(super) fn is_ours() -> bool {
    tty::is_terminal() && our_group().is_some_and(|ours| tty::foreground() == Some(ours))
}

/// Our process group; `None` when its leader is outside our PID namespace: then it could not be given the terminal back.
fn our_group() -> Option<i32> {
    Some(process::own_group()).filter(|&group| group != 0)
}

/// Using the terminal from the background (`&`) fails instead of stopping us.
pub(super) fn never_stop_us() {
    // Runs get the dispositions that were there when we were started.
    [SIGTTIN, SIGTTOU].into_iter().for_each(dispositions::ignore);
}

/// Waits until something is typed. Not every shell sends SIGCONT with `fg`: so this is how we learn that the terminal
/// is ours again. Never ends without a terminal.
pub(super) async fn touched(terminal: &Option<Readable>) {
    match terminal {
        Some(terminal) => terminal.touched().await,
        None => pending().await,
    }
}

/// Waits until the terminal has closed. Never ends without one.
pub(super) async fn closed(terminal: &Option<Readable>) {
    match terminal {
        Some(terminal) => terminal.closed().await,
        None => pending().await,
    }
}

/// Single keys without echo, if the terminal is ours; everything else stays as it is: Ctrl-C is a signal, and
/// the run's output looks as always.
pub(super) fn single_keys() -> bool {
    static HOOK: Once = Once::new();
    if !is_ours() {
        return false;
    }
    let Some(modes) = Modes::now() else { return false };
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
    });
    if let Some(keys) = modes.single_keys() {
        // Others have set these modes since (the shell, after a suspension), and want them back.
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = Some(modes);
        keys.set();
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
        modes.set();
    }
}

/// The hand-over of the terminal to runs with `stdin: terminal`.
#[derive(Debug, Default)]
pub(super) struct Foreground {
    /// The process group of the run that should have the terminal.
    run: Option<i32>,
    /// The run has the terminal.
    held: bool,
    /// The modes before the first hand-over to this run.
    ours: Option<Modes>,
    /// The run's modes when it was suspended.
    theirs: Option<Modes>,
}

impl Foreground {
    /// Before a launch: whether the new process is to take the terminal.
    pub(super) fn prepare(&mut self) -> bool {
        never_stop_us();
        *self = Foreground::default();
        self.held = is_ours();
        if self.held {
            self.ours = Modes::now();
        }
        self.held
    }

    /// The leader runs and has taken the terminal, if it was told to.
    pub(super) fn started(&mut self, leader: i32) {
        self.run = Some(leader);
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
    pub(super) fn ended(mut self, is_run: impl Fn(i32) -> bool) {
        self.take_back(is_run);
    }

    fn take_back(&mut self, is_run: impl Fn(i32) -> bool) {
        if !std::mem::take(&mut self.held) {
            return;
        }
        let (Some(group), Some(ours)) = (tty::foreground(), our_group()) else { return };
        let is_empty = || !process::group_lives(group);
        if group != ours && Some(group) != self.run && !is_run(group) && !is_empty() {
            // The shell has it: it has stopped us and gone on.
            return;
        }
        tty::set_foreground(ours);
        if let Some(modes) = &self.ours {
            modes.set();
        }
    }

    /// The run was stopped by Ctrl-Z: so are we, with our whole job. Returns after `fg` or `bg`; then the
    /// run is to be continued.
    pub(super) fn suspended(&mut self, is_run: impl Fn(i32) -> bool) {
        if self.held {
            self.theirs = Modes::now();
        }
        self.take_back(is_run);
        process::kill_own_group(SIGTSTP);
        self.continued();
    }

    /// We were continued: when the terminal is ours, the run gets it (again). True if it did.
    pub(super) fn continued(&mut self) -> bool {
        let Some(run) = self.run.filter(|_| !self.held && is_ours()) else { return false };
        self.ours = Modes::now();
        if let Some(modes) = self.theirs.take() {
            modes.set();
        }
        self.held = tty::set_foreground(run);
        self.held
    }
}

/// Ctrl-C and Ctrl-\ go to the foreground group only; a run that dies of them passes them on to us.
pub(super) fn typed_signal(ended: Ended) -> Option<Signal> {
    match ended {
        Ended::Signal(number @ (SIGINT | SIGQUIT)) => Some(Signal(number)),
        // The foreground alone gets the hangup when the terminal goes with its session's leader.
        Ended::Signal(SIGHUP) if tty::foreground().is_none() => Some(Signal(SIGHUP)),
        _ => None,
    }
}
