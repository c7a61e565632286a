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
        // Also over local directories: whoever writes into the upper one from behind is told of nowhere.
        0x794c_7630 => FileSystem::Doubtful("an overlay"),
        _ => FileSystem::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Linux tells, from <linux/magic.h> and the sources of modules outside of it.
    #[test]
    fn every_file_system_is_what_it_is_known_for() {
        let local = [
            ("ext4", 0xef53),
            ("btrfs", 0x9123_683e),
            ("xfs", 0x5846_5342),
            ("f2fs", 0xf2f5_2010),
            ("bcachefs", 0xca45_1a4e),
            ("zfs", 0x2fc1_2fc1),
            ("tmpfs", 0x0102_1994),
            ("ramfs", 0x8584_58f6),
            ("vfat", 0x4d44),
            ("exfat", 0x2011_bab0),
            ("ntfs3", 0x7366_746e),
            ("ecryptfs", 0xf15f),
        ];
        for (name, magic) in local {
            assert_eq!(filesystem(magic), FileSystem::Local, "{name}");
        }
        let silent = [
            ("9p", 0x0102_1997),
            ("drvfs", 0x5346_4846),
            ("NFS", 0x6969),
            ("SMB", 0x517b),
            ("SMB", 0xff53_4d42),
            ("SMB", 0xfe53_4d42),
            ("vboxsf", 0x786f_4256),
            ("prl_fs", 0x7c7c_6673),
            ("vmhgfs", 0xbacb_acbc),
            ("AFS", 0x5346_414f),
            ("Coda", 0x7375_7245),
            ("Ceph", 0x00c3_6400),
            ("GFS2", 0x0116_1970),
            ("OCFS2", 0x7461_636f),
            ("Lustre", 0x0bd0_0bd0),
        ];
        for (expected, magic) in silent {
            let FileSystem::Silent(name, _) = filesystem(magic) else { panic!("{expected}") };
            assert_eq!(crate::watch::filesystem::short(name), expected);
            // A 32-bit value that arrived sign-extended.
            assert_eq!(filesystem(magic | 0xffff_ffff_0000_0000), filesystem(magic));
        }
        // FUSE is virtiofs too: the kernel gives both the same number.
        assert_eq!(filesystem(0x6573_5546), FileSystem::Doubtful("FUSE"));
        assert_eq!(filesystem(0x794c_7630), FileSystem::Doubtful("an overlay"));
    }
}
