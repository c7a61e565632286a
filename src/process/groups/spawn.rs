//! Starting a process with the standard library's `fork` and `exec`, and what it leaves to do between them.
#![expect(unsafe_code, reason = "code between fork and exec")]
#![expect(clippy::disallowed_types, reason = "processes are started here")]
#![expect(clippy::disallowed_methods, reason = "looks at our descriptors and at the directory")]

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::model::{SpawnStage, Stdin};
use crate::process::{Launch, signals};

/// What we were started with besides 0, 1 and 2 is closed when a run is executed. (All that this program
/// opens is so already.)
pub(super) fn keep_inherited_descriptors() {
    // Everywhere, if not with all of them (FreeBSD without fdescfs).
    let Ok(entries) = std::fs::read_dir("/dev/fd") else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.parse::<i32>().ok());
        if let Some(fd) = number.filter(|&fd| fd > 2) {
            // SAFETY: only sets a flag that every descriptor of this program should have.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// Starts it as the leader of a process group; returns when the program is executed. What failed, and why.
pub(super) fn spawn(launch: &Launch, foreground: bool) -> Result<Child, (SpawnStage, i32)> {
    let Some((program, arguments)) = launch.argv.split_first() else {
        return Err((SpawnStage::Exec, libc::ENOENT));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.envs(launch.env.iter().map(|(name, value)| (name, value)));
    command.current_dir(&launch.directory).process_group(0).stdin(match launch.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::Open => Stdio::piped(),
        Stdin::Terminal => Stdio::inherit(),
    });
    let ignored = signals::ignored_at_start();
    // SAFETY: `set_up` makes only system calls that may be made between fork and exec.
    unsafe {
        command.pre_exec(move || {
            set_up(ignored, foreground);
            Ok(())
        });
    }
    command.spawn().map_err(|error| stage(&error, &launch.directory))
}

/// Terminal, dispositions, signal mask: as if we had never been there.
unsafe fn set_up(ignored: u64, foreground: bool) {
    let mut none = MaybeUninit::uninit();
    // SAFETY: plain system calls on numbers; sigemptyset initialises the set. No code of ours is a handler.
    unsafe {
        if foreground {
            // We ignore SIGTTOU, and so does it until here.
            libc::tcsetpgrp(0, libc::getpid());
        }
        // Numbers that are no signal, or can't be set, are refused.
        for number in 1..=64 {
            let ignore = ignored & 1 << (number - 1) != 0;
            libc::signal(number, if ignore { libc::SIG_IGN } else { libc::SIG_DFL });
        }
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// The standard library tells the error, but not of which step.
fn stage(error: &io::Error, directory: &Path) -> (SpawnStage, i32) {
    // Without a number: a NUL byte in an argument.
    let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
    if matches!(errno, libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE) {
        return (SpawnStage::Fork, errno);
    }
    match enter(directory) {
        Err(errno) => (SpawnStage::WorkingDirectory, errno),
        Ok(()) => (SpawnStage::Exec, errno),
    }
}

/// Whether `chdir` would work.
fn enter(directory: &Path) -> Result<(), i32> {
    let number = |error: io::Error| error.raw_os_error().unwrap_or(libc::EIO);
    if !std::fs::metadata(directory).map_err(number)?.is_dir() {
        return Err(libc::ENOTDIR);
    }
    rustix::fs::access(directory, rustix::fs::Access::EXEC_OK).map_err(|error| error.raw_os_error())
}
