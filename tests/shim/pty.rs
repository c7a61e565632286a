//! A real terminal with a real shell in it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::pty::OpenptFlags;

use crate::support::{tagged, until};

pub(crate) struct Pty {
    master: Option<File>,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    shell: Child,
    seen: Arc<Mutex<String>>,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) tag: String,
    marks: u32,
}

impl Pty {
    /// A shell with job control, whose `mini` is this test binary.
    pub(crate) async fn new(name: &str) -> Pty {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let path = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let slave = || {
            let options = File::options().read(true).write(true).clone();
            options.open(path.to_str().unwrap()).unwrap()
        };
        let tag = format!("GW_TEST_TAG={}-pty-{name}", std::process::id());
        let (variable, value) = tag.split_once('=').unwrap();
        let directory = tempfile::tempdir().unwrap();
        let shell = Command::new("setsid")
            .args(["-c", "-w", "bash", "--norc", "--noprofile", "--noediting", "-i"])
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .current_dir(directory.path())
            .env(variable, value)
            .env("PS1", "$ ")
            .env("MINI", std::env::current_exe().unwrap())
            .spawn()
            .unwrap();
        let master = File::from(master);
        let seen = Arc::new(Mutex::new(String::new()));
        let (mut reader, text) = (master.try_clone().unwrap(), seen.clone());
        let closed = Arc::new(AtomicBool::new(false));
        let close = closed.clone();
        let thread = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !close.load(Ordering::Relaxed) {
                let mut fds = [PollFd::new(&reader, PollFlags::IN)];
                let wait = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
                if rustix::event::poll(&mut fds, Some(&wait)) == Ok(0) {
                    continue;
                }
                let Ok(count @ 1..) = reader.read(&mut bytes) else { return };
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let thread = Some(thread);
        let mut pty =
            Pty { master: Some(master), closed, thread, shell, seen, directory, tag, marks: 0 };
        pty.line("stty -echo; mini() { \"$MINI\" mini log \"$@\"; }; export -f mini");
        pty.settle().await;
        pty
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.master.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    pub(crate) fn seen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) async fn sees(&self, text: &str) {
        let found = || self.seen().contains(text).then_some(());
        let start = std::time::Instant::now();
        while found().is_none() {
            if start.elapsed() > std::time::Duration::from_secs(8) {
                panic!("no {text:?} in {:?}, log {:?}", self.seen(), self.log());
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// Waits until the shell has done everything up to here.
    pub(crate) async fn settle(&mut self) {
        self.marks += 1;
        let mark = self.marks;
        self.line(&format!("echo mark-$(({mark} + 1000))"));
        self.sees(&format!("mark-{}", mark + 1000)).await;
    }

    /// The last line that a command of the shell writes.
    pub(crate) async fn ask(&mut self, command: &str) -> String {
        let before = self.seen().len();
        self.line(command);
        self.settle().await;
        let text = self.seen()[before..].replace("\r\n", "\n");
        let text: Vec<_> = text
            .lines()
            .filter(|line| !line.contains("mark-") && !line.trim_matches(['$', ' ']).is_empty())
            .collect();
        text.last().map_or("", |line| line.trim_start_matches("$ ").trim()).to_owned()
    }

    /// Waits until the shell has the terminal again: what is typed before that is somebody else's.
    pub(crate) async fn back(&mut self) {
        self.gives(self.shell.id()).await;
    }

    /// Waits until this group has the terminal.
    pub(crate) async fn gives(&self, group: u32) {
        let start = std::time::Instant::now();
        while self.foreground() != group {
            if start.elapsed() > std::time::Duration::from_secs(8) {
                panic!(
                    "{} has it, not {group}: {} --- {}",
                    self.foreground(),
                    self.log(),
                    self.seen()
                );
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Waits until the log has this so many times.
    pub(crate) async fn logs(&self, text: &str, times: usize) {
        let what = format!("{times} × {text:?} in the log");
        let start = std::time::Instant::now();
        while self.log().matches(text).count() < times {
            if start.elapsed() > std::time::Duration::from_secs(8) {
                panic!("no {what}: {} --- {:?}", self.log(), self.seen());
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// The pid of the leader that started last.
    pub(crate) fn leader(&self) -> u32 {
        let log = self.log();
        let number = log.rsplit("pid: ").next().unwrap().split(' ').next().unwrap();
        number.parse().unwrap()
    }

    pub(crate) fn foreground(&self) -> u32 {
        let group = rustix::termios::tcgetpgrp(self.master.as_ref().unwrap()).unwrap();
        group.as_raw_nonzero().get() as u32
    }

    pub(crate) fn modes(&self) -> rustix::termios::Termios {
        rustix::termios::tcgetattr(self.master.as_ref().unwrap()).unwrap()
    }

    /// As when the window is closed.
    pub(crate) async fn close(mut self) {
        self.closed.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.master = None;
        self.gone().await;
    }

    /// As when its process is killed.
    pub(crate) async fn lose_shell(mut self) {
        self.shell.kill().unwrap();
        self.gone().await;
    }

    /// The pid of `mini`.
    pub(crate) fn mini(&self) -> u32 {
        let parent = |pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit(") ").next().unwrap().split(' ').nth(1).unwrap().parse().unwrap()
        };
        parent(parent(self.leader()))
    }

    /// Leaves the shell; nothing may be left.
    pub(crate) async fn end(mut self) {
        self.line("exit");
        self.gone().await;
    }

    async fn gone(&mut self) {
        until("the shell's end", || self.shell.try_wait().unwrap()).await;
        let start = std::time::Instant::now();
        while !tagged(&self.tag).is_empty() {
            if start.elapsed() > std::time::Duration::from_secs(3) {
                panic!("left: {:?}\n{}", tagged(&self.tag), self.log());
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// Also a failed test leaves nothing behind.
impl Drop for Pty {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
