//! Where nobody tells who writes a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::process::{LeftOver, Opener};

/// Nobody waits for us here.
pub(in crate::process) fn give_up_leases() {}

/// Sees nothing here.
#[derive(Debug, Default)]
pub struct Witness;

impl Witness {
    /// Never sees who opens the file.
    pub fn watch(&mut self, _path: &Arc<Path>) -> bool {
        false
    }

    /// Nothing to let go of.
    pub fn release(&mut self, _path: &Path) {}

    /// Nothing to let go of.
    pub fn release_all(&mut self) {}

    /// Nothing to forget.
    pub fn begin(&mut self) {}

    /// Never.
    pub async fn disturbed(&mut self) {
        std::future::pending().await
    }

    /// Nothing was seen.
    pub fn testimony(&mut self, _root: Option<u32>) -> Vec<(Arc<Path>, Opener)> {
        Vec::new()
    }

    /// Nobody is seen.
    pub fn writer(&self, _path: &Path, _root: Option<u32>) -> Option<LeftOver> {
        None
    }

    /// Nobody is seen.
    pub fn caught(&self, _path: &Path) -> Option<LeftOver> {
        None
    }

    /// Nobody is seen.
    pub fn has_caught(&self) -> bool {
        false
    }

    /// There is nothing to end.
    pub fn end(&mut self) {}

    /// Looks for nobody.
    pub fn look(&mut self, _root: Option<u32>) {}

    /// Looks for nobody.
    pub fn hunt(&mut self, _root: Option<u32>, _after: Duration, _length: Duration) {}

    /// Whether what the run does can be looked at.
    pub fn can_see(&self, _root: Option<u32>) -> bool {
        false
    }
}
