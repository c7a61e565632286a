//! This process and its program.

use std::ffi::{CStr, CString};
use std::io;

/// Where this program is.
#[must_use]
pub fn program() -> Vec<CString> {
    let path = std::env::current_exe().unwrap_or_default();
    CString::new(path.as_os_str().as_encoded_bytes()).into_iter().collect()
}

/// A process has the name of its program here.
pub fn set_name(_name: &CStr) {}

/// What loses its parent is the child of `init` here.
///
/// # Errors
/// Always.
pub fn become_subreaper() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
