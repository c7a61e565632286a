//! A child that shares the memory of its parent, which waits until the program is executed: no page table is copied.
#![expect(unsafe_code, reason = "clone and prctl have no safe wrapper")]

use std::ffi::{c_int, c_void};

use crate::sys::spawn::Failure;

/// Enough for the few frames of a body; `execve` works in the kernel.
const STACK: usize = 64 * 1024;

struct Call {
    body: unsafe fn(*const c_void) -> Failure,
    of: *const c_void,
    failure: Option<Failure>,
}

/// Makes a child that runs the body; returns when it has executed a program or ended. The child's number, and what
/// the body has returned, if it has; or why there is no child.
///
/// # Safety
/// Every signal is blocked: no handler may run in the child. The body makes system calls only.
pub(in crate::sys) unsafe fn beget(
    body: unsafe fn(*const c_void) -> Failure,
    of: *const c_void,
) -> Result<(i32, Option<Failure>), i32> {
    let mut call = Call { body, of, failure: None };
    // Not cleared: that took a third of the shim's share of a reload.
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / 16);
    // SAFETY: the child runs `child` on its own stack, which it fills downwards from its 16-byte-aligned end; the
    // call outlives it, since CLONE_VFORK holds us until the child has executed a program or ended.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity()).cast();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        libc::clone(child, top, flags, (&raw mut call).cast())
    };
    if pid < 0 {
        return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0));
    }
    // SAFETY: initialised; the child may have written it behind the compiler's back, hence volatile, and it has ended
    // or left our memory.
    Ok((pid, unsafe { (&raw const call.failure).read_volatile() }))
}

extern "C" fn child(call: *mut c_void) -> c_int {
    let call: *mut Call = call.cast();
    // SAFETY: the parent waits, so nothing else touches the call (see `beget`).
    unsafe {
        let failure = ((*call).body)((*call).of);
        (&raw mut (*call).failure).write_volatile(Some(failure));
        libc::_exit(127)
    }
}

/// In a child: SIGKILL when the parent ends. Ends at once when it has.
///
/// # Safety
/// Only in a child that has not executed its program yet.
pub(in crate::sys) unsafe fn die_with(parent: i32) {
    // SAFETY: plain calls.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        if libc::getppid() != parent {
            libc::_exit(127);
        }
    }
}

/// In a child: no descriptor from this one on survives the execution.
///
/// # Safety
/// Only in a child that has not executed its program yet.
pub(in crate::sys) unsafe fn close_from(first: c_int) {
    // SAFETY: these calls only change the child's own copy of the descriptor table.
    unsafe {
        let cloexec = libc::CLOSE_RANGE_CLOEXEC as libc::c_long;
        if libc::syscall(libc::SYS_close_range, first, c_int::MAX, cloexec) < 0 {
            // Before Linux 5.11.
            for fd in first..1024 {
                libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
}
