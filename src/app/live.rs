//! Live configuration: an edit of the file in use takes effect without losing the command.
#![expect(clippy::disallowed_methods, reason = "shell: looks whether the file is half written")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::config::{self, Config, Diagnostic, RunArgs};
use crate::watch::{self, Timestamp};

/// The file is read this long after its last event.
const QUIET: Duration = Duration::from_millis(50);
/// An empty or a broken file may be half a save: it is looked at once more after this time before it is believed.
const ANOTHER_LOOK: Duration = Duration::from_millis(250);
/// The number of looks at an empty file before it is believed: a busy disk may hold its writer.
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

/// What an edit of the file turned out to be.
pub(super) enum Read {
    /// A configuration that can be used.
    Good(Box<Config>),
    /// What is wrong with it.
    Bad(Diagnostic),
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
    pub(super) fn complete(&mut self, mut settings: watch::Settings) -> watch::Settings {
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

    /// Whether the file is read again because of a link, and not because it was saved.
    pub(super) fn is_link_moved(&self) -> bool {
        self.link_moved.is_some()
    }

    /// Reads the file if it is time to.
    pub(super) fn read(&mut self, args: &RunArgs, config: &Config, now: Instant) -> Option<Read> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        self.due = None;
        if is_half_written(config) && self.once_more(EMPTY_LOOKS, now) {
            return None;
        }
        let loaded = config::load(args, &config.directory, &super::variable);
        match loaded.and_then(|newer| newer.required_command().map(drop).map(|()| newer)) {
            Ok(newer) => Some(Read::Good(Box::new(newer))),
            Err(_) if self.once_more(1, now) => None,
            Err(error) => Some(Read::Bad(error)),
        }
    }

    /// A save of the file is in force from its moment on, however much later it is read.
    pub(super) fn in_force_since(&self, config: &Config) -> Timestamp {
        let saved = || file(config).map_or_else(Timestamp::now, |file| Timestamp::of(&file));
        self.link_moved.unwrap_or_else(saved)
    }
}

/// The file in use.
fn file(config: &Config) -> Option<PathBuf> {
    config.file.as_ref().map(|file| config.directory.join(file))
}

fn is_half_written(config: &Config) -> bool {
    file(config).is_some_and(|file| std::fs::metadata(file).map_or(true, |meta| meta.len() == 0))
}
