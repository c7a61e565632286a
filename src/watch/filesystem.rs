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
    /// By the name that the system has for it ([`crate::sys::files::Directory::filesystem`]).
    pub(crate) fn by_name(name: Option<&'static str>) -> Self {
        const KEEP: Option<&str> = Some("keep the code under ~");
        match name {
            None => Self::Local,
            Some("9p") => Self::Silent("9p (a Windows drive in WSL, or a shared folder)", KEEP),
            Some("drvfs") => Self::Silent("drvfs (a Windows drive in WSL)", KEEP),
            Some("vboxsf") => Self::Silent("vboxsf (a VirtualBox shared folder)", None),
            Some("prl_fs") => Self::Silent("prl_fs (a Parallels shared folder)", None),
            Some("vmhgfs") => Self::Silent("vmhgfs (a VMware shared folder)", None),
            Some("FUSE") => Self::Doubtful("FUSE"),
            // Also over local directories: no event tells who writes into the upper one from behind.
            Some("overlay") => Self::Doubtful("an overlay"),
            Some(name) => Self::Silent(name, None),
        }
    }
}

/// The name alone: `9p`, not `9p (a Windows drive in WSL, or a shared folder)`.
pub(crate) fn short(name: &'static str) -> &'static str {
    name.split_once(" (").map_or(name, |(short, _)| short)
}
