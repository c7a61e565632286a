//! The supervisor in virtual time: tables of decisions, and its whole state space against a small
//! simulated world of processes.

mod dialogue;
mod everything;
mod policies;
mod stopping;
mod world;

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Face, Settings};
use crate::model::{Batch, BatchChange, ChangeKind, OnBusy, OnCrash, Signal};

/// One moment as the process would see it.
#[expect(clippy::disallowed_methods, reason = "any instant will do for virtual time")]
fn zero() -> Instant {
    Instant::now()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn settings() -> Settings {
    Settings {
        on_busy: OnBusy::Restart,
        on_crash: OnCrash::Wait,
        stop_signal: Signal(15),
        stop_timeout: Duration::from_secs(5),
        postpone: false,
        once: false,
    }
}

fn face() -> Face {
    Face {
        may_miss_input: false,
        command: "./app --port 80".into(),
        shell: true,
        configuration: "config.yml".into(),
        keys: true,
    }
}

/// Changed paths, separated by spaces.
fn batch(paths: &str, now: Instant) -> Batch {
    let change = |path| BatchChange { path: Path::new(path).into(), kind: ChangeKind::Closed };
    let changes = paths.split_whitespace().map(change).collect();
    Batch { changes, first: now, last: now, forced: false, noisy: None }
}
