//! Names and paths as bytes. On Unix every byte but `/` and NUL can stand in a name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The bytes as a name. `OsStr::as_encoded_bytes` is the way back.
#[must_use]
pub fn os_str(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// The bytes as a name of its own. `OsString::into_encoded_bytes` is the way back.
#[must_use]
pub fn os_string(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}
