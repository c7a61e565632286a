//! What `lstat` says about a path, reduced to what the engine compares.

use xxhash_rust::xxh3::xxh3_64;

use crate::filter::EntryKind;

/// The state of one path at one moment. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    /// Modification time, nanoseconds since 1970.
    pub(crate) mtime: i64,
    /// Change time, nanoseconds since 1970. It moves also when the mtime is set back or kept (`mv`, `cp -p`).
    pub(crate) ctime: i64,
    pub(crate) ino: u64,
    pub(crate) dev: u64,
    /// Number of hard links.
    pub(crate) links: u64,
}

impl Stat {
    /// A fingerprint of everything that differs when the path was changed or replaced. Thirty-two bits do:
    /// a change is overlooked only if it collides *and* no event speaks of it.
    pub(crate) fn print(&self) -> u32 {
        let mut bytes = [0u8; 40];
        let fields = [self.size, self.mtime as u64, self.ctime as u64, self.ino, self.kind as u64];
        for (slot, field) in bytes.chunks_exact_mut(8).zip(fields) {
            slot.copy_from_slice(&field.to_le_bytes());
        }
        xxh3_64(&bytes) as u32
    }

    /// Whether a writer of this file tells when it is done: a regular file with one name. Links, sockets,
    /// FIFOs are complete at once; a file with several names may be written under another one.
    pub(crate) fn has_writer(&self) -> bool {
        self.kind == EntryKind::File && self.links == 1
    }

    /// Device and inode: which file it is.
    pub(crate) fn id(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.kind == EntryKind::Directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_tells_a_change_is_in_the_fingerprint() {
        let base =
            Stat { kind: EntryKind::File, size: 1, mtime: 2, ctime: 3, ino: 4, dev: 5, links: 1 };
        let others = [
            Stat { size: 2, ..base },
            Stat { mtime: 3, ..base },
            Stat { ctime: 4, ..base },
            Stat { ino: 5, ..base },
            Stat { kind: EntryKind::Link, ..base },
        ];
        for other in others {
            assert_ne!(base.print(), other.print(), "{other:?}");
        }
        assert_eq!(base.print(), Stat { links: 2, ..base }.print());
    }
}
