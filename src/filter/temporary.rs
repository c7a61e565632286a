//! Names of the temporary files through which programs save.

use std::ffi::OsStr;

/// Whether a name alone looks like that of a temporary file.
pub fn looks_temporary(_name: &OsStr) -> bool {
    false
}

/// Whether `name` looks like a temporary of `sibling`: `a.go.123.tmp` of `a.go`.
pub fn temporary_of(_name: &OsStr, _sibling: &OsStr) -> bool {
    false
}

/// Whether `name` looks like a temporary of some name for which `exists` says yes.
pub fn temporary_among(_name: &OsStr, _exists: impl FnMut(&OsStr) -> bool) -> bool {
    false
}
