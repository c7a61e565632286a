//! A change of one path that counts, and the settled changes of one or more complete saves.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// One observed change of one path that the filter watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Absolute path, byte-exact as the system named it.
    pub path: Arc<Path>,
    /// What happened to it.
    pub kind: ChangeKind,
    /// What the engine knows about the path besides the event; it decides how long a save may take.
    pub facts: Facts,
}

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Created or written by a writer that may still have it open (a regular file with one link).
    Written,
    /// The writer closed it.
    Closed,
    /// There at once and complete: renamed to this name, a link, found by a walk.
    Appeared,
    /// An explicit `touch`: the modification time moved without a write.
    Touched,
    /// Deleted, or its directory with it.
    Removed,
    /// Renamed to another name (which, when it is watched, reports `Appeared`).
    RenamedAway,
}

impl ChangeKind {
    /// Whether nothing is there any more under this name.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, ChangeKind::Removed | ChangeKind::RenamedAway)
    }
}

/// What is known about a changed path when the change is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// The name did not exist when the last run started (or since the watch began).
    pub new: bool,
    /// The name looks like a temporary of a sibling: `a.go.123.tmp`, `.a.go.Xy`, `a.go~`.
    pub temporary: bool,
    /// The file is empty now and was not when the last run started (or the watch began). To be told
    /// with every event as long as it is so: a `Closed` without it means that the content is there.
    pub emptied: bool,
    /// A look at a directory found it, not an event: it may have happened a while ago.
    pub found: bool,
}

/// The settled changes that one run is to be caused by. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Each changed path once, in the order of its first change, with the last thing that happened to it.
    pub changes: Vec<BatchChange>,
    /// When the first change of the batch was seen.
    pub first: Instant,
    /// When the last change of the batch was seen.
    pub last: Instant,
    /// The maximum wait forced it out: something in it is still being written.
    pub forced: bool,
    /// The file whose endless writing forced the batch out at the maximum wait. Named once: further
    /// batches of the same endless writing have none.
    pub noisy: Option<Arc<Path>>,
}

/// One path of a [`Batch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchChange {
    /// Absolute path.
    pub path: Arc<Path>,
    /// The last thing that happened to it, except that `Touched` is kept over `Written` and `Closed`:
    /// a touched file reloads although its bytes are the same.
    pub kind: ChangeKind,
}
