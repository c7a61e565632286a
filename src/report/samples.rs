//! One notice of each kind, every string of it from outside: for the tests that hold for all.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    Cause, Ended, LeftOver, Level, Made, Notice, Origin, Proposal, Rule, RuleKind, RunEnd, RunId,
    Signal, SpawnError, SpawnStage, Summary, Watching,
};

const RUN: RunId = RunId(7);
const TIME: Duration = Duration::from_millis(1_234);

struct Hostile {
    path: Arc<Path>,
    buffer: PathBuf,
    process: LeftOver,
    text: String,
    rule: Rule,
}

/// Every kind of notice about something of this name.
pub(super) fn all(name: &OsStr) -> Vec<Notice> {
    let buffer = Path::new("/src/app").join(name);
    let text = name.to_string_lossy().into_owned();
    let file = Arc::new(buffer.clone());
    let hostile = Hostile {
        path: Arc::from(buffer.as_path()),
        buffer,
        process: LeftOver { pid: 1, name: name.to_owned() },
        rule: Rule {
            kind: RuleKind::IgnoreFile,
            text: Arc::from(text.as_str()),
            origin: Origin::File { file, line: 3 },
        },
        text,
    };
    [runs(&hostile), trees(&hostile), session(&hostile)].concat()
}

fn runs(h: &Hostile) -> Vec<Notice> {
    let error = |stage, detail| SpawnError { stage, path: h.buffer.clone(), errno: 2, detail };
    let start = |cause| Notice::Run {
        run: RUN,
        cause,
        command: h.text.clone(),
        configuration: Some(h.text.clone()),
        keys: true,
    };
    let cannot = |error| Notice::CannotStart { run: RUN, error, waiting: true };
    let ended = |ended| Notice::Ended {
        run: RUN,
        end: RunEnd { ended, shell: true },
        after: TIME,
        waiting: true,
    };
    let process = || h.process.clone();
    vec![
        start(Cause::Start),
        start(Cause::Changes(vec![Arc::clone(&h.path), Arc::clone(&h.path)])),
        start(Cause::Request),
        start(Cause::Crash),
        Notice::Restarted { run: RUN, took: TIME },
        Notice::SlowStop {
            run: RUN,
            signal: Signal(15),
            process: process(),
            left: TIME,
            timeout: TIME,
        },
        Notice::Killed { run: RUN, timeout: TIME },
        ended(Ended::Exit(0)),
        ended(Ended::Exit(139)),
        ended(Ended::Signal(9)),
        cannot(error(SpawnStage::Exec, None)),
        cannot(error(SpawnStage::WorkingDirectory, Some(h.text.clone()))),
        Notice::NoChangedFile { path: h.buffer.clone(), error: h.text.clone() },
        Notice::LeftOvers { run: RUN, processes: vec![process()] },
        Notice::LeftOversStopped { run: RUN, processes: vec![process()] },
        Notice::ShimLost { run: None },
        Notice::WaitsForTerminal { run: RUN, process: process() },
        Notice::CrashDelay { run: RUN, wait: TIME },
        Notice::CrashGaveUp { starts: 8 },
    ]
}

fn trees(h: &Hostile) -> Vec<Notice> {
    let path = || Arc::clone(&h.path);
    vec![
        Notice::Watching(Watching {
            roots: vec![h.buffer.clone()],
            types: vec![h.text.clone()],
            directories: 3,
            ignored: vec![(h.buffer.clone(), h.rule.clone())],
            ignored_more: 1,
        }),
        Notice::Progress { directories: 3, elapsed: TIME },
        Notice::Delayed { path: path(), more: 1, wait: TIME, duration: TIME },
        Notice::InputEnded { run: RunId(7) },
        Notice::Busy { path: path(), more: 0, on_busy: crate::model::OnBusy::Queue },
        Notice::GitHold { lock: h.buffer.clone(), age: TIME, waiting: 2, left: TIME, stale: false },
        Notice::SameBytes { path: path(), more: 0 },
        Notice::Ignored { path: path(), rule: h.rule.clone(), surprise: true },
        Notice::Ignored { path: path(), rule: h.rule.clone(), surprise: false },
        Notice::Directory { path: path() },
        Notice::Unreadable { path: path(), error: h.text.clone() },
        Notice::RootMissing { path: path() },
        Notice::RootBack { path: path() },
        Notice::Limit {
            events: 1,
            polled: 2,
            interval: TIME,
            sysctl: "fs.inotify.max_user_watches",
            allowed: Some(1),
            largest: Some((h.buffer.clone(), 2)),
        },
        Notice::Polling {
            path: path(),
            reason: h.text.clone(),
            files: 1,
            interval: TIME,
            advice: Some(h.text.clone()),
        },
        Notice::Lost { queue: None, compared: 1, took: TIME, changed: 0 },
        Notice::Noisy { path: path(), every: TIME },
    ]
}

fn session(h: &Hostile) -> Vec<Notice> {
    let path = || Arc::clone(&h.path);
    let proposal = || Proposal { made: Made::Path(path()), part: None };
    vec![
        Notice::Configuration { level: Level::Warning, text: h.text.clone() },
        Notice::Outputs {
            outputs: vec![(proposal(), TIME, vec![RUN])],
            file: Some(h.text.clone()),
        },
        Notice::OutputReleased { made: proposal().made, ignored: false },
        Notice::Cooling {
            proposal: proposal(),
            after: Some(TIME),
            runs: (RUN, RUN),
            wait: TIME,
            file: Some(h.text.clone()),
        },
        Notice::OutputHint { proposal: proposal(), runs: vec![RUN], file: None },
        Notice::Trial { made: proposal().made, wait: TIME },
        Notice::ConfigurationRejected { text: h.text.clone(), run: Some(RUN) },
        Notice::ConfigurationApplied {
            file: h.text.clone(),
            changes: vec![h.text.clone()],
            run: None,
            restarts: false,
        },
        Notice::Paused,
        Notice::Resumed { waiting: vec![path()] },
        Notice::Requested { what: "restart" },
        Notice::KeyHelp,
        Notice::Quit(Summary {
            elapsed: TIME,
            runs: 2,
            failed: 1,
            last_failed: Some((RUN, Ended::Exit(1), h.text.clone())),
            same_bytes: 1,
        }),
    ]
}
