//! What a name in a directory stands for.

/// The kinds of directory entries. Links are not followed: a link to a directory is a [`EntryKind::Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A socket, a FIFO, a device. Rules treat it as a file.
    Other,
}
