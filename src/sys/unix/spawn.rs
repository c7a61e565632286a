//! Starting a process, with what `posix_spawn` can't do: the foreground of the terminal, the end together with the
//! parent, and a precise answer about what failed.
#![expect(
    unsafe_code,
    reason = "what happens between the new process and its program has no safe wrapper"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::Metadata;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;

use crate::model::SpawnStage;
use crate::sys::dispositions::Blocked;
use crate::sys::os::child;
use crate::sys::process;

/// A program that somebody has open for writing (execve(2), ETXTBSY) is tried so often, 5 ms apart.
const BUSY_TRIES: u32 = 40;

/// The descriptor under which a new process finds [`Plan::socket`].
pub const SOCKET: i32 = 3;

/// Everything prepared that the child needs: it must not allocate.
pub struct Plan<'a> {
    /// Where to look for the program, in this order.
    pub programs: Vec<CString>,
    /// The arguments, the program's name first.
    pub argv: Vec<CString>,
    /// The environment, `NAME=value` each.
    pub env: Vec<&'a CStr>,
    /// Working directory; unchanged when `None`.
    pub directory: Option<CString>,
    /// Becomes standard input.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Becomes descriptor [`SOCKET`]; every other beyond 0, 1 and 2 is closed then. Without it the caller has to see
    /// to it that all that it has opened is close-on-exec.
    pub socket: Option<BorrowedFd<'a>>,
    /// Where the system can do that, the child is killed when this process ends.
    pub dies_with_us: bool,
    /// Signals to ignore, as a set of bits from signal 1.
    pub ignored: u64,
    /// Leaves every signal blocked.
    pub blocked: bool,
    /// Makes the child the foreground group of the terminal at standard input.
    pub foreground: bool,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// At this step.
    pub stage: SpawnStage,
    /// For this reason.
    pub errno: i32,
    /// Which of [`Plan::programs`] it was about.
    pub program: usize,
}

/// What the child works with: only numbers and pointers into the parent's memory.
struct Task {
    programs: *const *const c_char,
    argv: *const *const c_char,
    env: *const *const c_char,
    directory: *const c_char,
    stdin: c_int,
    socket: c_int,
    dies_with_us: bool,
    ignored: u64,
    blocked: bool,
    foreground: bool,
    parent: i32,
}

/// Makes a child that does what it is told, and waits until it has executed its program or ended: its number, and
/// what the body has returned, if it has.
pub(in crate::sys) type Beget = unsafe fn(
    unsafe fn(*const c_void) -> Failure,
    *const c_void,
) -> Result<(i32, Option<Failure>), i32>;

/// Starts it as the leader of a process group, and waits until the program is executed. Every signal must be blocked:
/// a handler must not run in the child, which may share our memory.
///
/// # Errors
/// What failed.
pub fn spawn(plan: &Plan<'_>, blocked: &Blocked) -> Result<i32, Failure> {
    spawn_by(child::beget, plan, blocked)
}

pub(in crate::sys) fn spawn_by(
    beget: Beget,
    plan: &Plan<'_>,
    _blocked: &Blocked,
) -> Result<i32, Failure> {
    let programs = pointers(plan.programs.iter().map(CString::as_c_str));
    let argv = pointers(plan.argv.iter().map(CString::as_c_str));
    let env = pointers(plan.env.iter().copied());
    let descriptor = |fd: Option<BorrowedFd<'_>>| fd.map_or(-1, |fd| fd.as_raw_fd());
    let task = Task {
        programs: programs.as_ptr(),
        argv: argv.as_ptr(),
        env: env.as_ptr(),
        directory: plan.directory.as_ref().map_or(std::ptr::null(), |path| path.as_ptr()),
        stdin: descriptor(plan.stdin),
        socket: descriptor(plan.socket),
        dies_with_us: plan.dies_with_us,
        ignored: plan.ignored,
        blocked: plan.blocked,
        foreground: plan.foreground,
        parent: process::own_pid(),
    };
    // SAFETY: the task and all it points to outlive the call, which returns when the child has left or never needed
    // them; `live` makes system calls only.
    match unsafe { beget(live, (&raw const task).cast()) } {
        Ok((pid, None)) => Ok(pid),
        Ok((pid, Some(failure))) => {
            process::wait_for(pid);
            Err(failure)
        }
        Err(errno) => Err(Failure { stage: SpawnStage::Fork, errno, program: 0 }),
    }
}

fn pointers<'a>(list: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    list.map(CStr::as_ptr).chain([std::ptr::null()]).collect()
}

/// The child's whole life before the program. Returns only with what went wrong.
unsafe fn live(task: *const c_void) -> Failure {
    // SAFETY: the task and its pointers are valid, and nothing changes them meanwhile (see `spawn_by`).
    unsafe {
        let task: &Task = &*task.cast();
        set_up(task).err().unwrap_or_else(|| execute(task))
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Group, parent, dispositions, descriptors, terminal, directory, signal mask.
unsafe fn set_up(task: &Task) -> Result<(), Failure> {
    let fail = |stage| Failure { stage, errno: errno(), program: 0 };
    // SAFETY: plain system calls on numbers, and on pointers that are valid (see `spawn_by`).
    unsafe {
        libc::setpgid(0, 0);
        if task.dies_with_us {
            child::die_with(task.parent);
        }
        if task.stdin >= 0 && libc::dup2(task.stdin, 0) < 0 {
            return Err(fail(SpawnStage::Fork));
        }
        if task.socket >= 0 {
            // dup2 to itself would keep the close-on-exec flag.
            let done = match task.socket {
                SOCKET => libc::fcntl(SOCKET, libc::F_SETFD, 0),
                other => libc::dup2(other, SOCKET),
            };
            if done < 0 {
                return Err(fail(SpawnStage::Fork));
            }
            child::close_from(SOCKET + 1);
        }
        if task.foreground {
            libc::tcsetpgrp(0, libc::getpid());
        }
        if !task.directory.is_null() && libc::chdir(task.directory) < 0 {
            return Err(fail(SpawnStage::WorkingDirectory));
        }
        set_signals(task);
    }
    Ok(())
}

/// The signals as if this program had never been there.
unsafe fn set_signals(task: &Task) {
    // SAFETY: plain calls; no handler of ours is left when the mask is taken away, and sigemptyset initialises it.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
        let mut ignored = task.ignored;
        while ignored != 0 {
            // Numbers that are no signal here, or can't be set, are refused.
            libc::signal(ignored.trailing_zeros() as c_int + 1, libc::SIG_IGN);
            ignored &= ignored - 1;
        }
        if !task.blocked {
            let mut none = std::mem::MaybeUninit::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        }
    }
}

/// A program that has just been written may still be held open for writing, by a child that another thread of its
/// writer has made and that has not executed its own program yet. Returns only with what went wrong.
unsafe fn execute_when_written(program: *const c_char, task: &Task) -> i32 {
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
    for _ in 0..BUSY_TRIES {
        // SAFETY: the program and the lists are valid (see `spawn_by`).
        unsafe {
            libc::execve(program, task.argv, task.env);
            if errno() != libc::ETXTBSY {
                return errno();
            }
            libc::nanosleep(&raw const pause, std::ptr::null_mut());
        }
    }
    libc::ETXTBSY
}

/// Returns only when no candidate can be executed, with the most telling reason: what exists but can't be
/// executed rather than what is not there.
unsafe fn execute(task: &Task) -> Failure {
    let mut telling = None;
    let mut last = Failure { stage: SpawnStage::Exec, errno: libc::ENOENT, program: 0 };
    for at in 0.. {
        // SAFETY: the lists end with null (see `pointers`), and we stop there.
        let errno = unsafe {
            let program = *task.programs.add(at);
            if program.is_null() {
                break;
            }
            execute_when_written(program, task)
        };
        last = Failure { stage: SpawnStage::Exec, errno, program: at };
        match errno {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES | libc::ELOOP | libc::ENAMETOOLONG => telling = telling.or(Some(last)),
            _ => return last,
        }
    }
    telling.unwrap_or(Failure { program: 0, ..last })
}

/// Whether anybody may execute the file, as far as its mode tells.
#[must_use]
pub fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::dispositions::block_all;
    use crate::sys::forked;

    /// Starts a shell command in the directory by both ways of making a child.
    fn each(program: &str, script: &CStr, directory: &CStr) -> Vec<Result<i32, Failure>> {
        let plan = |path: CString| Plan {
            programs: vec![c"/no/such".to_owned(), path],
            argv: vec![c"sh".to_owned(), c"-c".to_owned(), script.to_owned()],
            env: vec![c"A=b"],
            directory: Some(directory.to_owned()),
            stdin: None,
            socket: None,
            dies_with_us: true,
            ignored: 1 << (libc::SIGUSR1 - 1),
            blocked: false,
            foreground: false,
        };
        let ways: [Beget; 2] = [crate::sys::os::child::beget, forked::beget];
        let path = CString::new(program).unwrap();
        ways.map(|way| spawn_by(way, &plan(path.clone()), &block_all())).into()
    }

    #[test]
    fn both_ways_of_making_a_child_do_the_same() {
        // Only a USR1 that is ignored lets it come to its end.
        let script = c"test $A = b && test \"$PWD\" = / && kill -USR1 $$ && exit 7";
        for pid in each("/bin/sh", script, c"/") {
            let pid = pid.unwrap();
            let mut status = 0;
            // SAFETY: the status is written to a number of ours.
            #[expect(
                unsafe_code,
                reason = "other tests have children too: only this one is waited for"
            )]
            let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
            assert_eq!((waited, libc::WEXITSTATUS(status)), (pid, 7));
        }
        for (program, directory, stage, errno, at) in [
            ("/bin/sh", c"/no/such", SpawnStage::WorkingDirectory, libc::ENOENT, 0),
            ("/no/other", c"/", SpawnStage::Exec, libc::ENOENT, 0),
            ("/etc/passwd", c"/", SpawnStage::Exec, libc::EACCES, 1),
        ] {
            for failed in each(program, c"", directory) {
                assert_eq!(failed, Err(Failure { stage, errno, program: at }), "{program}");
            }
        }
    }
}
