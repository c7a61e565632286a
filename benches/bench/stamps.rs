//! The receiving end of the stamp program: who started, and when.

use std::cell::RefCell;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::proc;
use crate::sys::Nanos;

/// One start of the command under test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// When its `main` began.
    pub(crate) at: Nanos,
    /// Its process id.
    pub(crate) pid: i32,
}

/// The socket that stamps arrive at.
pub(crate) struct Stamps {
    socket: UnixDatagram,
    path: PathBuf,
    seen: RefCell<Vec<i32>>,
}

impl Stamps {
    /// Listens at `path`, which must be outside every watched tree.
    pub(crate) fn listen(path: &Path) -> io::Result<Self> {
        let _ = std::fs::remove_file(path);
        Ok(Self {
            socket: UnixDatagram::bind(path)?,
            path: path.to_path_buf(),
            seen: RefCell::default(),
        })
    }

    /// Where stamps are to be sent.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The next start within `timeout`.
    pub(crate) fn next(&self, timeout: Duration) -> Option<Stamp> {
        let timeout = timeout.max(Duration::from_micros(1));
        self.socket.set_read_timeout(Some(timeout)).ok()?;
        let mut bytes = [0_u8; 16];
        let length = self.socket.recv(&mut bytes).ok()?;
        if length != bytes.len() {
            return None;
        }
        let (at, pid) = bytes.split_at(8);
        let at = i64::from_ne_bytes(at.try_into().ok()?);
        let pid = i64::from_ne_bytes(pid.try_into().ok()?);
        let stamp = Stamp { at: Nanos(at), pid: i32::try_from(pid).ok()? };
        self.seen.borrow_mut().push(stamp.pid);
        Some(stamp)
    }

    /// The first start at or after `since`, waiting at most until `timeout` from now.
    pub(crate) fn first_since(&self, since: Nanos, timeout: Duration) -> Option<Stamp> {
        let deadline = Nanos(Nanos::now().0 + timeout.as_nanos() as i64);
        loop {
            let left = deadline.0 - Nanos::now().0;
            if left <= 0 {
                return None;
            }
            match self.next(Duration::from_nanos(left as u64)) {
                Some(stamp) if stamp.at >= since => return Some(stamp),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Everything that starts within `time`, all of it waited for.
    pub(crate) fn during(&self, time: Duration) -> Vec<Stamp> {
        let deadline = Nanos(Nanos::now().0 + time.as_nanos() as i64);
        let mut seen = Vec::new();
        loop {
            let left = deadline.0 - Nanos::now().0;
            if left <= 0 {
                return seen;
            }
            seen.extend(self.next(Duration::from_nanos(left as u64)));
        }
    }

    /// Ends every command that is still there although its tool is gone.
    pub(crate) fn end_strays(&self) {
        self.during(Duration::from_millis(1));
        for pid in self.seen.borrow_mut().drain(..) {
            if let Some(id) = Pid::from_raw(pid)
                && proc::is_stamp(pid)
            {
                let _ = kill_process(id, Signal::KILL);
            }
        }
    }
}
