//! File systems by the magic number of statfs(2).

use std::os::fd::OwnedFd;

/// The file system that something open is on, when it is one that may not tell of every change.
pub(in crate::sys) fn name(fd: &OwnedFd) -> Option<&'static str> {
    by_magic(rustix::fs::fstatfs(fd).ok()?.f_type as u64)
}

/// By the number in <linux/magic.h> and in the sources of out-of-tree modules.
fn by_magic(magic: u64) -> Option<&'static str> {
    Some(match magic & 0xffff_ffff {
        0x0102_1997 => "9p",
        0x5346_4846 => "drvfs",
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x786f_4256 => "vboxsf",
        0x7c7c_6673 => "prl_fs",
        0xbacb_acbc => "vmhgfs",
        0x5346_414f => "AFS",
        0x7375_7245 => "Coda",
        0x00c3_6400 => "Ceph",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        0x0bd0_0bd0 => "Lustre",
        0x6573_5546 => "FUSE",
        0x794c_7630 => "overlay",
        _ => return None,
    })
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
            assert_eq!(by_magic(magic), None, "{name}");
        }
        let others = [
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
            // FUSE is virtiofs too: the kernel gives both the same number.
            ("FUSE", 0x6573_5546),
            ("overlay", 0x794c_7630),
        ];
        for (expected, magic) in others {
            assert_eq!(by_magic(magic), Some(expected));
            // A 32-bit value that arrived sign-extended.
            assert_eq!(by_magic(magic | 0xffff_ffff_0000_0000), Some(expected));
        }
    }
}
