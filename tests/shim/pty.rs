//! A real terminal with a real shell in it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use rustix::pty::OpenptFlags;

use crate::support::{tagged, until};

pub(crate) struct Pty {
    master: Option<File>,
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
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let mut pty = Pty { master: Some(master), shell, seen, directory, tag, marks: 0 };
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

    /// The output of a command of the shell.
    pub(crate) async fn ask(&mut self, command: &str) -> String {
        let before = self.seen().len();
        self.line(command);
        self.settle().await;
        let text = self.seen()[before..].replace("\r\n", "\n");
        let text: Vec<_> = text.lines().filter(|line| !line.contains("mark-")).collect();
        text.join("\n").replace("$ ", "").trim().to_owned()
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
        // The reading thread holds the other copy of the master: the shell's end is what frees it.
        self.master = None;
        let _ = self.shell.kill();
        self.gone().await;
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
