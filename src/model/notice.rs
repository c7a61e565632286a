//! Everything the program can say, as data. The room `report` makes lines of it, for people or as JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Cause, Ended, LeftOver, Made, OnBusy, Rule, RunId, Signal, SpawnError, json};

/// The weight of a notice. `-q` shows `Warning` and up, `-v` adds `Detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A detail, said only under `-v`.
    Detail,
    /// The normal course of events.
    Info,
    /// A fact that is not as the person thinks.
    Warning,
    /// A failure.
    Error,
}

/// One thing to say. Strings from outside are held as they came; the room `report` escapes them.
///
/// As JSON it is the fields of an object in this order, the name of the event first. A field that is skipped is for
/// the words only.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// A run is started, the first one or a reload: the cause says which.
    Run {
        /// The run.
        run: RunId,
        /// The cause.
        #[serde(flatten)]
        cause: Cause,
        /// The command as typed, for the start line.
        command: String,
        /// The origin of the configuration (`config.yml`, `built-in defaults`); only with `Cause::Start`.
        #[serde(skip_serializing_if = "Option::is_none")]
        configuration: Option<String>,
        /// Whether keys are listened to; only with `Cause::Start`.
        #[serde(skip)]
        keys: bool,
    },
    /// The first walk is done.
    Watching(Watching),
    /// The first walk takes over a second.
    Progress {
        /// Directories so far.
        directories: usize,
        /// The time since the start.
        #[serde(rename = "elapsed_ms", serialize_with = "json::millis")]
        elapsed: Duration,
    },
    /// A reload took over 100 ms from the firing of its batch to the start of the new leader (or `-v`).
    Restarted {
        /// The new run.
        run: RunId,
        /// From the decision to the new process.
        #[serde(rename = "took_ms", serialize_with = "json::millis")]
        took: Duration,
    },
    /// A stop takes over a second.
    SlowStop {
        /// The run.
        run: RunId,
        /// The signal that was sent.
        #[serde(rename = "sent")]
        signal: Signal,
        /// A process that is still there.
        process: LeftOver,
        /// Time until SIGKILL.
        #[serde(rename = "left_ms", serialize_with = "json::millis")]
        left: Duration,
        /// The configured grace time.
        #[serde(rename = "timeout_ms", serialize_with = "json::millis")]
        timeout: Duration,
    },
    /// The grace time is over: SIGKILL.
    Killed {
        /// The run.
        run: RunId,
        /// The configured grace time.
        #[serde(rename = "timeout_ms", serialize_with = "json::millis")]
        timeout: Duration,
    },
    /// `watcher.duration` delays a reload.
    Delayed {
        /// First changed path.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// Further paths.
        more: usize,
        /// Time until the reload.
        #[serde(rename = "wait_ms", serialize_with = "json::millis")]
        wait: Duration,
        /// `watcher.duration`.
        #[serde(rename = "duration_ms", serialize_with = "json::millis")]
        duration: Duration,
    },
    /// A change arrived while the command runs and `on_busy` is not `restart`.
    Busy {
        /// First changed path.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// Further paths.
        more: usize,
        /// What is done about it.
        on_busy: OnBusy,
    },
    /// Git holds its index lock.
    GitHold {
        /// The lock file.
        #[serde(serialize_with = "json::name")]
        lock: PathBuf,
        /// How long ago the lock was written.
        #[serde(rename = "age_ms", serialize_with = "json::millis")]
        age: Duration,
        /// The number of changes that wait.
        waiting: usize,
        /// The longest time from now.
        #[serde(rename = "left_ms", serialize_with = "json::millis")]
        left: Duration,
        /// Whether the lock is so old that its git has most likely died.
        stale: bool,
    },
    /// A save left the bytes as the last run saw them.
    SameBytes {
        /// First path.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// Further paths.
        more: usize,
    },
    /// A run ended.
    Ended {
        /// The run.
        run: RunId,
        /// The manner of the end.
        #[serde(flatten)]
        end: RunEnd,
        /// The time that the run took.
        #[serde(rename = "after_ms", serialize_with = "json::millis")]
        after: Duration,
        /// Whether the program goes on and waits for a change.
        waiting: bool,
    },
    /// The list of changed files could not be written; the run starts without it.
    NoChangedFile {
        /// The directory concerned.
        #[serde(serialize_with = "json::name")]
        path: PathBuf,
        /// The system's error text.
        error: String,
    },
    /// A run could not be started.
    CannotStart {
        /// The run.
        run: RunId,
        /// The reason.
        #[serde(flatten)]
        error: SpawnError,
        /// Whether the program goes on and waits for a change.
        waiting: bool,
    },
    /// A command that seems to be one that stays ended at once with success: its standard input was at its end.
    InputEnded {
        /// The run.
        run: RunId,
    },
    /// The leader ended and left processes running; they are stopped at the next stop.
    LeftOvers {
        /// The run.
        run: RunId,
        /// The processes.
        processes: Vec<LeftOver>,
    },
    /// Left-overs had to be stopped; names `stop.keep`.
    LeftOversStopped {
        /// The run.
        run: RunId,
        /// The processes.
        processes: Vec<LeftOver>,
    },
    /// The shim died; what it hosted was stopped.
    #[serde(rename = "host_lost")]
    ShimLost {
        /// The run.
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
    },
    /// A process of the run waits for the terminal.
    WaitsForTerminal {
        /// The run.
        run: RunId,
        /// The process.
        process: LeftOver,
    },
    /// `on_crash: restart` waits before the next start.
    CrashDelay {
        /// The run that failed.
        run: RunId,
        /// Time until the next start.
        #[serde(rename = "wait_ms", serialize_with = "json::millis")]
        wait: Duration,
    },
    /// `on_crash: restart` gave up until the next change.
    CrashGaveUp {
        /// Starts within the last 30 s.
        starts: usize,
    },
    /// A path was ignored; said under `-v`, or once when an ignore file hides an included type.
    Ignored {
        /// The path.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// The deciding rule.
        rule: Rule,
        /// Whether it is said although `-v` is off: an ignore file hides a change of an included type for the first time.
        #[serde(skip)]
        surprise: bool,
    },
    /// A directory is watched; said under `-v`.
    Directory {
        /// The directory.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
    },
    /// A directory or file could not be read; it is tried again when it changes.
    Unreadable {
        /// The path.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// The system's error text.
        error: String,
    },
    /// A root is missing. It is looked for until it is there.
    RootMissing {
        /// The root.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
    },
    /// A missing or replaced root is watched again.
    RootBack {
        /// The root.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
    },
    /// No inotify watch or instance is left.
    Limit {
        /// Directories watched by events.
        #[serde(rename = "directories_by_events")]
        events: usize,
        /// Directories polled.
        #[serde(rename = "directories_polled")]
        polled: usize,
        /// The interval of polling.
        #[serde(rename = "interval_ms", serialize_with = "json::millis")]
        interval: Duration,
        /// The sysctl: `fs.inotify.max_user_watches`, …
        sysctl: &'static str,
        /// The present value of the sysctl, when known.
        #[serde(skip_serializing_if = "Option::is_none")]
        allowed: Option<u64>,
        /// The largest watched tree and its number of directories.
        #[serde(flatten, serialize_with = "json::largest")]
        largest: Option<(PathBuf, usize)>,
    },
    /// A tree is polled because its file system sends no events (or because it was asked for).
    Polling {
        /// The root.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// The reason: `on 9p (a Windows drive in WSL), which sends no events`, `watcher.poll: 500ms`.
        reason: String,
        /// Files polled.
        files: usize,
        /// The interval.
        #[serde(rename = "interval_ms", serialize_with = "json::millis")]
        interval: Duration,
        /// Advice, if something would be faster.
        #[serde(skip_serializing_if = "Option::is_none")]
        advice: Option<String>,
    },
    /// The kernel dropped events; the tree was compared.
    Lost {
        /// Length of the kernel's queue, when known.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue: Option<u64>,
        /// Files compared.
        compared: usize,
        /// Time it took.
        #[serde(rename = "took_ms", serialize_with = "json::millis")]
        took: Duration,
        /// The number of files that had changed.
        changed: usize,
    },
    /// A file is written without end.
    Noisy {
        /// The file.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// The maximum wait.
        #[serde(rename = "every_ms", serialize_with = "json::millis")]
        every: Duration,
    },
    /// A remark about the configuration file.
    Configuration {
        /// The weight of the remark.
        #[serde(skip)]
        level: Level,
        /// The complete text, continuation lines included; already escaped where it quotes a file.
        #[serde(skip)]
        text: String,
    },
    /// Outputs were learnt: the runs make them, and they do not reload at their moments.
    Outputs {
        /// The outputs.
        #[serde(serialize_with = "json::outputs")]
        outputs: Vec<Learnt>,
        /// The configuration file to add the rule to, as shown; `None`: there is no file.
        #[serde(skip)]
        file: Option<String>,
    },
    /// An output that was told by [`Notice::Outputs`] reloads again.
    OutputReleased {
        /// The output.
        #[serde(rename = "path")]
        made: Made,
        /// Whether a rule ignores it by now.
        ignored: bool,
    },
    /// Runs cause each other: the next one waits.
    Cooling {
        /// The output that causes them.
        #[serde(rename = "path")]
        proposal: Proposal,
        /// The moment after the start of each run; `None`: no certain one.
        #[serde(
            rename = "after_ms",
            serialize_with = "json::whole_millis",
            skip_serializing_if = "Option::is_none"
        )]
        after: Option<Duration>,
        /// The first and the last of these runs.
        runs: (RunId, RunId),
        /// The time that the next run waits.
        #[serde(rename = "wait_ms", serialize_with = "json::millis")]
        wait: Duration,
        /// See [`Notice::Outputs`].
        #[serde(skip)]
        file: Option<String>,
    },
    /// A path changed after runs that another one had caused, again and again.
    OutputHint {
        /// The output.
        #[serde(rename = "path")]
        proposal: Proposal,
        /// The runs.
        runs: Vec<RunId>,
        /// See [`Notice::Outputs`].
        #[serde(skip)]
        file: Option<String>,
    },
    /// A start is put off to see whether something moves with it.
    Trial {
        /// The output.
        #[serde(rename = "path")]
        made: Made,
        /// The time by which the start is put off.
        #[serde(rename = "wait_ms", serialize_with = "json::millis")]
        wait: Duration,
    },
    /// An edit of the configuration file could not be used; the one in force stays.
    ConfigurationRejected {
        /// The error as `check` prints it; already escaped where it quotes the file.
        #[serde(skip)]
        text: String,
        /// The run that goes on, if one does.
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
    },
    /// An edit of the configuration file is in force.
    ConfigurationApplied {
        /// The file as shown.
        file: String,
        /// The changes in words: `+included_filetypes .html`, `debounce auto → 50ms`.
        changes: Vec<String>,
        /// The run concerned, if one lives.
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Whether that run is restarted because its command, environment or directory changed.
        restarts: bool,
    },
    /// Changes start nothing from now on.
    Paused,
    /// Changes start runs again.
    Resumed {
        /// Changes that waited.
        #[serde(flatten, serialize_with = "json::listed")]
        waiting: Vec<Arc<Path>>,
    },
    /// A run or a stop was asked for.
    Requested {
        /// `restart`, `stop`, `kill`, `quit`.
        what: &'static str,
    },
    /// The keys, for `?`.
    KeyHelp,
    /// The last line.
    Quit(Summary),
}

impl Notice {
    /// The weight of the notice.
    pub fn level(&self) -> Level {
        match self {
            Self::Directory { .. } | Self::Ignored { surprise: false, .. } | Self::Trial { .. } => {
                Level::Detail
            }
            Self::Restarted { took, .. } if *took <= Duration::from_millis(100) => Level::Detail,
            Self::Configuration { level, .. } => *level,
            Self::Ended { end, .. } if end.ended != Ended::Exit(0) => Level::Error,
            Self::CannotStart { .. }
            | Self::CrashGaveUp { .. }
            | Self::ConfigurationRejected { .. } => Level::Error,
            Self::GitHold { stale: true, .. }
            | Self::Killed { .. }
            | Self::LeftOversStopped { .. }
            | Self::Limit { .. }
            | Self::Cooling { .. }
            | Self::Lost { .. }
            | Self::NoChangedFile { .. }
            | Self::Noisy { .. }
            | Self::RootMissing { .. }
            | Self::ShimLost { .. }
            | Self::Unreadable { .. }
            | Self::WaitsForTerminal { .. } => Level::Warning,
            Self::Run { .. }
            | Self::Watching(_)
            | Self::Progress { .. }
            | Self::Restarted { .. }
            | Self::SlowStop { .. }
            | Self::Delayed { .. }
            | Self::Busy { .. }
            | Self::GitHold { .. }
            | Self::SameBytes { .. }
            | Self::Ended { .. }
            | Self::InputEnded { .. }
            | Self::LeftOvers { .. }
            | Self::CrashDelay { .. }
            | Self::Ignored { .. }
            | Self::RootBack { .. }
            | Self::Polling { .. }
            | Self::Outputs { .. }
            | Self::OutputReleased { .. }
            | Self::OutputHint { .. }
            | Self::ConfigurationApplied { .. }
            | Self::Paused
            | Self::Resumed { .. }
            | Self::Requested { .. }
            | Self::KeyHelp
            | Self::Quit(_) => Level::Info,
        }
    }
}

/// An output, its moment after the start, and the runs that showed it.
pub type Learnt = (Proposal, Duration, Vec<RunId>);

/// The end of a run, and what it can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// The end of the process.
    pub ended: Ended,
    /// Whether the command went through `sh -c`: then 128 + n names a signal, and 126 and 127 have a meaning.
    pub shell: bool,
}

/// An output, and what a rule that would ignore it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Proposal {
    /// The output.
    pub made: Made,
    /// The pattern for the part in which names differ, when a simple one means nothing else.
    #[serde(skip)]
    pub part: Option<&'static str>,
}

/// The trees that are watched, for the second start line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watching {
    /// The roots as the person named them.
    #[serde(serialize_with = "json::names")]
    pub roots: Vec<PathBuf>,
    /// The included types; empty for all.
    pub types: Vec<String>,
    /// Directories watched.
    pub directories: usize,
    /// The first ignored trees with their rules, most prominent first.
    #[serde(serialize_with = "json::trees")]
    pub ignored: Vec<(PathBuf, Rule)>,
    /// The number of further ignored trees.
    pub ignored_more: usize,
}

/// The numbers of a session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Since the start.
    #[serde(rename = "elapsed_ms", serialize_with = "json::millis")]
    pub elapsed: Duration,
    /// Runs started.
    pub runs: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Saves with the same bytes.
    pub same_bytes: u64,
    /// The last failed run, its end and the local time.
    #[serde(flatten, serialize_with = "json::last_failed")]
    pub last_failed: Option<(RunId, Ended, String)>,
}
