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

/// The name alone: `9p`, not `9p (a Windows drive in WSL, or a shared folder)`.
pub(crate) fn short(name: &'static str) -> &'static str {
    name.split_once(" (").map_or(name, |(short, _)| short)
}
