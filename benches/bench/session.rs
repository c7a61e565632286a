//! One running tool: started in a tree, asked, stopped, and nothing of it left.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::programs::Programs;
use crate::stamps::Stamps;
use crate::sys::Nanos;
use crate::tools::{self, Mode, Side, Tool};
use crate::{proc, save};

/// A tool that is running in a tree.
pub(crate) struct Session<'a> {
    /// The tool.
    pub(crate) child: Child,
    /// Just before it was started.
    pub(crate) started: Nanos,
    side: Side,
    stamps: &'a Stamps,
}

impl<'a> Session<'a> {
    /// Starts `tool` in `directory` with the stamp program as its command.
    pub(crate) fn start(
        programs: &Programs,
        tool: &Tool,
        mode: Mode,
        directory: &Path,
        stamps: &'a Stamps,
    ) -> io::Result<Self> {
        Self::start_with(programs, tool, mode, directory, stamps, Stdio::null())
    }

    /// The same, with its standard error given.
    pub(crate) fn start_with(
        programs: &Programs,
        tool: &Tool,
        mode: Mode,
        directory: &Path,
        stamps: &'a Stamps,
        errors: Stdio,
    ) -> io::Result<Self> {
        let (stamp, floor, socket) = (&*programs.stamp, &*programs.floor, stamps.path());
        let argv = tool.argv(&tools::Command { stamp, floor, socket, mode });
        Self::spawn(&argv, tool.side, directory, stamps, errors)
    }

    /// Starts any command line.
    pub(crate) fn spawn(
        argv: &[String],
        side: Side,
        directory: &Path,
        stamps: &'a Stamps,
        errors: Stdio,
    ) -> io::Result<Self> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(directory).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let started = Nanos::now();
        Ok(Self { child: command.spawn()?, started, side, stamps })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Its processes, the command excepted.
    pub(crate) fn family(&self) -> Vec<i32> {
        proc::family(self.pid())
    }

    /// Saves `path` until the tool answers, so that what follows meets a tool that watches. False when it
    /// does not within `patience`.
    pub(crate) fn warm_up(&self, path: &Path, patience: Duration) -> io::Result<bool> {
        let give_up = Nanos(Nanos::now().0 + patience.as_nanos() as i64);
        let _ = self.stamps.first_since(self.started, patience);
        while Nanos::now() < give_up {
            let saved = save::in_place(path)?;
            if self.stamps.first_since(saved, Duration::from_millis(700)).is_some() {
                self.stamps.during(Duration::from_millis(300));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops it, by force when it does not listen, and whatever it left behind.
    pub(crate) fn stop(mut self) {
        let Some(pid) = Pid::from_raw(self.pid()) else { return };
        let polite = match self.side {
            Side::Ours => kill_process(pid, Signal::TERM),
            // A pipeline has no one process that stands for it.
            _ => kill_process_group(pid, Signal::TERM),
        };
        let deadline = Nanos(Nanos::now().0 + 3_000_000_000);
        while polite.is_ok() && Nanos::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = self.child.wait();
        self.stamps.end_strays();
    }
}
