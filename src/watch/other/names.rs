//! File systems by the name that macOS tells.

use crate::watch::filesystem::FileSystem;

/// By `f_fstypename` of `statfs(2)`, which is the last part of `mount_NAME(8)`.
pub(super) fn filesystem(name: &[u8]) -> FileSystem {
    match name {
        b"nfs" => FileSystem::Silent("NFS", None),
        b"smbfs" | b"cifs" => FileSystem::Silent("SMB", None),
        b"afpfs" => FileSystem::Silent("AFP", None),
        b"webdav" => FileSystem::Silent("WebDAV", None),
        b"ftp" => FileSystem::Silent("FTP", None),
        b"macfuse" | b"osxfuse" | b"fusefs" => FileSystem::Doubtful("FUSE"),
        _ => FileSystem::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_local_ones_are_trusted_and_the_known_silent_ones_are_not() {
        for local in ["apfs", "hfs", "exfat", "msdos", "virtiofs", ""] {
            assert_eq!(filesystem(local.as_bytes()), FileSystem::Local, "{local}");
        }
        for silent in ["nfs", "smbfs", "afpfs", "webdav"] {
            assert!(matches!(filesystem(silent.as_bytes()), FileSystem::Silent(..)), "{silent}");
        }
        assert_eq!(filesystem(b"macfuse"), FileSystem::Doubtful("FUSE"));
    }
}
