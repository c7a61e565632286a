//! Every way to end in every state: INT, TERM, HUP, QUIT, the terminal closed, while idle, running and
//! stopping; as the calling shell sees it.

use std::time::Duration;

use crate::harness::*;

const GRACE_MS: u64 = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Running,
    Stopping,
}

const STATES: [State; 3] = [State::Idle, State::Running, State::Stopping];

impl State {
    /// A project whose command brings it about; while it lives it takes a minute to stop.
    fn project(self) -> Project {
        let stamp = match self {
            State::Idle => Stamp::quick(),
            _ => Stamp::server().graceful(60_000).worker(free_port()).worker_ignores_term(),
        };
        Project::new().file("a.go", "0").runs(stamp)
    }

    /// Once it is watched: waits until it is in this state.
    fn comes(self, project: &Project) {
        let is = |what: fn(&Run) -> bool| {
            let there =
                until(DEADLINE, || project.run_log().first().is_some_and(what).then_some(()));
            assert!(there.is_some(), "it is not {self:?}: {:?}", project.run_log());
        };
        match self {
            State::Idle => is(|run| run.ended.is_some()),
            State::Running => is(|_| true),
            State::Stopping => {
                project.save("a.go", "1");
                is(|run| run.asked_to_end.is_some());
            }
        }
    }
}

/// What is left of the program and its command.
fn ours(tag: &str) -> Vec<processes::Process> {
    let mut left = processes::tagged(tag);
    left.retain(|one| {
        one.name.starts_with("stamp") || one.name.contains("gw-") || one.name == "go-watcher"
    });
    left
}

fn from_a_shell(margin: u64) {
    let mut times = Vec::new();
    for state in STATES {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            let Some(terminal) = Terminal::open(state.project()) else { return };
            let (_, modes) = terminal.back_in_the_shell("before");
            terminal.start(&format!("--ext go --stop-timeout {GRACE_MS}ms"));
            terminal.wait_runs(1);
            terminal.shows("] watching .");
            state.comes(&terminal);
            let watcher = terminal.watcher().expect("it");
            let asked = monotonic();
            processes::send(watcher.pid, signal);
            let gone = until(DEADLINE, || (!processes::lives(&watcher)).then_some(()));
            let took = ms_since(asked);
            let left = ours(terminal.tag());
            assert!(gone.is_some() && left.is_empty(), "{state:?} {signal:?}: left {left:?}");
            let limit = if state == State::Idle { 0 } else { GRACE_MS } + margin;
            assert!(took <= limit, "{state:?} {signal:?} took {took} ms");
            times.push(took);
            let (status, after) = terminal.back_in_the_shell("after");
            assert_eq!(status, 128 + signal.as_raw(), "{state:?} {signal:?}");
            assert_eq!(after, modes, "{state:?} {signal:?}: the terminal's modes");
        }
    }
    figures(&format!("from the signal to nothing left, grace time {GRACE_MS} ms"), &times);
}

#[test]
fn each_signal_in_each_state_as_the_shell_sees_it() {
    from_a_shell(PROMPT_MS);
}

#[test]
#[ignore = "within 200 ms of the grace time; make torture"]
fn torture_in_time_each_signal_in_each_state() {
    from_a_shell(200);
}

fn closed_terminals(margin: u64) {
    let mut times = Vec::new();
    for state in STATES {
        for flag in ["--keys", "--no-keys"] {
            let project = state.project();
            let argv: Vec<String> =
                project.argv().into_iter().map(|word| word.into_string().unwrap()).collect();
            let grace = format!("{GRACE_MS}ms");
            let mut args = vec!["--ext", "go", "--stop-timeout", &grace];
            args.extend(Some(flag).filter(|flag| *flag == "--no-keys"));
            args.push("--");
            args.extend(argv.iter().map(String::as_str));
            let Some(mut pty) = Pty::start(project, &args, true) else { return };
            pty.wait_runs(1);
            pty.shows("] watching .");
            state.comes(&pty);
            let closed = monotonic();
            pty.close();
            let status = pty.end();
            let took = ms_since(closed);
            assert_eq!(status, 128 + Signal::HUP.as_raw(), "{state:?}");
            assert!(pty.left().is_empty(), "{state:?}: left {:?}", pty.left());
            let limit = if state == State::Idle { 0 } else { GRACE_MS } + margin;
            assert!(took <= limit, "{state:?} took {took} ms");
            times.push(took);
        }
    }
    figures(
        &format!("from closing the terminal to nothing left, grace time {GRACE_MS} ms"),
        &times,
    );
}

#[test]
fn the_terminal_closes_in_each_state() {
    closed_terminals(PROMPT_MS);
}

#[test]
#[ignore = "within 200 ms of the grace time; make torture"]
fn torture_in_time_closed_terminals() {
    closed_terminals(200);
}

/// The real `nohup`: the terminal goes, it stays.
#[test]
fn under_nohup_it_outlives_its_terminal() {
    if !on_path("nohup") {
        return skip("nohup is not installed");
    }
    let Some(terminal) = Terminal::open(Project::new().file("a.go", "0").runs(Stamp::server()))
    else {
        return;
    };
    let argv = terminal.argv().into_iter().map(|word| word.into_string().unwrap());
    let program = terminal.program_path().to_str().unwrap().to_owned();
    let words = shell_words::join(argv);
    terminal.line(&format!("nohup {program} run --ext go -- {words} > ../out/nohup 2>&1 &"));
    terminal.wait_runs(1);
    let said = || std::fs::read_to_string(terminal.outside("nohup")).unwrap_or_default();
    terminal.wait_for("the walk", || said().contains("] watching ").then_some(()));
    let watcher = terminal.watcher().expect("it");
    let ignored = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        processes::signal_set(&status, "SigIgn") & 1 << (Signal::HUP.as_raw() - 1) != 0
    };
    assert!(ignored(watcher.pid) && ignored(terminal.run_log()[0].pid), "HUP stays ignored");
    terminal.close();
    pace(QUIET);
    terminal.save("a.go", "nobody looks any more");
    let ran = until(DEADLINE, || (terminal.run_count() == 2).then_some(()));
    let lived = processes::lives(&watcher);
    processes::send(watcher.pid, Signal::TERM);
    terminal.nothing_left_within(Duration::from_secs(6));
    assert!(ran.is_some() && lived, "it went on: {}", said());
}
