//! The choice of what is printed and when: levels, floods, standing warnings, the progress line. No I/O: notices in,
//! bytes out.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::style::{self, lines};
use super::text::{Context, is_reload, same, words};
use super::{Settings, Verbosity, json};
use crate::model::{Cause, Format, Level, Notice};

/// Saves with the same bytes are said at most once in this time, and so is progress to a program. Events of an
/// ignored path that come sooner after one another are of one save.
const SPACING: Duration = Duration::from_secs(1);
/// The progress line is drawn at most once in this time.
const DRAWING: Duration = Duration::from_millis(100);
/// Erases what a progress line left of the line that the cursor is at the beginning of. If the command
/// has written there meanwhile, the cursor stands behind its words, and they stay.
const ERASE: &str = "\x1b[K";
/// Moves to the top and clears what is seen; what was scrolled away stays.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Shows the cursor. A spinner or a full-screen program that is killed leaves it hidden.
const SHOW_CURSOR: &str = "\x1b[?25h";

/// The clock and the terminal that lines need. Tests give their own.
pub(super) trait Outside: fmt::Debug + Send {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// The local time zone. Finding it takes a while, so it is asked for when the first walk is done,
    /// or earlier by a line that shows a time.
    fn zone(&self) -> TimeZone;
    /// The width of the terminal.
    fn columns(&self) -> usize;
}

/// The local time of day, `14:02:11`.
pub(super) fn time_of_day(time: Timestamp, zone: TimeZone) -> String {
    time.to_zoned_datetime(zone).strftime("%H:%M:%S").to_string()
}

/// The local time, RFC 3339 with milliseconds.
pub(super) fn rfc3339(time: Timestamp, zone: TimeZone) -> String {
    time.to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// The kind of standard error.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terminal {
    /// Whether it is a terminal.
    pub(super) is: bool,
    /// Whether `NO_COLOR` is set.
    pub(super) no_color: bool,
    /// Whether `TERM` is `dumb` or nothing: no escape sequence but colours that were asked for.
    pub(super) dumb: bool,
}

/// Turns notices into the bytes of one write each.
#[derive(Debug)]
pub(super) struct Screen {
    settings: Settings,
    terminal: Terminal,
    outside: Box<dyn Outside>,
    /// The time since which the configuration is in force.
    configured: Timestamp,
    /// Warnings that still hold, said again after each clearing.
    standing: Vec<Notice>,
    same: Same,
    /// The ignored path that was said last, and when its latest event came.
    skipped: Option<(Arc<Path>, Instant)>,
    /// Whether a progress line is on the screen.
    progress: bool,
    next_progress: Option<Instant>,
}

/// The flood gate of [`Notice::SameBytes`].
#[derive(Debug, Default)]
struct Same {
    /// The end of the time in which nothing is said.
    until: Option<Instant>,
    /// The last save that was not said.
    last: Option<(Arc<Path>, usize)>,
    /// The number of saves that were not said.
    swallowed: u64,
}

impl Screen {
    pub(super) fn new(settings: Settings, terminal: Terminal, outside: Box<dyn Outside>) -> Self {
        let configured = outside.now();
        Self {
            settings,
            terminal,
            outside,
            configured,
            standing: Vec::new(),
            same: Same::default(),
            skipped: None,
            progress: false,
            next_progress: None,
        }
    }

    pub(super) fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    pub(super) fn wants(&self, level: Level) -> bool {
        let least = match self.settings.verbosity {
            Verbosity::Quiet => Level::Warning,
            Verbosity::Normal => Level::Info,
            Verbosity::Verbose => Level::Detail,
        };
        level >= least
    }

    /// The bytes to write for a notice; empty for one that is not said (now).
    pub(super) fn say(&mut self, notice: &Notice, now: Instant) -> Vec<u8> {
        self.remember(notice);
        let mut out = self.after_a_run(notice);
        // Help was asked for by a key just now.
        let wanted = self.wants(notice.level()) || matches!(notice, Notice::KeyHelp);
        if !wanted {
            return out;
        }
        match notice {
            Notice::Progress { .. } => return self.progress(notice, now),
            Notice::SameBytes { path, more } if self.hold_back(path, *more, now) => {
                return Vec::new();
            }
            Notice::Ignored { path, surprise, .. } if self.goes_on(path, now) && !surprise => {
                return Vec::new();
            }
            _ => {}
        }
        out.extend(self.unprogress());
        if self.settings.clear && matches!(notice, Notice::Run { .. }) {
            out.extend(self.clear());
        }
        out.extend(self.line(notice, 0));
        out
    }

    /// The bytes that undo what a run that is over did to the terminal.
    fn after_a_run(&self, notice: &Notice) -> Vec<u8> {
        let over = match notice {
            Notice::Run { cause, .. } => *cause != Cause::Start,
            Notice::Ended { .. } | Notice::Quit(_) => true,
            _ => false,
        };
        let shows = over && self.takes_escapes();
        if shows { SHOW_CURSOR.as_bytes().to_vec() } else { Vec::new() }
    }

    /// Whether escape sequences other than colours may be written.
    fn takes_escapes(&self) -> bool {
        self.terminal.is && !self.terminal.dumb && self.settings.format == Format::Text
    }

    /// The bytes that clear the screen, and the standing warnings after them.
    pub(super) fn clear(&mut self) -> Vec<u8> {
        if !self.takes_escapes() {
            return Vec::new();
        }
        self.progress = false;
        let mut out = CLEAR.as_bytes().to_vec();
        for notice in self.standing.iter().filter(|notice| self.wants(notice.level())) {
            out.extend(self.line(notice, 0));
        }
        out
    }

    /// An empty line, for a person who pressed Enter.
    pub(super) fn blank(&mut self) -> Vec<u8> {
        match self.settings.format {
            Format::Text => [self.unprogress(), b"\n".to_vec()].concat(),
            Format::Json => Vec::new(),
        }
    }

    /// The moment at which [`Screen::due`] has something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.same.until.filter(|_| self.same.swallowed > 0)
    }

    /// The lines that were held back and are due; without `now` all that were held back.
    pub(super) fn due(&mut self, now: Option<Instant>) -> Vec<u8> {
        let Some(until) = self.same.until else { return Vec::new() };
        if now.is_some_and(|now| now < until) {
            return Vec::new();
        }
        self.same.until = now.map(|now| now + SPACING);
        let swallowed = std::mem::take(&mut self.same.swallowed);
        let Some((path, more)) = self.same.last.take() else { return Vec::new() };
        let mut out = self.unprogress();
        out.extend(self.line(&Notice::SameBytes { path, more }, swallowed.saturating_sub(1)));
        out
    }

    /// The line that stands where lines had to be dropped.
    pub(super) fn dropped(format: Format, colored: bool, time: &str, lines: u64) -> Vec<u8> {
        let words = format!("{lines} lines are missing here: nobody read them in time");
        match format {
            Format::Text => style::lines(&words, Level::Warning, false, colored).into_bytes(),
            Format::Json => json::dropped(time, lines, &words).into_bytes(),
        }
    }

    pub(super) fn format(&self) -> Format {
        self.settings.format
    }

    pub(super) fn colored(&self) -> bool {
        style::colored(&self.settings, self.terminal.is, self.terminal.no_color, self.terminal.dumb)
    }

    /// One notice as it is written in the format asked for.
    fn line(&self, notice: &Notice, swallowed: u64) -> Vec<u8> {
        let local = |time| time_of_day(time, self.outside.zone());
        let time = || local(self.outside.now());
        let time_in = |wait| local(self.outside.now().checked_add(wait).unwrap_or(self.configured));
        let configured = || local(self.configured);
        let context = Context {
            directory: &self.settings.directory,
            keys: self.settings.keys,
            time: &time,
            time_in: &time_in,
            configured: &configured,
        };
        let words = match notice {
            Notice::SameBytes { path, more } => same(path, *more, swallowed, &context),
            notice => words(notice, &context),
        };
        match self.settings.format {
            Format::Json => {
                let time = rfc3339(self.outside.now(), self.outside.zone());
                json::notice(notice, &time, &words, swallowed).into_bytes()
            }
            Format::Text => {
                let bold = is_reload(notice);
                lines(&words, notice.level(), bold, self.colored()).into_bytes()
            }
        }
    }

    /// Keeps track of the warnings that still hold.
    fn remember(&mut self, notice: &Notice) {
        let topic = topic(notice);
        match notice {
            Notice::RootBack { .. } | Notice::ConfigurationApplied { .. } => {
                self.standing.retain(|old| self::topic(old) != topic);
            }
            Notice::Limit { .. }
            | Notice::Polling { .. }
            | Notice::RootMissing { .. }
            | Notice::ConfigurationRejected { .. } => {
                self.standing.retain(|old| self::topic(old) != topic);
                self.standing.push(notice.clone());
            }
            _ => {}
        }
        match notice {
            Notice::ConfigurationApplied { .. } => self.configured = self.outside.now(),
            Notice::Watching(_) => {
                // Nothing is urgent now; the first reload must not be what waits for this.
                let _ = self.outside.zone();
            }
            _ => {}
        }
    }

    /// Whether a save with the same bytes is not said now.
    fn hold_back(&mut self, path: &Arc<Path>, more: usize, now: Instant) -> bool {
        if self.same.until.is_some_and(|until| now < until) {
            self.same.last = Some((Arc::clone(path), more));
            self.same.swallowed += 1;
            return true;
        }
        self.same.until = Some(now + SPACING);
        false
    }

    /// Whether an event of an ignored path belongs to the one that was said.
    fn goes_on(&mut self, path: &Arc<Path>, now: Instant) -> bool {
        let goes_on = self
            .skipped
            .as_ref()
            .is_some_and(|(said, at)| said == path && now.saturating_duration_since(*at) < SPACING);
        self.skipped = Some((Arc::clone(path), now));
        goes_on
    }

    fn progress(&mut self, notice: &Notice, now: Instant) -> Vec<u8> {
        let json = self.settings.format == Format::Json;
        if !json && (!self.terminal.is || self.terminal.dumb) {
            return Vec::new();
        }
        if self.next_progress.is_some_and(|next| now < next) {
            return Vec::new();
        }
        self.next_progress = Some(now + if json { SPACING } else { DRAWING });
        let mut line = self.line(notice, 0);
        if json {
            return line;
        }
        // No line break: the cursor goes back to the beginning, and the next text is written over the line.
        line.pop();
        let width = self.outside.columns().saturating_sub(1);
        let plain = String::from_utf8_lossy(&line).chars().filter(|c| !c.is_control()).count();
        if plain > width {
            return Vec::new();
        }
        self.progress = true;
        line.extend_from_slice(ERASE.as_bytes());
        line.push(b'\r');
        line
    }

    fn unprogress(&mut self) -> Vec<u8> {
        if std::mem::take(&mut self.progress) { ERASE.as_bytes().to_vec() } else { Vec::new() }
    }
}

/// The topic of a standing warning: a newer one of the same topic takes its place.
fn topic(notice: &Notice) -> (u8, Option<&Path>) {
    match notice {
        Notice::Limit { .. } => (1, None),
        Notice::Polling { path, .. } => (2, Some(path)),
        Notice::RootMissing { path } | Notice::RootBack { path } => (4, Some(path)),
        Notice::ConfigurationRejected { .. } | Notice::ConfigurationApplied { .. } => (5, None),
        _ => (0, None),
    }
}

#[cfg(test)]
mod tests;
