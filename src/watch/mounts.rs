//! The table of mounts: what is mounted over a root sends no event there.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use super::message::{Inner, Message};
use crate::sys::mounts;

/// Watches the table of mounts until it is dropped.
#[derive(Debug)]
pub(super) struct Mounts {
    _guard: mounts::MountGuard,
}

impl Mounts {
    /// Starts; `None` where that is not possible.
    pub(super) fn start(to: &UnboundedSender<Message>) -> Option<Self> {
        let to = to.clone();
        // The owner is gone only when the program ends.
        let tell = move || to.send(Message(Inner::Mounts)).is_ok();
        Some(Self { _guard: mounts::watch(tell)? })
    }
}

/// The mounts at or below any of these roots, with their numbers.
pub(super) fn below(roots: &[PathBuf]) -> Vec<(u64, PathBuf)> {
    let mut mounts = mounts::all();
    mounts.retain(|(_, point)| roots.iter().any(|root| point.starts_with(root)));
    mounts.sort();
    mounts
}
