//! The printer of a session, and the two ways to print without one.

use std::cell::OnceCell;
use std::env;
use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Settings;
use super::escape::scrub;
use super::screen::{self, Outside, Screen, Terminal};
use super::writer::Writer;
use crate::model::{Level, Notice};
use crate::sys::{errno, output};

/// The printer of one session.
#[derive(Debug)]
pub struct Reporter {
    screen: Screen,
    writer: Writer,
}

impl Reporter {
    /// A printer to standard error. The kind of standard error is looked at once, here.
    pub fn new(settings: Settings) -> Self {
        let terminal = Terminal {
            is: output::stderr().is_terminal(),
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            dumb: env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb"),
        };
        let screen = Screen::new(settings, terminal, Box::new(System::default()));
        let reporter = Self { screen, writer: Writer::stderr() };
        reporter.prepare();
        reporter
    }

    /// Applies other settings from now on (live configuration).
    pub fn configure(&mut self, settings: Settings) {
        self.screen.configure(settings);
        self.prepare();
    }

    /// Whether a notice of this level is printed at all. It spares the work of making details.
    pub fn wants(&self, level: Level) -> bool {
        self.screen.wants(level)
    }

    /// Says one thing, in one write. Never blocks, never fails. `now` spaces the lines that may come
    /// in floods; the time of day in a line is read here.
    pub fn say(&mut self, notice: &Notice, now: Instant) {
        let bytes = self.screen.say(notice, now);
        self.writer.write(bytes, notice.level());
    }

    /// Clears the screen (on a terminal) and says the standing warnings again, for the key `c`.
    pub fn clear(&mut self) {
        let bytes = self.screen.clear();
        self.writer.write(bytes, Level::Info);
    }

    /// Writes an empty line, for the key Enter.
    pub fn blank(&mut self) {
        let bytes = self.screen.blank();
        self.writer.write(bytes, Level::Info);
    }

    /// The moment at which [`Reporter::tick`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.screen.deadline()
    }

    /// Says the lines that were held back, at [`Reporter::deadline`].
    pub fn tick(&mut self, now: Instant) {
        let bytes = self.screen.due(Some(now));
        self.writer.write(bytes, Level::Info);
    }

    /// Says the lines that were held back and waits until everything is written, at most this long. The last call of a
    /// session.
    pub fn flush(&mut self, within: Duration) {
        let bytes = self.screen.due(None);
        self.writer.write(bytes, Level::Info);
        self.writer.flush(within);
    }

    /// Tells the writer how the line about dropped lines looks.
    fn prepare(&self) {
        let (format, colored) = (self.screen.format(), self.screen.colored());
        self.writer.when_dropped(Box::new(move |lines| {
            let time = screen::rfc3339(Timestamp::now(), TimeZone::system());
            Screen::dropped(format, colored, &time, lines)
        }));
    }
}

/// The local time of day `ago`, as the last line shows it: `14:02`.
pub fn time_of_day(ago: Duration) -> String {
    let at = Timestamp::now().checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH);
    let seconds = screen::time_of_day(at, TimeZone::system());
    seconds.rsplit_once(':').map_or(seconds.clone(), |(minutes, _)| minutes.to_owned())
}

/// Writes a result to standard output (`init`, `check`, `explain`, completions), byte by byte as it is.
/// A reader that went away is no error; a full disk is.
///
/// # Errors
/// The system's error of the write, except those that mean that nobody reads.
pub fn stdout(bytes: &[u8]) -> io::Result<()> {
    match output::stdout().write_all(bytes) {
        Err(error) if !is_unread(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether an error means that nobody reads.
fn is_unread(error: &io::Error) -> bool {
    let closed = [errno::EBADF, errno::EIO];
    error.kind() == io::ErrorKind::BrokenPipe
        || error.raw_os_error().is_some_and(|number| closed.contains(&number))
}

/// Whether a person looks at standard output.
#[must_use]
pub fn stdout_is_terminal() -> bool {
    output::stdout().is_terminal()
}

/// Writes lines to standard error before there is a [`Reporter`] (a wrong command line, a wrong file).
/// Line breaks stay, anything else that could harm a terminal is escaped. Never fails.
pub fn stderr(text: &str) {
    let _ = output::stderr().write_all(scrub(text).as_bytes());
}

/// The real clock and terminal.
#[derive(Debug, Default)]
struct System {
    /// The time zone, kept for the session: finding it takes milliseconds, and its rules know of summer time.
    zone: OnceCell<TimeZone>,
}

impl Outside for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn zone(&self) -> TimeZone {
        self.zone.get_or_init(TimeZone::system).clone()
    }

    fn columns(&self) -> usize {
        output::stderr().columns().unwrap_or(80)
    }
}
