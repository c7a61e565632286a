//! The modes of files and directories; chmod(2).

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

/// A directory that only its owner can list and enter.
#[must_use]
pub fn owner_only() -> Permissions {
    Permissions::from_mode(0o700)
}
