//! What settling produces: the changes of one or more complete saves.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::watch::change::ChangeKind;

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
