//! A program that only counts notify's events: what any tool built on notify pays at least.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use notify::{Config, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher as _};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Counts until it is ended. Says `ready` on standard error when it watches. It asks for the same kinds of
/// events as the program that it is compared with.
pub(crate) fn run() -> io::Result<()> {
    let mask = EventKindMask::CREATE
        | EventKindMask::REMOVE
        | EventKindMask::MODIFY_NAME
        | EventKindMask::MODIFY_DATA
        | EventKindMask::ACCESS_CLOSE
        | EventKindMask::MODIFY_META;
    let count = |_| {
        COUNT.fetch_add(1, Ordering::Relaxed);
    };
    let config = Config::default().with_event_kinds(mask);
    let mut watcher = RecommendedWatcher::new(count, config).map_err(io::Error::other)?;
    watcher.watch(Path::new("."), RecursiveMode::Recursive).map_err(io::Error::other)?;
    eprintln!("ready");
    loop {
        thread::park();
    }
}
