//! What the tests are written with: a project in a directory of its own, the real program started in
//! it, and questions that wait for their answer.
//!
//! ```text
//! DIR/tree   the watched working directory        DIR/tmp    TMPDIR
//! DIR/out    logs, outside of what is watched     DIR/home   HOME
//! ```

pub(crate) mod command;
pub(crate) mod processes;
pub(crate) mod project;
#[cfg(target_os = "linux")]
pub(crate) mod pty;
pub(crate) mod runs;
pub(crate) mod terminal;
pub(crate) mod wait;
pub(crate) mod watcher;

pub(crate) use command::Stamp;
#[cfg(target_os = "linux")]
pub(crate) use processes::python;
pub(crate) use processes::{free_port, on_path, skip};
pub(crate) use project::{Finished, Project};
#[cfg(target_os = "linux")]
pub(crate) use pty::Pty;
pub(crate) use runs::Run;
pub(crate) use rustix::process::Signal;
pub(crate) use terminal::Terminal;
pub(crate) use wait::{
    DEADLINE, QUIET, Random, figures, is_busy, monotonic, ms_since, pace, pace_ms, until,
};
pub(crate) use watcher::Watcher;
