//! Runs as process trees: starting them, ending all of them, signals and the terminal.
//!
//! On Linux a small long-lived child of ours, the *shim*, hosts run after run and is the subreaper of
//! everything that they fork. Elsewhere a run is its process group
//! (`groups.rs`, POSIX only, so that Linux tests it too).

mod explain;
mod keys;
mod signals;
mod terminal;
mod types;
mod unix;

#[cfg(all(test, target_os = "linux"))]
#[expect(dead_code, unreachable_pub, reason = "the platform file of the others, tested here too")]
mod groups;
#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "groups.rs")]
mod os;

pub use keys::{Key, Keys};
pub use os::{Host, shim_entry};
pub use signals::{Signals, raise_again};
pub use types::Launch;
