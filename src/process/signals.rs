//! Signals that ask this program to end.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc;

use super::terminal::Watch;
use super::unix;
use crate::model::Signal;

/// Bit n - 1: signal n was ignored when we were started.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// Reads the dispositions, before anything changes them. SIGPIPE is left out: the language's runtime ignores
/// it before `main`, and a run gets the default in any case.
pub(super) fn remember_ignored() {
    let numbers = (1..=64).filter(|&number| number != libc::SIGPIPE && unix::is_ignored(number));
    IGNORED.store(numbers.fold(0, |set, number| set | 1 << (number - 1)), Ordering::Relaxed);
}

/// The signals that were ignored when we were started, as a set of bits from signal 1.
pub(super) fn ignored_at_start() -> u64 {
    IGNORED.load(Ordering::Relaxed)
}

fn is_ignored(number: i32) -> bool {
    ignored_at_start() & 1 << (number - 1) != 0
}

/// INT, TERM, HUP and QUIT as events. What was ignored when we were started stays ignored.
#[derive(Debug)]
pub struct Signals {
    interrupt: mpsc::UnboundedReceiver<()>,
    /// Keeps the channel open when INT is ignored.
    _sender: mpsc::UnboundedSender<()>,
    terminate: Option<Stream>,
    hangup: Option<Stream>,
    quit: Option<Stream>,
    /// Standard input, when it is a terminal, to see it close: nobody sends us a signal for that while a
    /// run is its foreground group.
    terminal: Option<Watch>,
}

impl Signals {
    /// Installs the handlers. Call it once, inside the runtime, after [`super::shim_entry`].
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub fn install() -> io::Result<Signals> {
        let (sender, interrupt) = mpsc::unbounded_channel();
        if !is_ignored(libc::SIGINT) {
            let sender = sender.clone();
            let handler = move || {
                let _ = sender.send(());
            };
            ctrlc::set_handler(handler).map_err(io::Error::other)?;
        }
        let install = |number: i32| match is_ignored(number) {
            true => Ok(None),
            false => signal(SignalKind::from_raw(number)).map(Some),
        };
        never_stop_for_terminal();
        let signals = Signals {
            interrupt,
            _sender: sender,
            terminate: install(libc::SIGTERM)?,
            hangup: install(libc::SIGHUP)?,
            quit: install(libc::SIGQUIT)?,
            terminal: if is_ignored(libc::SIGHUP) { None } else { Watch::start() },
        };
        // Whoever started us may have blocked them; then no handler would ever run.
        unix::unblock(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGCHLD]);
        Ok(signals)
    }

    /// The next signal; a second Ctrl-C is a second event. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        let number = tokio::select! {
            _ = self.interrupt.recv() => libc::SIGINT,
            () = next(&mut self.terminate) => libc::SIGTERM,
            () = next(&mut self.hangup) => libc::SIGHUP,
            () = next(&mut self.quit) => libc::SIGQUIT,
            () = Watch::closed(&self.terminal) => {
                self.terminal = None;
                libc::SIGHUP
            }
        };
        Signal(number)
    }
}

/// A stream of one signal, unless it was ignored when we were started.
pub(super) fn stream(number: i32) -> Option<Stream> {
    if is_ignored(number) { None } else { signal(SignalKind::from_raw(number)).ok() }
}

/// Using the terminal from the background (`&`) fails instead of stopping us.
pub(super) fn never_stop_for_terminal() {
    // Runs get their dispositions from `ignored_at_start`.
    [libc::SIGTTIN, libc::SIGTTOU].into_iter().for_each(unix::ignore);
}

/// The next of a stream; never, when there is none.
pub(super) async fn next(stream: &mut Option<Stream>) {
    let received = match stream {
        Some(stream) => stream.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending().await
    }
}

/// Dies of the signal, so that a calling shell sees it: the last act of `main`, after every drop. No core
/// is written. Returns 128 + n where dying is not possible (as PID 1).
pub fn raise_again(signal: Signal) -> ExitCode {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none =
        Rlimit { current: Some(0), maximum: rustix::process::getrlimit(Resource::Core).maximum };
    let _ = setrlimit(Resource::Core, none);
    // As PID 1 a signal of our own with the default disposition does nothing.
    if !rustix::process::getpid().is_init() {
        unix::die_of(signal.0);
    }
    ExitCode::from(128_u8.wrapping_add(signal.0 as u8))
}
