//! Everything the program can say, as data. The room `report` makes lines of it, for people or as JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Cause, Ended, LeftOver, Made, OnBusy, Rule, RunId, Signal, SpawnError};

/// How much a notice matters. `-q` shows `Warning` and up, `-v` adds `Detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// One thing to say. Outside strings are held as they came; the renderers escape them.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A run is started (START and RELOAD in one: the cause says which).
    Run {
        /// The run.
        run: RunId,
        /// Why.
        cause: Cause,
        /// The command as typed, for the start line.
        command: String,
        /// Where the configuration came from (`config.yml`, `built-in defaults`); only with `Cause::Start`.
        configuration: Option<String>,
        /// Whether keys are listened to; only with `Cause::Start`.
        keys: bool,
    },
    /// The first walk is done.
    Watching(Watching),
    /// The first walk takes over a second.
    Progress {
        /// Directories so far.
        directories: usize,
        /// Time since the start.
        elapsed: Duration,
    },
    /// A reload took over 100 ms from the firing of its batch to the start of the new leader (or `-v`).
    Restarted {
        /// The new run.
        run: RunId,
        /// From the decision to the new process.
        took: Duration,
    },
    /// A stop takes over a second.
    SlowStop {
        /// The run.
        run: RunId,
        /// What was sent.
        signal: Signal,
        /// A process that is still there.
        process: LeftOver,
        /// Time until SIGKILL.
        left: Duration,
        /// The configured grace time.
        timeout: Duration,
    },
    /// The grace time is over: SIGKILL.
    Killed {
        /// The run.
        run: RunId,
        /// The configured grace time.
        timeout: Duration,
    },
    /// `watcher.duration` delays a reload.
    Delayed {
        /// First changed path.
        path: Arc<Path>,
        /// Further paths.
        more: usize,
        /// Time until the reload.
        wait: Duration,
        /// `watcher.duration`.
        duration: Duration,
    },
    /// A change arrived while the command runs and `on_busy` is not `restart`.
    Busy {
        /// First changed path.
        path: Arc<Path>,
        /// Further paths.
        more: usize,
        /// What is done about it.
        on_busy: OnBusy,
    },
    /// Git holds its index lock.
    GitHold {
        /// The lock file.
        lock: PathBuf,
        /// How long ago it was written.
        age: Duration,
        /// How many changes wait.
        waiting: usize,
        /// How long at most from now.
        left: Duration,
        /// It is so old that its git has most likely died.
        stale: bool,
    },
    /// A save left the bytes as the last run saw them.
    SameBytes {
        /// First path.
        path: Arc<Path>,
        /// Further paths.
        more: usize,
    },
    /// A run ended.
    Ended {
        /// The run.
        run: RunId,
        /// How.
        ended: Ended,
        /// How long it ran.
        after: Duration,
        /// Whether the command went through `sh -c` (then 128+n names a signal, 126 and 127 are explained).
        shell: bool,
        /// Whether the program goes on and waits for a change.
        waiting: bool,
    },
    /// The list of changed files could not be written; the run starts without it.
    NoChangedFile {
        /// The directory concerned.
        path: PathBuf,
        /// The system's error text.
        error: String,
    },
    /// A run could not be started.
    CannotStart {
        /// The run.
        run: RunId,
        /// Why.
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
    ShimLost {
        /// The run.
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
        path: Arc<Path>,
        /// The deciding rule.
        rule: Rule,
        /// Said although `-v` is off: the first time an ignore file hides a change of an included type.
        surprise: bool,
    },
    /// `-v`: a directory is watched.
    Directory {
        /// The directory.
        path: Arc<Path>,
    },
    /// A directory or file could not be read; it is tried again when it changes.
    Unreadable {
        /// The path.
        path: Arc<Path>,
        /// The system's error text.
        error: String,
    },
    /// A root does not exist (any more); it is looked for until it is there.
    RootMissing {
        /// The root.
        path: Arc<Path>,
    },
    /// A missing or replaced root is watched again.
    RootBack {
        /// The root.
        path: Arc<Path>,
    },
    /// Out of inotify watches or instances.
    Limit {
        /// Directories watched by events.
        events: usize,
        /// Directories polled.
        polled: usize,
        /// The interval of polling.
        interval: Duration,
        /// The sysctl (`fs.inotify.max_user_watches`) and its present value, when known.
        sysctl: &'static str,
        /// Its value.
        allowed: Option<u64>,
        /// The largest watched tree and its number of directories.
        largest: Option<(PathBuf, usize)>,
    },
    /// A tree is polled because its file system sends no events (or because it was asked for).
    Polling {
        /// The root.
        path: Arc<Path>,
        /// Why: `on 9p (a Windows drive in WSL), which sends no events`, `watcher.poll: 500ms`.
        reason: String,
        /// Files polled.
        files: usize,
        /// The interval.
        interval: Duration,
        /// What would be faster, if there is something.
        advice: Option<String>,
    },
    /// The kernel dropped events; the tree was compared.
    Lost {
        /// Length of the kernel's queue, when known.
        queue: Option<u64>,
        /// Files compared.
        compared: usize,
        /// Time it took.
        took: Duration,
        /// How many had changed.
        changed: usize,
    },
    /// A file is written without end.
    Noisy {
        /// The file.
        path: Arc<Path>,
        /// The maximum wait.
        every: Duration,
    },
    /// The configuration of a missing, foreign or odd file; the text is complete.
    Configuration {
        /// `Warning` or `Error` or `Info`.
        level: Level,
        /// The text, continuation lines included. Already escaped by the writer where it quotes a file.
        text: String,
    },
    /// These are made by the runs themselves, and do not reload at their moments.
    Outputs {
        /// What, when after the start, and the runs that showed it.
        outputs: Vec<Learnt>,
        /// The configuration file to add the rule to, as shown; `None`: there is no file.
        file: Option<String>,
    },
    /// What was told by [`Notice::Outputs`] reloads again.
    OutputReleased {
        /// What.
        made: Made,
        /// By now a rule ignores it.
        ignored: bool,
    },
    /// Runs cause each other: the next one waits.
    Cooling {
        /// What causes them.
        proposal: Proposal,
        /// When it came, after the start of each run; `None`: at no certain moment.
        after: Option<Duration>,
        /// The first and the last of these runs.
        runs: (RunId, RunId),
        /// So long the next run waits.
        wait: Duration,
        /// See [`Notice::Outputs`].
        file: Option<String>,
    },
    /// Something changed after runs that something else had caused, again and again.
    OutputHint {
        /// What.
        proposal: Proposal,
        /// The runs.
        runs: Vec<RunId>,
        /// See [`Notice::Outputs`].
        file: Option<String>,
    },
    /// A start is put off to see whether something moves with it.
    Trial {
        /// What.
        made: Made,
        /// By so much.
        wait: Duration,
    },
    /// An edit of the configuration file could not be used; the one in force stays.
    ConfigurationRejected {
        /// The error as `check` prints it; already escaped where it quotes the file.
        text: String,
        /// The run that goes on, if one does.
        run: Option<RunId>,
    },
    /// An edit of the configuration file is in force.
    ConfigurationApplied {
        /// The file as shown.
        file: String,
        /// What changed, in words: `+included_filetypes .html`, `debounce auto → 50ms`.
        changes: Vec<String>,
        /// The run concerned, if one lives.
        run: Option<RunId>,
        /// Whether that run is restarted because its command, environment or directory changed.
        restarts: bool,
    },
    /// Watching is paused or goes on.
    Paused {
        /// `true`: paused now.
        paused: bool,
        /// Changes that waited.
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
            Self::Ended { ended, .. } if *ended != Ended::Exit(0) => Level::Error,
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
            | Self::Paused { .. }
            | Self::Requested { .. }
            | Self::KeyHelp
            | Self::Quit(_) => Level::Info,
        }
    }
}

/// What the runs make, when after the start, and the runs that showed it.
pub type Learnt = (Proposal, Duration, Vec<RunId>);

/// What the runs make, and the rule that would exclude it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What.
    pub made: Made,
    /// For names that differ in one part: what stands for that part in a pattern that means nothing else; `None`:
    /// there is no simple one.
    pub part: Option<&'static str>,
}

/// What is watched, for the second start line.
#[derive(Clone, Debug, PartialEq)]
pub struct Watching {
    /// The roots as the person named them.
    pub roots: Vec<PathBuf>,
    /// The included types; empty for all.
    pub types: Vec<String>,
    /// Directories watched.
    pub directories: usize,
    /// The first ignored trees with their rules, most prominent first.
    pub ignored: Vec<(PathBuf, Rule)>,
    /// How many more ignored trees there are.
    pub ignored_more: usize,
}

/// The numbers of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Since the start.
    pub elapsed: Duration,
    /// Runs started.
    pub runs: u64,
    /// Runs that failed.
    pub failed: u64,
    /// The last failed run, its end and the local time.
    pub last_failed: Option<(RunId, Ended, String)>,
    /// Saves with the same bytes.
    pub same_bytes: u64,
}
