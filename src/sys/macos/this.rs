//! This process and its program.

use std::ffi::{CStr, CString};
use std::io;
use std::path::PathBuf;

/// Where to look for this program.
#[must_use]
pub fn program() -> Vec<CString> {
    CString::new(path().into_os_string().into_encoded_bytes()).into_iter().collect()
}

/// What this program is called where it can't be started.
#[must_use]
pub fn path() -> PathBuf {
    std::env::current_exe().unwrap_or_default()
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
