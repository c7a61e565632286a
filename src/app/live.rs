//! Live configuration: an edit of the file in use takes effect without losing the command.
#![expect(clippy::disallowed_methods, reason = "shell: looks whether the file is half written")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::run::{Instance, face};
use crate::config::{self, Config, ConfigSource, Diagnostic};
use crate::model::Notice;
use crate::supervisor::Request;
use crate::watch::{self, Timestamp};

/// The file is read this long after its last event.
const QUIET: Duration = Duration::from_millis(50);
/// An empty or a broken file may be half a save: it is looked at once more after this before it is believed …
const ANOTHER_LOOK: Duration = Duration::from_millis(250);
/// … and an empty one so often: a busy disk may hold its writer, and nobody empties it and waits for it.
const EMPTY_LOOKS: u32 = 8;

/// When the file is to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    due: Option<Instant>,
    /// How often it has been put off.
    looks: u32,
    /// The file is read again because of a link since then, and not because it was saved.
    link_moved: Option<Timestamp>,
    /// The file in use, and those that were: one that goes may come back.
    files: Vec<PathBuf>,
    /// What the one in use leads to.
    targets: Vec<PathBuf>,
}

impl Live {
    /// Looks after the file that is in use from the start.
    pub(super) fn new(config: &Config) -> Self {
        let mut live = Self::default();
        live.take_in(&config.watch.extra_files);
        live
    }

    fn take_in(&mut self, files: &[PathBuf]) {
        let (file, targets) = files.split_at(files.len().min(1));
        self.files.extend(file.first().filter(|file| !self.files.contains(file)).cloned());
        self.targets = targets.to_vec();
    }

    /// The file has changed.
    pub(super) fn touched(&mut self, now: Instant) {
        self.due = Some(now + QUIET);
        self.looks = 0;
        self.link_moved = None;
    }

    /// A file that was named may lead elsewhere: which files that are is found out as at the start.
    pub(super) fn link_moved(&mut self, now: Instant) {
        if self.due.is_none() {
            self.touched(now);
            self.link_moved = Some(Timestamp::now());
        }
    }

    /// Whether this is a configuration: what it changes is told and done here, and is no reason to run.
    pub(super) fn is_configuration(&self, path: &Path) -> bool {
        self.files.iter().chain(&self.targets).any(|file| file == path)
    }

    /// The engine's settings, so that it tells of these files.
    fn complete(&mut self, mut settings: watch::Settings) -> watch::Settings {
        self.take_in(&settings.extra_files);
        settings.extra_files = self.files.iter().chain(&self.targets).cloned().collect();
        settings
    }

    /// When to look.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Puts the look off, but not more often than this.
    fn once_more(&mut self, most: u32, now: Instant) -> bool {
        let more = self.looks < most;
        if more {
            self.due = Some(now + ANOTHER_LOOK);
            self.looks += 1;
        }
        more
    }
}

impl Instance {
    /// Reads the file if it is time to.
    pub(super) fn reload_configuration(&mut self, now: Instant) {
        if self.live.due.is_none_or(|due| now < due) {
            return;
        }
        self.live.due = None;
        if self.half_written() && self.live.once_more(EMPTY_LOOKS, now) {
            return;
        }
        let loaded = config::load(&self.args, &self.config.directory, &super::variable);
        match loaded.and_then(|newer| newer.required_command().map(drop).map(|()| newer)) {
            Ok(newer) => self.apply(newer, now),
            Err(_) if self.live.once_more(1, now) => {}
            Err(error) => self.reject(&error, now),
        }
    }

    /// The file in use.
    fn file(&self) -> Option<PathBuf> {
        let ConfigSource::File(file) = &self.config.origin else { return None };
        Some(self.config.directory.join(file))
    }

    fn half_written(&self) -> bool {
        self.file().is_some_and(|file| std::fs::metadata(file).map_or(true, |meta| meta.len() == 0))
    }

    /// A save of the file is in force from its moment on, however much later it is read.
    fn in_force_since(&self) -> Timestamp {
        if let Some(since) = self.live.link_moved {
            return since;
        }
        self.file().map_or_else(Timestamp::now, |file| Timestamp::of(&file))
    }

    fn reject(&mut self, error: &Diagnostic, now: Instant) {
        let run = self.supervisor.state().pid.and(self.supervisor.state().run);
        let text = error.to_string();
        self.reporter.say(&Notice::ConfigurationRejected { text, run }, now);
    }

    fn apply(&mut self, newer: Config, now: Instant) {
        let newer = Arc::new(newer);
        let old = std::mem::replace(&mut self.config, Arc::clone(&newer));
        let changes = old.changes(&newer);
        let restart = old.needs_restart(&newer);
        let walk = old.needs_walk(&newer);
        for notice in newer.notices.iter().filter(|notice| !old.notices.contains(notice)) {
            self.reporter.say(notice, now);
        }
        self.reporter.configure(self.report_settings());
        let state = self.supervisor.state();
        let run = state.pid.and(state.run);
        let saved = changes.is_some() || self.live.link_moved.is_none();
        if saved {
            let (file, changes) = (newer.origin.to_string(), changes.into_iter().collect());
            let applied = Notice::ConfigurationApplied { file, changes, run, restarts: restart };
            self.reporter.say(&applied, now);
        }
        self.settle.configure(newer.settle);
        self.supervisor.configure(newer.supervise.clone(), face(&newer, self.keys.is_some()));
        self.host.settings(&newer.stop_keep);
        if old.command != newer.command {
            self.forget_outputs(now);
        } else if walk {
            self.forget_ignored_outputs(now);
        }
        if walk {
            let settings = self.live.complete(self.private.complete(&newer.watch));
            let mut seen = Vec::new();
            let (filter, roots) = (Arc::clone(&newer.filter), newer.watched_roots());
            let since = self.in_force_since();
            self.watch.set_filter(filter, roots, settings, since, now, &mut seen);
            self.note(seen, now);
        }
        if restart {
            self.host.environment(super::launch::environment(&newer));
            self.request(Request::Restart, now);
        }
    }
}
