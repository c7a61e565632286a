//! Whether a file can be executed, as far as its mode tells.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;

/// Whether anybody may execute the file.
#[must_use]
pub fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}
