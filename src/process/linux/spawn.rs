//! Starting a process: `clone` with the parent's memory, as `posix_spawn` does it (no page table is
//! copied, and the parent waits until the program is executed), plus what `posix_spawn` can't do: the
//! signal at the parent's death, and a precise answer about what failed.
#![expect(unsafe_code, reason = "clone and execve have no safe wrapper")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::process::Pid;

use crate::model::SpawnStage;

/// So often, 5 ms apart, a program is tried that somebody has open for writing (execve(2), ETXTBSY).
const BUSY_TRIES: u32 = 40;

/// Enough for the few frames of [`child`]; `execve` works in the kernel.
const STACK: usize = 64 * 1024;

/// Everything prepared that the child needs: it must not allocate.
pub(super) struct Plan<'a> {
    /// Where to look for the program, in this order.
    pub(super) programs: Vec<CString>,
    pub(super) argv: Vec<CString>,
    pub(super) env: Vec<CString>,
    /// Working directory; unchanged when `None`.
    pub(super) directory: Option<CString>,
    /// Becomes standard input.
    pub(super) stdin: Option<BorrowedFd<'a>>,
    /// Becomes descriptor 3 (the shim's socket). All others are closed.
    pub(super) socket: Option<BorrowedFd<'a>>,
    /// Sent to the child when the thread that starts it ends.
    pub(super) death_signal: i32,
    /// Signals to ignore, as a set of bits from signal 1.
    pub(super) ignored: u64,
    /// Leaves every signal blocked (for the shim).
    pub(super) blocked: bool,
    /// Makes the child the foreground group of the terminal at standard input.
    pub(super) foreground: bool,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) stage: SpawnStage,
    pub(super) errno: i32,
    /// Which of [`Plan::programs`] it was about.
    pub(super) program: usize,
}

/// What the child works with: only pointers into the parent's memory.
struct Task {
    programs: *const *const c_char,
    argv: *const *const c_char,
    env: *const *const c_char,
    directory: *const c_char,
    stdin: c_int,
    socket: c_int,
    death_signal: c_int,
    ignored: u64,
    blocked: bool,
    foreground: bool,
    parent: i32,
    failure: Option<Failure>,
}

/// Starts it and waits until the program is executed. Every signal must be blocked
/// ([`super::sys::block_all`]): a handler must not run in the child, which shares our memory.
pub(super) fn spawn(plan: &Plan<'_>, _blocked: &super::sys::Blocked) -> Result<Pid, Failure> {
    let pointers = |list: &[CString]| -> Vec<*const c_char> {
        list.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (programs, argv, env) =
        (pointers(&plan.programs), pointers(&plan.argv), pointers(&plan.env));
    let descriptor = |fd: Option<BorrowedFd<'_>>| fd.map_or(-1, |fd| fd.as_raw_fd());
    let mut task = Task {
        programs: programs.as_ptr(),
        argv: argv.as_ptr(),
        env: env.as_ptr(),
        directory: plan.directory.as_ref().map_or(std::ptr::null(), |path| path.as_ptr()),
        stdin: descriptor(plan.stdin),
        socket: descriptor(plan.socket),
        death_signal: plan.death_signal,
        ignored: plan.ignored,
        blocked: plan.blocked,
        foreground: plan.foreground,
        parent: rustix::process::getpid().as_raw_nonzero().get(),
        failure: None,
    };
    // Not cleared: that took a third of the shim's share of a reload.
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / 16);
    let argument: *mut c_void = (&raw mut task).cast();
    // SAFETY: the child runs `child` on its own stack, which it fills downwards from its 16-byte-aligned
    // end; `task` and all it points to outlive the call, since CLONE_VFORK holds us until the child has
    // executed a program or ended. No signal handler can run in it: all signals are blocked.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity()).cast();
        libc::clone(child, top, libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, argument)
    };
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let Some(pid) = Pid::from_raw(pid.max(0)) else {
        return Err(Failure { stage: SpawnStage::Fork, errno, program: 0 });
    };
    // SAFETY: `task` is initialised; the child may have written it behind the compiler's back, hence
    // volatile, and it has ended or left our memory.
    match unsafe { (&raw const task.failure).read_volatile() } {
        None => Ok(pid),
        Some(failure) => {
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            Err(failure)
        }
    }
}

/// The child's whole life before the program. Only system calls: it shares our memory.
extern "C" fn child(argument: *mut c_void) -> c_int {
    let task: *mut Task = argument.cast();
    // SAFETY: the parent waits, so nobody else touches the task; its pointers are valid (see `spawn`).
    unsafe {
        let failure = set_up(&*task).err().unwrap_or_else(|| execute(&*task));
        (&raw mut (*task).failure).write_volatile(Some(failure));
        libc::_exit(127)
    }
}

fn errno() -> i32 {
    // SAFETY: always a valid pointer to this thread's number.
    unsafe { *libc::__errno_location() }
}

/// Group, death signal, dispositions, descriptors, terminal, directory, signal mask.
unsafe fn set_up(task: &Task) -> Result<(), Failure> {
    let fail = |stage| Failure { stage, errno: errno(), program: 0 };
    // SAFETY: plain system calls on numbers, and on pointers that are valid (see `spawn`).
    unsafe {
        libc::setpgid(0, 0);
        libc::prctl(libc::PR_SET_PDEATHSIG, task.death_signal, 0, 0, 0);
        if libc::getppid() != task.parent {
            libc::_exit(127);
        }
        for number in (1..=64).filter(|number| task.ignored & (1 << (number - 1)) != 0) {
            libc::signal(number, libc::SIG_IGN);
        }
        if task.stdin >= 0 && libc::dup2(task.stdin, 0) < 0 {
            return Err(fail(SpawnStage::Fork));
        }
        close_others(task.socket)?;
        if task.foreground {
            libc::tcsetpgrp(0, libc::getpid());
        }
        if !task.directory.is_null() && libc::chdir(task.directory) < 0 {
            return Err(fail(SpawnStage::WorkingDirectory));
        }
        if !task.blocked {
            let mut none = std::mem::MaybeUninit::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        }
    }
    Ok(())
}

/// No descriptor but 0, 1, 2 and (for the shim) 3 survives the execution.
unsafe fn close_others(socket: c_int) -> Result<(), Failure> {
    // SAFETY: these calls only change the child's own copy of the descriptor table.
    unsafe {
        let mut first = 3;
        if socket >= 0 {
            // dup2 to itself would keep the close-on-exec flag.
            let done =
                if socket == 3 { libc::fcntl(3, libc::F_SETFD, 0) } else { libc::dup2(socket, 3) };
            if done < 0 {
                return Err(Failure { stage: SpawnStage::Fork, errno: errno(), program: 0 });
            }
            first = 4;
        }
        let cloexec = libc::CLOSE_RANGE_CLOEXEC as libc::c_long;
        if libc::syscall(libc::SYS_close_range, first, c_int::MAX, cloexec) < 0 {
            // Before Linux 5.11.
            for fd in first..1024 {
                libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
    Ok(())
}

/// A program that has just been written may still be held open for writing, by a child that another thread of its
/// writer has made and that has not executed its own program yet. Returns only with what went wrong.
unsafe fn execute_when_written(program: *const c_char, task: &Task) -> i32 {
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
    for _ in 0..BUSY_TRIES {
        // SAFETY: the program and the lists are valid (see `spawn`).
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
        // SAFETY: the lists end with null (see `spawn`), and we stop there.
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
