//! `explain`: why a path counts or does not, and what is watched.
//!
//! [`mod@judge`] and [`mod@gather`] look at the disk: in this process, for the flags that were given; or, asked over
//! the control socket, in a running instance that covers the directory, on a thread of its own and with
//! what only the instance knows ([`Known`]). What they find goes through [`words`], [`overview`] and
//! [`drawing`], which are pure.

mod ask;
mod drawing;
mod gather;
mod input;
mod judge;
mod overview;
mod words;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::breaker;
use crate::control::BrokenLoop;

pub use ask::explain;
pub use gather::gather;
pub use input::absolute;
pub use judge::judge;
pub use words::{Places, verdict};

/// What only a running instance knows.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The directories that no events tell of, with the reason.
    pub polled: HashMap<PathBuf, Arc<str>>,
    /// The files that its runs write themselves, so that they are as ignored.
    pub loops: Vec<BrokenLoop>,
}

impl Known {
    /// The loop that a path belongs to: as the file that is written, or as a temporary of it.
    fn broken(&self, path: &Path) -> Option<&BrokenLoop> {
        let whole = |broken: &&BrokenLoop| broken.path.path() == path;
        let part = |broken: &&BrokenLoop| breaker::becomes(path, broken.path.path());
        self.loops.iter().find(whole).or_else(|| self.loops.iter().find(part))
    }
}
