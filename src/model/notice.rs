//! Everything the program can say, as data. The room `report` makes lines of it, for people or as JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Cause, Ended, LeftOver, Made, Rule, RunId, Signal, SpawnError, json};

/// How much a notice matters. `-q` shows `Warning` and up, `-v` adds `Detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Only under `-v`.
    Detail,
    /// The normal course of events.
    Info,
    /// Something is not as the person thinks.
    Warning,
    /// Something failed.
    Error,
}

/// One thing to say. Strings from outside are held as they came; who shows them escapes them.
///
/// As JSON it is the fields of an object in this order, the name of the event first. A field that is skipped is for
/// the words only.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// A run is started (START and RELOAD in one: the cause says which).
    Run {
        /// The run.
        run: RunId,
        /// Why.
        #[serde(flatten)]
        cause: Cause,
        /// The command as typed, for the start line.
        command: String,
        /// Where the configuration came from (`config.yml`, `built-in defaults`); only with `Cause::Start`.
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
        /// Time since the start.
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
        /// What was sent.
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
        /// `queue`, `ignore` or `signal`.
        on_busy: &'static str,
    },
    /// Git holds its index lock.
    GitHold {
        /// The lock file.
        #[serde(serialize_with = "json::name")]
        lock: PathBuf,
        /// Who holds it, when a live process can be named.
        #[serde(skip_serializing_if = "Option::is_none")]
        holder: Option<LeftOver>,
        /// How many changes wait.
        waiting: usize,
        /// How long at most from now.
        #[serde(rename = "left_ms", serialize_with = "json::millis")]
        left: Duration,
        /// Nobody holds the file: it is stale.
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
        /// How.
        #[serde(flatten)]
        end: RunEnd,
        /// How long it ran.
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
        /// Why.
        #[serde(flatten)]
        error: SpawnError,
        /// Whether the program goes on and waits for a change.
        waiting: bool,
    },
    /// The leader ended and left processes running; they are stopped at the next stop.
    LeftOvers {
        /// The run.
        run: RunId,
        /// Which.
        processes: Vec<LeftOver>,
    },
    /// Left-overs had to be stopped; names `stop.keep`.
    LeftOversStopped {
        /// The run.
        run: RunId,
        /// Which.
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
        /// Which.
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
    /// A path was ignored; `-v`, or once when an ignore file hides an included type.
    Ignored {
        /// The path.
        #[serde(serialize_with = "json::name")]
        path: Arc<Path>,
        /// The deciding rule.
        rule: Rule,
        /// Said although `-v` is off: the first time an ignore file hides a change of an included type.
        #[serde(skip)]
        surprise: bool,
    },
    /// `-v`: a directory is watched.
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
    /// A root does not exist (any more); it is looked for until it is there.
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
    /// Out of inotify watches or instances.
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
        /// The sysctl (`fs.inotify.max_user_watches`) and its present value, when known.
        sysctl: &'static str,
        /// Its value.
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
        /// Why: `on 9p (a Windows drive in WSL), which sends no events`, `watcher.poll: 500ms`.
        reason: String,
        /// Files polled.
        files: usize,
        /// The interval.
        #[serde(rename = "interval_ms", serialize_with = "json::millis")]
        interval: Duration,
        /// What would be faster, if there is something.
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
        /// How many had changed.
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
    /// The configuration of a missing, foreign or odd file; the text is complete.
    Configuration {
        /// `Warning` or `Error` or `Info`.
        #[serde(skip)]
        level: Level,
        /// The text, continuation lines included. Already escaped by the writer where it quotes a file.
        #[serde(skip)]
        text: String,
    },
    /// These are made by the runs themselves, and do not reload at their moments.
    Outputs {
        /// What, when after the start, and the runs that showed it.
        #[serde(serialize_with = "json::outputs")]
        outputs: Vec<Learnt>,
        /// The configuration file to add the rule to, as shown; `None`: there is no file.
        #[serde(skip)]
        file: Option<String>,
    },
    /// What was told by [`Notice::Outputs`] reloads again.
    OutputReleased {
        /// What.
        #[serde(rename = "path")]
        made: Made,
        /// By now a rule ignores it.
        ignored: bool,
    },
    /// Runs cause each other: the next one waits.
    Cooling {
        /// What causes them.
        #[serde(rename = "path")]
        proposal: Proposal,
        /// When it came, after the start of each run; `None`: at no certain moment.
        #[serde(
            rename = "after_ms",
            serialize_with = "json::whole_millis",
            skip_serializing_if = "Option::is_none"
        )]
        after: Option<Duration>,
        /// The first and the last of these runs.
        runs: (RunId, RunId),
        /// So long the next run waits.
        #[serde(rename = "wait_ms", serialize_with = "json::millis")]
        wait: Duration,
        /// See [`Notice::Outputs`].
        #[serde(skip)]
        file: Option<String>,
    },
    /// Something changed after runs that something else had caused, again and again.
    OutputHint {
        /// What.
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
        /// What.
        #[serde(rename = "path")]
        made: Made,
        /// By so much.
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
        /// What changed, in words: `+included_filetypes .html`, `debounce auto → 50ms`.
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
    /// Somebody asked for a run or a stop.
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
    /// How much it matters.
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

/// What the runs make, when after the start, and the runs that showed it.
pub type Learnt = (Proposal, Duration, Vec<RunId>);

/// How a run ended, and what that can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// How.
    pub ended: Ended,
    /// Whether the command went through `sh -c`: then 128 + n names a signal, and 126 and 127 have a meaning.
    pub shell: bool,
}

/// What the runs make, and the rule that would exclude it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Proposal {
    /// What.
    pub made: Made,
    /// For names that differ in one part: what stands for that part in a pattern that means nothing else; `None`:
    /// there is no simple one.
    #[serde(skip)]
    pub part: Option<&'static str>,
}

/// What is watched, for the second start line.
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
    /// How many more ignored trees there are.
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
