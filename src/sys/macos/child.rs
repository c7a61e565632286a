//! A child by `fork`; a pipe tells when it has executed its program.
#![expect(unsafe_code, reason = "fork has no safe wrapper")]

use std::ffi::{c_int, c_void};
use std::io::{Read, Write};
use std::mem::{ManuallyDrop, MaybeUninit};

use crate::sys::spawn::Failure;

/// Makes a child that runs the body; returns when it has executed a program or ended. The child's number, and what
/// the body has returned, if it has; or why there is no child.
///
/// # Safety
/// The body makes system calls only.
pub(in crate::sys) unsafe fn beget(
    body: unsafe fn(*const c_void) -> Failure,
    of: *const c_void,
) -> Result<(i32, Option<Failure>), i32> {
    let number = |error: std::io::Error| error.raw_os_error().unwrap_or(0);
    // Both ends are close-on-exec: the execution closes the child's.
    let (mut told, tell) = std::io::pipe().map_err(number)?;
    // SAFETY: the child makes system calls only, until it executes a program or ends.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let mut tell = ManuallyDrop::new(tell);
        // SAFETY: a failure is plain numbers, and its bytes are read back by the same code.
        unsafe {
            let mut failure = MaybeUninit::<Failure>::zeroed();
            failure.write(body(of));
            let bytes: *const u8 = failure.as_ptr().cast();
            let _ = tell.write(std::slice::from_raw_parts(bytes, size_of::<Failure>()));
            libc::_exit(127)
        }
    }
    if pid < 0 {
        return Err(number(std::io::Error::last_os_error()));
    }
    drop(tell);
    let mut failure = MaybeUninit::<Failure>::zeroed();
    // SAFETY: zeros are bytes, and those of a whole failure were written by the child.
    let failure = unsafe {
        let bytes: *mut u8 = failure.as_mut_ptr().cast();
        let bytes = std::slice::from_raw_parts_mut(bytes, size_of::<Failure>());
        told.read_exact(bytes).is_ok().then(|| failure.assume_init())
    };
    Ok((pid, failure))
}

/// In a child: this system can't tie its life to its parent's.
///
/// # Safety
/// None is needed.
pub(in crate::sys) unsafe fn die_with(_parent: i32) {}

/// In a child: no descriptor from this one on survives the execution.
///
/// # Safety
/// Only in a child that has not executed its program yet.
pub(in crate::sys) unsafe fn close_from(first: c_int) {
    // SAFETY: these calls only change the child's own copy of the descriptor table.
    unsafe {
        for fd in first..libc::getdtablesize() {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}
