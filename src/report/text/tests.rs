//! Every line word by word.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Context, same, words};
use crate::model::{
    Cause, Ended, LeftOver, Level, Made, Notice, Origin, Proposal, Rule, RuleKind, RunEnd, RunId,
    Signal, SpawnError, SpawnStage, Summary, Watching,
};

const DIRECTORY: &str = "/src/app";

fn said(notice: &Notice, keys: bool) -> String {
    let time = || "14:02:11".to_owned();
    let configured = || "14:01:50".to_owned();
    let directory = Path::new(DIRECTORY);
    words(
        notice,
        &Context {
            directory,
            keys,
            time: &time,
            time_in: &|_| "14:02:21".to_owned(),
            configured: &configured,
        },
    )
}

fn path(name: &str) -> Arc<Path> {
    Arc::from(Path::new(DIRECTORY).join(name))
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn process(pid: u32, name: &str) -> LeftOver {
    LeftOver { pid, name: OsString::from(name) }
}

fn rule(kind: RuleKind, text: &str, origin: Origin) -> Rule {
    Rule { kind, text: Arc::from(text), origin }
}

fn file(name: &str, line: u32) -> Origin {
    Origin::File { file: Arc::new(PathBuf::from(name)), line }
}

fn changed(names: &[&str]) -> Cause {
    Cause::Changes(names.iter().map(|name| path(name)).collect())
}

fn run(run: u64, cause: Cause) -> Notice {
    Notice::Run {
        run: RunId(run),
        configuration: (cause == Cause::Start).then(|| "config.yml".to_owned()),
        keys: cause == Cause::Start,
        cause,
        command: "go run .".to_owned(),
    }
}

fn ended(run: u64, ended: Ended, after: u64, waiting: bool) -> Notice {
    Notice::Ended { run: RunId(run), end: RunEnd { ended, shell: true }, after: ms(after), waiting }
}

fn proposal(name: &str) -> Proposal {
    Proposal { made: Made::Path(path(name)), part: None }
}

/// Names that differ in one part, and what stands for that in a pattern.
fn family(one: &str, other: &str, part: &'static str) -> Proposal {
    let family = crate::outputs::family_of(&path(one), &path(other)).expect("a family");
    Proposal { made: Made::Names(family), part: Some(part) }
}

fn learnt(proposals: Vec<Proposal>, runs: &[u64], file: Option<&str>) -> Notice {
    let runs: Vec<RunId> = runs.iter().copied().map(RunId).collect();
    let learnt = |proposal| (proposal, ms(105), runs.clone());
    let outputs = proposals.into_iter().map(learnt).collect();
    Notice::Outputs { outputs, file: file.map(str::to_owned) }
}

fn cannot_start(error: SpawnError) -> Notice {
    Notice::CannotStart { run: RunId(4), error, waiting: true }
}

#[track_caller]
fn check(table: &[(Notice, &str)]) {
    for (notice, expected) in table {
        assert_eq!(said(notice, true), *expected);
    }
}

#[test]
fn runs_begin() {
    check(&[
        (
            run(1, Cause::Start),
            "run 1: go run .   (config.yml; r restart  p pause  q quit  ? more)",
        ),
        (
            run(2, changed(&["internal/a.go", "b", "c", "d"])),
            "14:02:11 changed internal/a.go (+3): run 2",
        ),
        (run(2, changed(&["a.go"])), "14:02:11 changed a.go: run 2"),
        (run(3, Cause::Request), "14:02:11 on request: run 3"),
        (run(4, Cause::Crash), "14:02:11 after a failure: run 4"),
    ]);
    let start = Notice::Run {
        run: RunId(1),
        cause: Cause::Start,
        command: "grep 'a\\.b'\n\x1b[2Jtrue".to_owned(),
        configuration: Some("built-in defaults".to_owned()),
        keys: false,
    };
    let expected = "run 1: grep 'a\\.b'\\n\\x1b[2Jtrue   (built-in defaults)";
    assert_eq!(said(&start, false), expected);
}

#[test]
fn runs_end() {
    let wait = "; waiting for a change (r runs again)";
    let table = [
        (ended(2, Ended::Exit(0), 1_200, true), "run 2: exit 0 in 1.2s".to_owned()),
        (ended(2, Ended::Exit(1), 2_300, true), format!("run 2: exit 1 in 2.3s{wait}")),
        (ended(2, Ended::Exit(1), 2_300, false), "run 2: exit 1 in 2.3s".to_owned()),
        (
            ended(3, Ended::Exit(139), 720_000, true),
            format!("run 3: exit 139 (SIGSEGV) after 12m{wait}"),
        ),
        (
            ended(3, Ended::Signal(libc::SIGABRT), 84, true),
            format!("run 3: killed by SIGABRT after 84ms{wait}"),
        ),
        (
            ended(3, Ended::Exit(127), 4, true),
            format!("run 3: exit 127 (command not found) in 4ms{wait}"),
        ),
        (
            ended(3, Ended::Exit(126), 4, true),
            format!("run 3: exit 126 (found, but not executable) in 4ms{wait}"),
        ),
    ];
    for (notice, expected) in table {
        assert_eq!(said(&notice, true), expected);
    }
    let failed = ended(2, Ended::Exit(1), 2_300, true);
    assert_eq!(said(&failed, false), "run 2: exit 1 in 2.3s; waiting for a change");
}

#[test]
fn runs_that_can_t_start() {
    let error = |stage, path: &str, errno| SpawnError {
        stage,
        path: PathBuf::from(path),
        errno,
        detail: None,
    };
    let bad = SpawnError {
        detail: Some("the interpreter /bin/nope (first line of the file) does not exist".into()),
        ..error(SpawnStage::Exec, "./run.sh", libc::ENOENT)
    };
    check(&[
        (
            cannot_start(error(SpawnStage::Exec, "./bin/app", libc::ENOENT)),
            "run 4: cannot start ./bin/app: no such file in /src/app; waiting for a change",
        ),
        (
            cannot_start(bad),
            "run 4: cannot start ./run.sh: the interpreter /bin/nope (first line of the file) does \
             not exist; waiting for a change",
        ),
        (
            cannot_start(error(SpawnStage::WorkingDirectory, "/src/app", libc::ENOENT)),
            "run 4: cannot enter /src/app: the working directory is gone; waiting for a change",
        ),
    ]);
}

#[test]
fn runs_stop() {
    check(&[
        (
            Notice::NoChangedFile { path: PathBuf::from("/tmp"), error: "No space left".into() },
            "/tmp: No space left: the list of changed files cannot be written; this run starts \
             without GO_WATCHER_CHANGED_FILE",
        ),
        (
            Notice::SlowStop {
                run: RunId(2),
                signal: Signal(libc::SIGTERM),
                process: process(4242, "./app"),
                left: ms(4_000),
                timeout: ms(5_000),
            },
            "run 2 has not stopped 1s after SIGTERM: pid 4242 ./app; SIGKILL in 4s, r kills now \
             (stop.timeout: 5s)",
        ),
        (
            Notice::Killed { run: RunId(2), timeout: ms(5_000) },
            "run 2 had not stopped after 5s: killed (stop.timeout)",
        ),
        (
            Notice::Restarted { run: RunId(2), took: ms(184) },
            "run 2 started 184ms after the save was complete",
        ),
        (
            Notice::LeftOvers { run: RunId(2), processes: vec![process(7, "worker")] },
            "run 2 left worker (pid 7) running; it stops before the next run",
        ),
        (
            Notice::LeftOversStopped {
                run: RunId(2),
                processes: (1..=7).map(|pid| process(pid, "w")).collect(),
            },
            "run 2 had left w (pid 1), w (pid 2), w (pid 3), w (pid 4), w (pid 5), 2 more running: \
             stopped. To let such a process live, add its name to stop.keep",
        ),
        (
            Notice::ShimLost { run: Some(RunId(2)) },
            "the process that hosted run 2 was killed: everything of the run is stopped",
        ),
        (
            Notice::ShimLost { run: None },
            "the process that hosts the runs was killed; the next run gets a new one",
        ),
        (
            Notice::WaitsForTerminal { run: RunId(2), process: process(4243, "sudo") },
            "run 2: sudo (pid 4243) waits for the terminal; start with --stdin",
        ),
        (
            Notice::CrashDelay { run: RunId(2), wait: ms(250) },
            "run 2 starts again in 250ms (on_crash: restart)",
        ),
        (
            Notice::CrashGaveUp { starts: 8 },
            "failed 8 times within 30s: waiting for a change (on_crash: restart; r runs again)",
        ),
    ]);
}

#[test]
fn what_is_watched() {
    let built_in = rule(RuleKind::BuiltIn, "node_modules", Origin::BuiltIn);
    let dist = rule(RuleKind::IgnoreFile, "dist/", file("/src/app/.gitignore", 3));
    let mut watching = Watching {
        roots: vec![PathBuf::from(DIRECTORY)],
        types: vec![".go".to_owned()],
        directories: 118,
        ignored: vec![
            (PathBuf::from("/src/app/node_modules"), built_in),
            (PathBuf::from("/src/app/dist"), dist),
        ],
        ignored_more: 2,
    };
    let expected = "watching . for .go: 118 directories; ignored: node_modules (built-in), \
                    dist/ (.gitignore:3), 2 more (go-watcher explain)";
    assert_eq!(said(&Notice::Watching(watching.clone()), true), expected);
    watching.types = ["go", "Makefile", "*.tmpl", ".d.ts"].map(str::to_owned).to_vec();
    watching.ignored_more = 0;
    watching.ignored.clear();
    let expected = "watching . for .go, Makefile, *.tmpl, .d.ts: 118 directories";
    assert_eq!(said(&Notice::Watching(watching.clone()), true), expected);
    watching.roots.push(PathBuf::from("/srv/lib"));
    watching.types.clear();
    watching.directories = 1;
    assert_eq!(said(&Notice::Watching(watching), true), "watching ., /srv/lib: 1 directory");
    let progress = Notice::Progress { directories: 12_031, elapsed: ms(1_500) };
    let expected = "looking at the tree: 12,031 directories so far (8,020 a second)";
    assert_eq!(said(&progress, true), expected);
}

#[test]
fn how_it_is_watched() {
    let limit = |sysctl, allowed| Notice::Limit {
        events: 8_051,
        polled: 4_289,
        interval: ms(1_200),
        sysctl,
        allowed: Some(allowed),
        largest: Some((PathBuf::from("/src/app/web/static"), 3_902)),
    };
    let polling = |reason: &str, advice: Option<&str>| Notice::Polling {
        path: Arc::from(Path::new("/mnt/c/app")),
        reason: reason.to_owned(),
        files: 1_204,
        interval: ms(800),
        advice: advice.map(str::to_owned),
    };
    check(&[
        (
            limit("fs.inotify.max_user_watches", 8_192),
            "out of inotify watches (8192 allowed): 8,051 of 12,340 directories by events, 4,289 by \
             polling every 1.2s. Nothing is missed.\nAll by events: sudo sysctl \
             fs.inotify.max_user_watches=524288; or exclude the largest, web/static (3,902 \
             directories)",
        ),
        (
            limit("fs.inotify.max_user_instances", 128),
            "out of inotify instances (128 allowed): 8,051 of 12,340 directories by events, 4,289 \
             by polling every 1.2s. Nothing is missed.\nAll by events: sudo sysctl \
             fs.inotify.max_user_instances=1024; or exclude the largest, web/static (3,902 \
             directories)",
        ),
        (
            polling(
                "on 9p (a Windows drive in WSL), which sends no events",
                Some("keep the code under ~"),
            ),
            "/mnt/c/app is on 9p (a Windows drive in WSL), which sends no events: 1,204 files \
             polled every 0.8s. Faster: keep the code under ~.",
        ),
        (
            polling("watcher.poll: 500ms", None),
            "/mnt/c/app is polled (watcher.poll: 500ms): 1,204 files every 0.8s.",
        ),
        (
            Notice::Lost { queue: Some(16_384), compared: 12_031, took: ms(84), changed: 2 },
            "the kernel dropped events (queue of 16384 full): 12,031 files compared in 84ms, 2 \
             changed",
        ),
        (
            Notice::Unreadable { path: path("secret"), error: "Permission denied".to_owned() },
            "cannot read secret: Permission denied; tried again when it changes",
        ),
        (
            Notice::RootMissing { path: path("") },
            ". is missing: it is watched as soon as it is there",
        ),
        (Notice::RootBack { path: path("lib") }, "lib is there: watched again"),
        (Notice::Directory { path: path("a\nb") }, "watching a\\nb"),
    ]);
}

#[test]
fn saves() {
    let git = |seconds, waiting, stale| Notice::GitHold {
        lock: PathBuf::from("/src/app/.git/index.lock"),
        age: Duration::from_secs(seconds),
        waiting,
        left: ms(8_600),
        stale,
    };
    check(&[
        (
            Notice::Delayed {
                path: path("internal/a.go"),
                more: 0,
                wait: ms(1_400),
                duration: ms(2_000),
            },
            "14:02:11 changed internal/a.go: reload in 1.4s (watcher.duration: 2s)",
        ),
        (
            git(1, 1, false),
            "git holds .git/index.lock, 1s old: 1 change waits, at most 9s more (r runs now)",
        ),
        (
            git(7_200, 3, true),
            ".git/index.lock is stale, 2h00m old: 3 changes wait, at most 9s more (r \
             runs now); if no git is running, remove it",
        ),
        (
            Notice::SameBytes { path: path("internal/a.go"), more: 0 },
            "saved internal/a.go, same bytes: nothing to do (r runs again)",
        ),
        (
            Notice::Busy { path: path("a.go"), more: 1, on_busy: crate::model::OnBusy::Queue },
            "14:02:11 changed a.go (+1): the command runs on; one more run when it ends (on_busy: \
             queue)",
        ),
        (
            Notice::Noisy { path: path("x.log"), every: ms(2_000) },
            "x.log is being written without end: it reloads once every 2s; if it is no source, \
             exclude it",
        ),
    ]);
    let time = String::new;
    let directory = Path::new(DIRECTORY);
    let time_in = |_| time();
    let context =
        Context { directory, keys: false, time: &time, time_in: &time_in, configured: &time };
    assert_eq!(
        same(&path("a.go"), 2, 4, &context),
        "saved a.go (+2), same bytes: nothing to do; 4 more such saves in the last second"
    );
}

#[test]
fn ignored_paths_name_the_rule() {
    let ignored = |name: &str, kind, text: &str, origin| Notice::Ignored {
        path: path(name),
        rule: rule(kind, text, origin),
        surprise: false,
    };
    let config = |line| file("/src/app/config.yml", line);
    check(&[
        (
            ignored("api_gen.go", RuleKind::IgnoreFile, "*_gen.go", file("/src/app/.gitignore", 7)),
            "ignored api_gen.go: .gitignore:7 \"*_gen.go\"; to watch it: -i '!api_gen.go'",
        ),
        (
            ignored("web/a.html", RuleKind::Filetype, ".go", config(4)),
            "ignored web/a.html: .html is not in included_filetypes (config.yml:4)",
        ),
        (
            ignored("Makefile", RuleKind::Filetype, ".go", config(0)),
            "ignored Makefile: a name without an extension is not in included_filetypes (config.yml)",
        ),
        (
            ignored("a.html", RuleKind::Filetype, ".go", Origin::Flag("--ext")),
            "ignored a.html: .html is not in --ext",
        ),
        (
            ignored("vendor/a.go", RuleKind::ExcludedPath, "vendor", config(9)),
            "ignored vendor/a.go: excluded_paths \"vendor\" (config.yml:9)",
        ),
        (
            ignored("gen/a.go", RuleKind::ExcludedPath, "gen", Origin::Flag("-i")),
            "ignored gen/a.go: -i \"gen\"",
        ),
        (
            ignored("a.yml", RuleKind::ExcludedRegexp, "\\.yml$", config(6)),
            "ignored a.yml: excluded_regexps \"\\.yml$\" (config.yml:6)",
        ),
        (
            ignored("a'b.swp", RuleKind::BuiltIn, "*.swp", Origin::BuiltIn),
            "ignored a'b.swp: built-in \"*.swp\"",
        ),
    ]);
}

#[test]
fn the_session() {
    let error = "config.yml:5:3: watcher.x: unknown key\n  5 |   x: 1\n    |   ^";
    check(&[
        (
            Notice::ConfigurationRejected { text: error.to_owned(), run: Some(RunId(2)) },
            "config.yml:5:3: watcher.x: unknown key; the configuration of 14:01:50 stays, run 2 goes \
             on\n  5 |   x: 1\n    |   ^",
        ),
        (
            Notice::ConfigurationApplied {
                file: "config.yml".to_owned(),
                changes: vec!["+included_filetypes .html".to_owned()],
                run: Some(RunId(2)),
                restarts: false,
            },
            "config.yml: +included_filetypes .html; run 2 goes on",
        ),
        (Notice::Configuration { level: Level::Warning, text: "a\n\x1b".to_owned() }, "a\n\\x1b"),
        (Notice::Paused, "paused: changes are kept, nothing starts (p goes on)"),
        (
            Notice::Resumed { waiting: vec![path("a.go"), path("b.go")] },
            "resumed: a.go (+1) changed meanwhile",
        ),
        (Notice::Resumed { waiting: Vec::new() }, "resumed: nothing had changed"),
        (Notice::Requested { what: "kill" }, "killed now"),
    ]);
    assert_eq!(said(&Notice::KeyHelp, true).lines().count(), 6);
}

#[test]
fn the_last_line() {
    let mut summary = Summary {
        elapsed: ms(3_840_000),
        runs: 23,
        failed: 2,
        last_failed: Some((RunId(17), Ended::Exit(1), "13:55".to_owned())),
        same_bytes: 4,
    };
    let expected = "quit after 1h04m: 23 runs, 2 failed (last: run 17, exit 1 at 13:55); 4 saves had \
                    the same bytes; nothing left running";
    assert_eq!(said(&Notice::Quit(summary.clone()), true), expected);
    summary = Summary { runs: 1, failed: 0, last_failed: None, same_bytes: 0, elapsed: ms(8_000) };
    let expected = "quit after 8s: 1 run, none failed; nothing left running";
    assert_eq!(said(&Notice::Quit(summary), true), expected);
}

#[test]
fn what_the_runs_make() {
    let file = Some("config.yml".to_owned());
    check(&[
        (
            learnt(vec![proposal("page_templ.go")], &[4, 6, 7, 8], Some("config.yml")),
            "page_templ.go is made by the command itself (0.1s after the start of runs 4, 6, 7 and 8): it no \
             longer reloads then.\nTo keep it so, in config.yml:  excluded_paths: [page_templ.go]   (i: undo)",
        ),
        (
            learnt(
                vec![proposal("routes/[id].ts"), proposal("b"), proposal("c"), proposal("d")],
                &[2],
                None,
            ),
            "routes/[id].ts, b, c (+1) are made by the command itself (0.1s after the start of run 2): they no \
             longer reload then.\nTo keep it so, add:  -i 'routes/\\[id].ts' -i 'b' -i 'c' -i 'd'   (i: undo)",
        ),
        (
            learnt(
                vec![family("out/app.3f9a2c1b.js", "out/app.00ffab12.js", "*")],
                &[2],
                Some("c.yml"),
            ),
            "out/app.*.js is made by the command itself (0.1s after the start of run 2): it no longer reloads \
             then.\nTo keep it so, in c.yml:  excluded_paths: ['out/app.*.js']   (i: undo)",
        ),
        (
            learnt(vec![family("20261128_1.x", "20261128_2.x", "[0-9]*")], &[2], None),
            "[0-9]*.x is made by the command itself (0.1s after the start of run 2): it no longer reloads \
             then.\nTo keep it so, add:  -i '[0-9]*.x'   (i: undo)",
        ),
        (
            learnt(vec![proposal("it's")], &[2], None),
            "it's is made by the command itself (0.1s after the start of run 2): it no longer reloads \
             then. (i: undo)",
        ),
        (
            Notice::Cooling {
                proposal: proposal("gen.txt"),
                after: Some(ms(205)),
                runs: (RunId(3), RunId(6)),
                wait: ms(3_400),
                file: file.clone(),
            },
            "gen.txt changed 0.2s after the start of runs 3 to 6, and nothing else did: run 7 waits until \
             14:02:21 (r runs now).\nTo ignore it, in config.yml:  excluded_paths: [gen.txt]",
        ),
        (
            Notice::OutputHint {
                proposal: proposal("gen.go"),
                runs: vec![RunId(2), RunId(4)],
                file,
            },
            "gen.go changed while runs 2 and 4 lived, and each time caused one more run.\nIf a program makes \
             it, in config.yml:  excluded_paths: [gen.go]",
        ),
        (
            Notice::Trial { made: Made::Path(path("gen.go")), wait: ms(131) },
            "the next start waits 131ms, to see whether gen.go moves with it",
        ),
        (
            Notice::OutputReleased { made: Made::Path(path("gen.txt")), ignored: false },
            "gen.txt reloads again",
        ),
        (
            Notice::OutputReleased { made: Made::Path(path("gen.txt")), ignored: true },
            "gen.txt is ignored now",
        ),
    ]);
}
