//! The room of `explain`: the reason for which a path counts or does not, and what is watched.
//!
//! [`mod@judge`] and [`mod@gather`] look at the disk: in this process, for the flags that were given; or, asked over
//! the control socket, in a running instance that covers the directory, on a thread of its own and with
//! what only the instance knows ([`Known`]). What they find becomes words in [`overview`] and [`drawing`], which are pure.

mod ask;
mod drawing;
mod gather;
mod judge;
mod overview;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::control::MadeByRun;
use crate::outputs::{Output, is_made};

pub use ask::{absolute, explain};
pub use gather::gather;
pub use judge::judge;

/// Facts that only a running instance knows.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The directories that no events tell of, with the reason.
    pub polled: HashMap<PathBuf, Arc<str>>,
    /// The outputs: what the runs make themselves.
    pub outputs: Vec<Output>,
}

impl Known {
    /// The output that a path is, if it is one.
    fn output(&self, path: &Path) -> Option<MadeByRun> {
        self.outputs.iter().find(|output| is_made(&output.made, path)).map(MadeByRun::from)
    }

    /// All outputs in the order of their names.
    fn made_by_runs(&self) -> Vec<MadeByRun> {
        let mut made: Vec<MadeByRun> = self.outputs.iter().map(MadeByRun::from).collect();
        made.sort_by(|a, b| a.path.0.cmp(&b.path.0));
        made
    }
}
