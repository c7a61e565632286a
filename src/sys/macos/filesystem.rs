//! File systems by the name of statfs(2).

use std::os::fd::OwnedFd;

/// The file system that something open is on, when it is one that may not tell of every change.
#[cfg(target_vendor = "apple")]
pub(in crate::sys) fn name(fd: &OwnedFd) -> Option<&'static str> {
    let info = rustix::fs::fstatfs(fd).ok()?;
    let name: Vec<u8> =
        info.f_fstypename.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    by_name(&name)
}

/// Every other system tells its file systems in another way: all are taken for local.
#[cfg(not(target_vendor = "apple"))]
pub(in crate::sys) fn name(_fd: &OwnedFd) -> Option<&'static str> {
    by_name(b"")
}

/// By `f_fstypename`, which is the last part of `mount_NAME(8)`.
fn by_name(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"nfs" => "NFS",
        b"smbfs" | b"cifs" => "SMB",
        b"afpfs" => "AFP",
        b"webdav" => "WebDAV",
        b"ftp" => "FTP",
        b"macfuse" | b"osxfuse" | b"fusefs" => "FUSE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_local_ones_have_no_name_and_the_others_have_one() {
        for local in ["apfs", "hfs", "exfat", "msdos", "virtiofs", ""] {
            assert_eq!(by_name(local.as_bytes()), None, "{local}");
        }
        for (name, expected) in
            [("nfs", "NFS"), ("smbfs", "SMB"), ("afpfs", "AFP"), ("macfuse", "FUSE")]
        {
            assert_eq!(by_name(name.as_bytes()), Some(expected));
        }
    }
}
