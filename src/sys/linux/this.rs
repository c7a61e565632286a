//! This process and its program.
#![expect(unsafe_code, reason = "the name of a process has no safe wrapper")]

use std::ffi::{CStr, CString};
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::bytes::os_str;

/// The program of this process, through the kernel: at its path there may be another build by now.
const PROGRAM: &CStr = c"/proc/self/exe";

/// Where to look for this program, in this order: without `/proc` its path has to do.
#[must_use]
pub fn program() -> Vec<CString> {
    let started_as = Path::new(os_str(rustix::param::linux_execfn().to_bytes()));
    let started_as = std::path::absolute(started_as).unwrap_or_default();
    let path = CString::new(started_as.into_os_string().into_encoded_bytes());
    std::iter::once(PROGRAM.to_owned()).chain(path).collect()
}

/// What this program is called where it can't be started.
#[must_use]
pub fn path() -> PathBuf {
    os_str(PROGRAM.to_bytes()).into()
}

/// Names this process in `ps`.
pub fn set_name(name: &CStr) {
    // SAFETY: the string is terminated; the kernel copies at most 16 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) };
}

/// From now on what loses its parent below this process becomes its child.
///
/// # Errors
/// Before Linux 3.4.
pub fn become_subreaper() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}
