//! Signals that ask this program to end.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::terminal;
use crate::model::Signal;
use crate::sys::dispositions::{self, Stream};
use crate::sys::readable::Readable;
use crate::sys::signal::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
use crate::sys::{process, terminal as tty};

/// Bit n - 1: signal n was ignored when we were started.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// Reads the dispositions, before anything changes them. SIGPIPE is left out: the language's runtime ignores
/// it before `main`, and a run gets the default in any case.
pub(super) fn remember_ignored() {
    let numbers = (1..=64).filter(|&number| number != SIGPIPE && dispositions::is_ignored(number));
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
    /// Standard input, when it is a terminal, to see it close: we get no signal for that while a run is its
    /// foreground group.
    terminal: Option<Readable>,
}

impl Signals {
    /// Installs the handlers. Call it once, inside the runtime, after [`super::shim_entry`].
    ///
    /// # Errors
    /// When a handler can't be installed.
    pub fn install() -> io::Result<Signals> {
        let (sender, interrupt) = mpsc::unbounded_channel();
        if !is_ignored(SIGINT) {
            let sender = sender.clone();
            let handler = move || {
                let _ = sender.send(());
            };
            ctrlc::set_handler(handler).map_err(io::Error::other)?;
        }
        let install = |number: i32| match is_ignored(number) {
            true => Ok(None),
            false => dispositions::stream(number).map(Some),
        };
        terminal::never_stop_us();
        let signals = Signals {
            interrupt,
            _sender: sender,
            terminate: install(SIGTERM)?,
            hangup: install(SIGHUP)?,
            quit: install(SIGQUIT)?,
            terminal: if is_ignored(SIGHUP) { None } else { tty::open_again() },
        };
        // Our parent may have blocked them; then no handler would ever run.
        dispositions::unblock(&[SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD]);
        Ok(signals)
    }

    /// The next signal; a second Ctrl-C is a second event. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        let number = tokio::select! {
            _ = self.interrupt.recv() => SIGINT,
            () = next(&mut self.terminate) => SIGTERM,
            () = next(&mut self.hangup) => SIGHUP,
            () = next(&mut self.quit) => SIGQUIT,
            () = terminal::closed(&self.terminal) => {
                self.terminal = None;
                SIGHUP
            }
        };
        Signal(number)
    }
}

/// A stream of one signal, unless it was ignored when we were started.
pub(super) fn stream(number: i32) -> Option<Stream> {
    if is_ignored(number) { None } else { dispositions::stream(number).ok() }
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
    // As PID 1 a signal of our own with the default disposition does nothing.
    if process::own_pid() != 1 {
        dispositions::die_of(signal.0);
    }
    ExitCode::from(128_u8.wrapping_add(signal.0 as u8))
}
