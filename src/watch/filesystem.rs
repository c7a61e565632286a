//! Which file systems tell of changes.

/// What is known about the events of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileSystem {
    /// Every change sends an event.
    Local,
    /// No events for changes made elsewhere: named, with what would be faster.
    Silent(&'static str, Option<&'static str>),
    /// Events for changes made through it, perhaps none for changes made behind it.
    Doubtful(&'static str),
}

impl FileSystem {
    /// By the magic number of `statfs(2)` (<linux/magic.h> and the sources of out-of-tree modules).
    pub(crate) fn from_magic(magic: u64) -> Self {
        const KEEP: Option<&str> = Some("keep the code under ~");
        match magic & 0xffff_ffff {
            0x0102_1997 => Self::Silent("9p (a Windows drive in WSL, or a shared folder)", KEEP),
            0x5346_4846 => Self::Silent("drvfs (a Windows drive in WSL)", KEEP),
            0x6969 => Self::Silent("NFS", None),
            0x517b | 0xff53_4d42 | 0xfe53_4d42 => Self::Silent("SMB", None),
            0x786f_4256 => Self::Silent("vboxsf (a VirtualBox shared folder)", None),
            0x7c7c_6673 => Self::Silent("prl_fs (a Parallels shared folder)", None),
            0xbacb_acbc => Self::Silent("vmhgfs (a VMware shared folder)", None),
            0x5346_414f => Self::Silent("AFS", None),
            0x7375_7245 => Self::Silent("Coda", None),
            0x00c3_6400 => Self::Silent("Ceph", None),
            0x0116_1970 => Self::Silent("GFS2", None),
            0x7461_636f => Self::Silent("OCFS2", None),
            0x0bd0_0bd0 => Self::Silent("Lustre", None),
            0x6573_5546 => Self::Doubtful("FUSE"),
            0x794c_7630 => Self::Doubtful("an overlay"),
            _ => Self::Local,
        }
    }
}

/// The name alone: `9p`, not `9p (a Windows drive in WSL, or a shared folder)`.
pub(crate) fn short(name: &'static str) -> &'static str {
    name.split_once(" (").map_or(name, |(short, _)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_local_ones_are_trusted_and_the_known_silent_ones_are_not() {
        for local in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x2fc1_2fc1] {
            assert_eq!(FileSystem::from_magic(local), FileSystem::Local, "{local:x}");
        }
        for silent in [0x0102_1997, 0x6969, 0xff53_4d42, 0xfe53_4d42, 0x786f_4256] {
            assert!(matches!(FileSystem::from_magic(silent), FileSystem::Silent(..)), "{silent:x}");
        }
        assert_eq!(FileSystem::from_magic(0x6573_5546), FileSystem::Doubtful("FUSE"));
        // A 32-bit value that arrived sign-extended.
        assert!(matches!(
            FileSystem::from_magic(0xffff_ffff_ff53_4d42),
            FileSystem::Silent("SMB", _)
        ));
    }
}
