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
pub(crate) use processes::{free_port, python};
pub(crate) use processes::{on_path, skip};
pub(crate) use project::{CACHEDIR_TAG, Finished, Project};
#[cfg(target_os = "linux")]
pub(crate) use pty::Pty;
pub(crate) use runs::Run;
pub(crate) use rustix::process::Signal;
pub(crate) use terminal::Terminal;
pub(crate) use wait::{
    DEADLINE, PROMPT_MS, QUIET, Random, is_busy, monotonic, pace, pace_ms, until, until_every,
};
#[cfg(target_os = "linux")]
pub(crate) use wait::{figures, ms_since};
pub(crate) use watcher::Watcher;
