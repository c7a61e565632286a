//! Signals that ask this program to end.
#![expect(unsafe_code, reason = "dispositions and raising have no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc;

use super::terminal;
use crate::supervisor::Signal;

/// Bit n - 1: signal n was ignored when we were started.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// Reads the dispositions, before anything changes them. SIGPIPE is left out: the language's runtime ignores
/// it before `main`, and a run gets the default in any case.
pub(super) fn remember_ignored() {
    let ignored = |&number: &i32| {
        let mut old = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: only reads the disposition; on success the kernel has filled it in.
        unsafe {
            libc::sigaction(number, std::ptr::null(), old.as_mut_ptr()) == 0
                && old.assume_init().sa_sigaction == libc::SIG_IGN
        }
    };
    let numbers = (1..=64).filter(|&number| number != libc::SIGPIPE).filter(ignored);
    let set = numbers.fold(0, |set, number| set | 1 << (number - 1));
    IGNORED.store(set, Ordering::Relaxed);
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
    terminal: Option<AsyncFd<OwnedFd>>,
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
            terminal: if is_ignored(libc::SIGHUP) { None } else { watched_terminal() },
        };
        unblock(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGCHLD]);
        Ok(signals)
    }

    /// The next signal; a second Ctrl-C is a second event. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        let number = tokio::select! {
            _ = self.interrupt.recv() => libc::SIGINT,
            () = next(&mut self.terminate) => libc::SIGTERM,
            () = next(&mut self.hangup) => libc::SIGHUP,
            () = next(&mut self.quit) => libc::SIGQUIT,
            () = closed(&self.terminal) => {
                self.terminal = None;
                libc::SIGHUP
            }
        };
        Signal(number)
    }
}

fn watched_terminal() -> Option<AsyncFd<OwnedFd>> {
    let fd = terminal::open_again().ok()?;
    // SAFETY: the descriptor is owned by the registration and not closed before it. Nothing is ever read:
    // an interest in priority data alone, of which a terminal has none, still learns of its end.
    unsafe { AsyncFd::register_with_interest(fd, Interest::PRIORITY) }.ok()
}

async fn closed(terminal: &Option<AsyncFd<OwnedFd>>) {
    let Some(terminal) = terminal else { return std::future::pending().await };
    while let Ok(mut ready) = terminal.ready(Interest::PRIORITY).await {
        if ready.ready().is_read_closed() {
            return;
        }
        ready.clear_ready();
    }
    std::future::pending().await
}

/// A stream of one signal, unless it was ignored when we were started.
pub(super) fn stream(number: i32) -> Option<Stream> {
    if is_ignored(number) { None } else { signal(SignalKind::from_raw(number)).ok() }
}

/// Using the terminal from the background (`&`) fails instead of stopping us.
pub(super) fn never_stop_for_terminal() {
    for number in [libc::SIGTTIN, libc::SIGTTOU] {
        // SAFETY: SIG_IGN runs no code of ours. Runs get their dispositions from `ignored_at_start`.
        unsafe { libc::signal(number, libc::SIG_IGN) };
    }
}

/// Does what SIGTSTP does by default, although it is handled: returns when we are continued.
pub(super) fn suspend() {
    // SAFETY: SIG_DFL runs no code of ours, and the handler that is set back is the one that was there.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut handler = MaybeUninit::<libc::sigaction>::uninit();
        if libc::sigaction(libc::SIGTSTP, &default, handler.as_mut_ptr()) == 0 {
            libc::raise(libc::SIGTSTP);
            libc::sigaction(libc::SIGTSTP, handler.as_ptr(), std::ptr::null_mut());
        }
    }
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

/// Whoever started us may have blocked them; then no handler would ever run.
fn unblock(numbers: &[i32]) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set; the rest are plain calls on it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for &number in numbers {
            libc::sigaddset(&mut set, number);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
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
        // SAFETY: SIG_DFL runs no code of ours; raise is a plain call.
        unsafe {
            libc::signal(signal.0, libc::SIG_DFL);
            unblock(&[signal.0]);
            libc::raise(signal.0);
        }
    }
    ExitCode::from(128_u8.wrapping_add(signal.0 as u8))
}
