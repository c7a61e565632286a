//! A terminal whose other end is in the test's hands: what is typed, whether anybody reads, and when it is
//! closed. The program is its session's leader and foreground group.

use std::fs::File;
use std::io::{Read, Write};
use std::ops::Deref;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, Termios};

use super::processes::{self, Process, on_path, skip};
use super::project::Project;
use super::wait::{DEADLINE, OLDER_THAN_A_TICK, pace, until};
use super::watcher::default_signals;

/// A go-watcher in such a terminal.
pub(crate) struct Pty {
    project: Project,
    master: Option<File>,
    child: Child,
    ended: Option<ExitStatus>,
    seen: Arc<Mutex<Vec<u8>>>,
    closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Deref for Pty {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

impl Pty {
    /// Starts `go-watcher run ARGS`; its output is read by us, or (`read` false) by nobody.
    pub(crate) fn start(project: Project, args: &[&str], read: bool) -> Option<Self> {
        if !on_path("setsid") {
            skip("setsid is not installed");
            return None;
        }
        pace(OLDER_THAN_A_TICK);
        default_signals();
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).expect("a flag");
        rustix::pty::grantpt(&master).expect("grantpt");
        rustix::pty::unlockpt(&master).expect("unlockpt");
        let name = rustix::pty::ptsname(&master, Vec::new()).expect("its name");
        let slave = || {
            let path = name.to_str().expect("a name");
            File::options().read(true).write(true).open(path).expect("the terminal")
        };
        let mut command = project.in_tree("setsid");
        command
            .envs([("TERM", "xterm"), ("NO_COLOR", "1")])
            .arg("-c")
            .arg(project.program_path())
            .arg("run")
            .args(args);
        let child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().expect("starts");
        let (seen, closing) = (Arc::default(), Arc::default());
        let master = File::from(master);
        let reader = read.then(|| {
            let master = master.try_clone().expect("a descriptor");
            collect(master, Arc::clone(&seen), Arc::clone(&closing))
        });
        Some(Self { project, master: Some(master), child, ended: None, seen, closing, reader })
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types these bytes.
    pub(crate) fn types(&self, text: &str) {
        self.master.as_ref().expect("open").write_all(text.as_bytes()).expect("typing");
    }

    /// Everything that was written to the terminal so far.
    pub(crate) fn seen(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size =
            rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(self.master.as_ref().expect("open"), size).expect("a size");
    }

    /// The process group that has the terminal.
    pub(crate) fn foreground(&self) -> Option<u32> {
        let group = rustix::termios::tcgetpgrp(self.master.as_ref()?).ok()?;
        Some(group.as_raw_nonzero().get().cast_unsigned())
    }

    fn modes(&self) -> Termios {
        rustix::termios::tcgetattr(self.master.as_ref().expect("open")).expect("modes")
    }

    /// Whether it is as a shell has it: lines, echo, signals, output translated.
    pub(crate) fn is_sane(&self) -> bool {
        let wanted = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        let modes = self.modes();
        let output = modes.output_modes.contains(rustix::termios::OutputModes::OPOST);
        modes.local_modes.contains(wanted) && output
    }

    /// Whether it gives single keys without echo.
    pub(crate) fn is_single_keys(&self) -> bool {
        !self.modes().local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for a condition; failing, it shows what is on the terminal.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, what: &str, condition: impl FnMut() -> Option<T>) -> T {
        match until(DEADLINE, condition) {
            Some(value) => value,
            None => panic!("waited for {what}; {} runs; {:?}", self.run_count(), self.seen()),
        }
    }

    /// Waits until the terminal has shown the text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.wait_for(&format!("{text:?}"), || self.seen().contains(text).then_some(()));
    }

    /// Waits until at least so many runs have begun.
    #[track_caller]
    pub(crate) fn wait_runs(&self, count: usize) {
        self.wait_for(&format!("run {count}"), || (self.run_count() >= count).then_some(()));
    }

    /// Closes the terminal, as when a window is closed.
    pub(crate) fn close(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader");
        }
        self.master = None;
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("waiting");
        }
        self.ended
    }

    /// Waits for the end: exit status, or 128 + signal as a shell has it.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        let Some(status) = until(DEADLINE, || self.has_ended()) else {
            panic!("it does not end; {:?}", self.seen());
        };
        status.code().unwrap_or_else(|| 128 + status.signal().expect("a signal"))
    }

    /// Living processes of this test, the program excepted.
    pub(crate) fn left(&self) -> Vec<Process> {
        let mut left = processes::tagged(self.tag());
        left.retain(|process| process.pid != self.pid());
        left
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let mut left = Vec::new();
        if !std::thread::panicking() {
            if self.has_ended().is_none() {
                processes::send(self.pid(), Signal::TERM);
                until(DEADLINE, || self.has_ended());
            }
            until(Duration::from_secs(3), || self.left().is_empty().then_some(()));
            left = self.left();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.closing.store(true, Ordering::Relaxed);
        self.project.kill_what_is_left();
        assert!(left.is_empty(), "{left:?} survived; {:?}", self.seen());
    }
}

fn collect(
    mut master: File,
    seen: Arc<Mutex<Vec<u8>>>,
    closing: Arc<AtomicBool>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while !closing.load(Ordering::Relaxed) {
            let mut descriptors = [PollFd::new(&master, PollFlags::IN)];
            let wait = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
            if rustix::event::poll(&mut descriptors, Some(&wait)) == Ok(0) {
                continue;
            }
            let Ok(count @ 1..) = master.read(&mut bytes) else { return };
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.extend_from_slice(&bytes[..count]);
        }
    })
}
