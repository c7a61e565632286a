//! File systems by the magic number that Linux tells.

use crate::watch::filesystem::FileSystem;

/// By the magic number of `statfs(2)` (<linux/magic.h> and the sources of out-of-tree modules).
pub(super) fn filesystem(magic: u64) -> FileSystem {
    const KEEP: Option<&str> = Some("keep the code under ~");
    match magic & 0xffff_ffff {
        0x0102_1997 => FileSystem::Silent("9p (a Windows drive in WSL, or a shared folder)", KEEP),
        0x5346_4846 => FileSystem::Silent("drvfs (a Windows drive in WSL)", KEEP),
        0x6969 => FileSystem::Silent("NFS", None),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => FileSystem::Silent("SMB", None),
        0x786f_4256 => FileSystem::Silent("vboxsf (a VirtualBox shared folder)", None),
        0x7c7c_6673 => FileSystem::Silent("prl_fs (a Parallels shared folder)", None),
        0xbacb_acbc => FileSystem::Silent("vmhgfs (a VMware shared folder)", None),
        0x5346_414f => FileSystem::Silent("AFS", None),
        0x7375_7245 => FileSystem::Silent("Coda", None),
        0x00c3_6400 => FileSystem::Silent("Ceph", None),
        0x0116_1970 => FileSystem::Silent("GFS2", None),
        0x7461_636f => FileSystem::Silent("OCFS2", None),
        0x0bd0_0bd0 => FileSystem::Silent("Lustre", None),
        0x6573_5546 => FileSystem::Doubtful("FUSE"),
        0x794c_7630 => FileSystem::Doubtful("an overlay"),
        _ => FileSystem::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_local_ones_are_trusted_and_the_known_silent_ones_are_not() {
        for local in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x2fc1_2fc1] {
            assert_eq!(filesystem(local), FileSystem::Local, "{local:x}");
        }
        for silent in [0x0102_1997, 0x6969, 0xff53_4d42, 0xfe53_4d42, 0x786f_4256] {
            assert!(matches!(filesystem(silent), FileSystem::Silent(..)), "{silent:x}");
        }
        assert_eq!(filesystem(0x6573_5546), FileSystem::Doubtful("FUSE"));
        // A 32-bit value that arrived sign-extended.
        assert!(matches!(filesystem(0xffff_ffff_ff53_4d42), FileSystem::Silent("SMB", _)));
    }
}
