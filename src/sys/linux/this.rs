//! This process and its program.
#![expect(unsafe_code, reason = "the name of a process has no safe wrapper")]

use std::ffi::{CStr, CString, OsStr};
use std::io;

use crate::sys::bytes::os_str;

/// Where this program is, in the order to try: through the kernel, since its path may by now be another build; by
/// its path, where there is no `/proc`.
#[must_use]
pub fn program() -> Vec<CString> {
    let path = os_str(rustix::param::linux_execfn().to_bytes());
    let path = std::path::absolute(path).unwrap_or_default();
    let path = CString::new(OsStr::as_encoded_bytes(path.as_os_str())).unwrap_or_default();
    vec![c"/proc/self/exe".to_owned(), path]
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
