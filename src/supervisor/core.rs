//! The decisions. (Signatures first; the body follows.)

use std::time::Instant;

use super::{Action, Event, Face, Session, Settings, Snapshot, State};
use crate::settle::Batch;

/// Decides about one command.
#[derive(Clone, Debug)]
pub struct Supervisor {
    settings: Settings,
    face: Face,
    begun: Instant,
}

impl Supervisor {
    /// Nothing runs yet; [`Event::Begin`] starts the first run.
    pub fn new(settings: Settings, face: Face, now: Instant) -> Supervisor {
        Supervisor { settings, face, begun: now }
    }

    /// Live configuration. What runs goes on; a restart, if one is needed, is the caller's request.
    pub fn configure(&mut self, settings: Settings, face: Face) {
        self.settings = settings;
        self.face = face;
    }

    /// Decides about one event. The actions are to be performed in order.
    #[must_use]
    pub fn handle(&mut self, _event: Event, _now: Instant) -> Vec<Action> {
        Vec::new()
    }

    /// Adds changes to what the next run will be told, without deciding anything now: what
    /// `Settle::take_all` gave goes here, just before `Request::Restart` is handled.
    pub fn keep(&mut self, _batch: Batch) {}

    /// When [`Supervisor::tick`] is to be called; `None` while nothing waits for time.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Time has come.
    #[must_use]
    pub fn tick(&mut self, _now: Instant) -> Vec<Action> {
        Vec::new()
    }

    /// For `status`.
    #[must_use]
    pub fn state(&self) -> Snapshot {
        Snapshot {
            state: State::Waiting,
            paused: false,
            run: None,
            pid: None,
            cause: None,
            since: self.begun,
            last_end: None,
            reloads: 0,
            median_reload: None,
            kept: 0,
        }
    }

    /// For the last line.
    #[must_use]
    pub fn session(&self, now: Instant) -> Session {
        Session { elapsed: now.duration_since(self.begun), runs: 0, failed: 0, last_failed: None }
    }
}
