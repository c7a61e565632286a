//! Runs as process trees.

mod types;

pub use types::{Ended, Launch, LeftOver, SpawnError, SpawnStage, Stdin};
