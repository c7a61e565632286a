//! What the threads of the engine send to its owner, and what that tells the loop. There is one queue, so that the
//! order is the truth: a directory's listing is sent before any directory in it is watched, hence before any event from there.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::entries::Entries;
use super::filesystem::FileSystem;
use super::settings::Poll;
use crate::filter::Scope;
use crate::model::{Backend, Change, Notice, Rule, Watching};
use crate::sys::events;
use crate::sys::files::Stat;

/// Something that a thread of the engine has to tell its owner. Opaque: hand it to
/// [`super::Watch::handle`].
#[derive(Debug)]
pub struct Message(pub(crate) Inner);

/// What the engine tells the loop.
#[derive(Debug)]
pub enum Seen {
    /// A path that counts has changed.
    Change(Change),
    /// One of [`super::Settings::extra_files`] has changed.
    ConfigChanged(PathBuf),
    /// A file that was named is a link, or was, and may lead elsewhere now: it is time to look which files count.
    LinkMoved,
    /// An ignore file changed; the new rules are being applied.
    RulesChanged,
    /// A name appeared in [`super::Settings::marker_dir`]: everything that was on disk before it has been seen.
    Marker(OsString),
    /// Watches were put on anew, and what had come before that has been looked at: a marker that was made
    /// meanwhile may have been overlooked.
    Rearmed,
    /// Everything that had happened when [`super::Watch::run_ended`] was called has been told before this.
    CaughtUp,
    /// The first walk is done. `types` is left empty: the loop knows them from the configuration.
    Ready(Watching),
    /// Something to say.
    Say(Notice),
}

#[derive(Debug)]
pub(crate) enum Inner {
    /// An event of the notify watcher of that generation; older generations are no longer believed.
    Event { generation: u32, event: RawEvent },
    /// Events were lost.
    Lost { generation: u32 },
    /// No event source could be had.
    NoSource { generation: u32 },
    /// Directories were looked at. Several at a time: the owner wakes up for each message.
    Listings(Vec<Listing>),
    /// Everything that a walk led to has been listed.
    WalkDone { walk: u32, tally: Tally },
    /// The ignore files outside of the tree that speak about a root were read, or looked for.
    RulesFrom(Vec<PathBuf>),
    /// What the kernel had queued at some moment has been handed on ([`super::Watch::catch_up`]).
    CaughtUp,
    /// Contents were read in the background.
    Hashed(Vec<Hashed>),
    /// The table of mounts changed, or a directory above a root was renamed.
    AroundRoots,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Events {
    /// Nowhere.
    #[default]
    None,
    /// One watch for each directory that is kept.
    Native,
    /// The system's watcher on whole trees.
    Portable,
}

impl Events {
    /// What the settings want, as far as this system has it.
    pub(crate) fn wanted(backend: Backend, poll: Poll) -> Self {
        match (backend, poll) {
            (Backend::Poll, _) | (_, Poll::Every(_)) => Self::None,
            (Backend::Native | Backend::Auto, _) if events::BY_DIRECTORY => Self::Native,
            // Elsewhere the system's own way is the portable source.
            (Backend::Native | Backend::Auto | Backend::Portable, _) => Self::Portable,
        }
    }
}

/// One event, reduced to what decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawEvent {
    pub(crate) kind: RawKind,
    pub(crate) path: PathBuf,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawKind {
    /// A directory was made.
    CreateDirectory,
    /// Something else was made.
    Create,
    /// Something was renamed to this name.
    To,
    /// Something was renamed away from this name; also said of a watched directory by itself.
    From,
    /// The name was removed; also said of a watched directory by itself.
    Remove,
    /// The content was written, or cut.
    Data,
    /// A writer closed it.
    Close,
    /// Times, mode, owner, links.
    Metadata,
    /// Something happened (the portable source does not always know what).
    Any,
}

/// What a walk has counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Directories that were kept.
    pub(crate) directories: usize,
    /// Files that are watched.
    pub(crate) files: usize,
    /// Ignored directories.
    pub(crate) ignored: usize,
    /// The first ignored directories, those nearest to the roots.
    pub(crate) samples: Vec<(PathBuf, Rule)>,
    /// How long it took.
    pub(crate) took: Duration,
    /// The CPU time of the walker's threads meanwhile.
    pub(crate) cpu: Duration,
}

/// How a directory is watched, or is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arming {
    /// By events.
    Watch,
    /// Without events, on purpose.
    Poll,
    /// As it is already: only look.
    Keep,
    /// The system had no watch to give.
    Refused,
}

/// What a look at a directory found.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The ticket under which the owner awaits it.
    pub(crate) ticket: u64,
    pub(crate) walk: u32,
    pub(crate) path: PathBuf,
    pub(crate) arming: Arming,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its entries that count. Directories carry the ticket of their own listing, 0 when none follows.
    Listed(Listed),
    /// There is no such directory (any more).
    Gone,
    /// The directory cannot be read.
    Unreadable(Refusal),
    /// The directory turned out to be ignored (a cache directory).
    Pruned,
}

#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) scope: Arc<Scope>,
    pub(crate) entries: Entries,
    /// Names that changed between the program's start and now.
    pub(crate) fresh: Vec<Box<[u8]>>,
    /// An entry was removed between the program's start and the directory's watch.
    pub(crate) lost: bool,
    /// Its file system, when it differs from that of the directory above.
    pub(crate) filesystem: Option<FileSystem>,
    /// The directory's own state: tells a replaced root from the old one.
    pub(crate) stat: Stat,
}

/// The content of one file as the background reader found it.
#[derive(Debug)]
pub(crate) struct Hashed {
    pub(crate) path: Arc<Path>,
    /// For which epoch it was asked, when it was for one run's files; `None`: for the first baseline.
    pub(crate) epoch: Option<u32>,
    /// The hash, and the state after the reading; `None`: could not be read.
    pub(crate) found: Option<(u64, Stat)>,
}

/// Why a directory can't be read or watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In the words of the system.
    pub(crate) error: String,
    /// The mode forbids it: the directory above tells when that changes.
    pub(crate) denied: bool,
}

impl Refusal {
    pub(crate) fn of(error: &io::Error) -> Self {
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        Self { error: error.to_string(), denied }
    }
}
