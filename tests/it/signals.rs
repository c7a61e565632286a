//! Signals to us: the tree is stopped, we end by the very signal, what was ignored stays ignored.

use std::time::Duration;

use crate::harness::*;

const ALL: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

#[test]
fn each_signal_ends_us_while_idle() {
    for signal in ALL {
        let mut watcher = Project::new().file("a.go", "0").start([]).ready();
        watcher.says("run 1: exit 0");
        let took = watcher.ends_by(signal);
        assert!(took < Duration::from_millis(PROMPT_MS), "{signal:?} took {took:?}");
        let mut watcher = Project::new().start(["-p"]).watching();
        watcher.ends_by(signal);
    }
}

#[test]
fn each_signal_stops_a_running_tree_and_its_handler_runs() {
    for signal in ALL {
        let mut watcher = Project::new()
            .runs(Stamp::server().graceful(200).worker(free_port()))
            .start([])
            .ready();
        watcher.wait_for("the worker", || (watcher.ports().0.len() == 1).then_some(()));
        watcher.ends_by(signal);
        watcher.nothing_left_within(Duration::from_millis(100));
        assert!(
            watcher.run_log()[0].ended.is_some(),
            "{signal:?}: its handler did not run to its end"
        );
    }
}

#[test]
fn each_signal_while_a_run_is_stopping() {
    for signal in ALL {
        let project = Project::new().file("a.go", "0").runs(Stamp::server().graceful(500));
        let mut watcher = project.start(["--ext", "go"]).ready();
        watcher.save("a.go", "1");
        watcher.wait_for("the stop", || watcher.run_log()[0].asked_to_end);
        watcher.ends_by(signal);
        watcher.nothing_left_within(Duration::from_millis(100));
        let runs = watcher.run_log();
        assert!(runs.len() == 1 && runs[0].ended.is_some(), "{signal:?}\n{}", watcher.story());
    }
}

#[test]
fn a_signal_during_the_start_ends_us_too() {
    let mut random = Random(5);
    for round in 0..30 {
        let mut watcher = Project::new().file("a.go", "0").runs(Stamp::server()).start([]);
        pace(Duration::from_micros(random.below(30_000)));
        let signal = ALL[round % 4];
        watcher.signal(signal);
        let status = watcher.end();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal.as_raw()));
        watcher.nothing_left_within(Duration::from_millis(500));
    }
}

#[test]
fn one_ctrl_c_waits_for_the_grace_time() {
    let stubborn = || {
        let project = Project::new().runs(Stamp::server().ignores_term());
        project.start(["--stop-timeout", "700ms"]).ready()
    };
    let mut watcher = stubborn();
    let took = watcher.ends_by(Signal::INT);
    assert!((680..PROMPT_MS.into()).contains(&took.as_millis()), "{took:?}");
}

fn second_ctrl_c(rounds: usize, limit: u64) {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let mut watcher = Project::new()
            .runs(Stamp::server().ignores_term())
            .start(["--stop-timeout", "20s"])
            .ready();
        watcher.signal(Signal::INT);
        pace_ms(150);
        assert!(watcher.has_ended().is_none());
        let second = monotonic();
        watcher.ends_by(Signal::INT);
        assert!(watcher.left().is_empty(), "left {:?}", watcher.left());
        times.push(ms_since(second));
    }
    let (_, longest) = figures("from the second Ctrl-C to nothing left", &times);
    assert!(longest <= limit, "{times:?}");
}

#[test]
fn a_second_ctrl_c_kills_at_once() {
    second_ctrl_c(3, PROMPT_MS);
}

#[test]
#[ignore = "20 rounds within 200 ms; make torture"]
fn torture_in_time_second_ctrl_c() {
    second_ctrl_c(20, 200);
}

#[test]
fn the_calling_shell_sees_the_signal() {
    let project = Project::new().runs(Stamp::server());
    let mut command = project.in_tree("sh");
    command.args(["-c", "\"$0\" run -- \"$@\"; echo \"status $?\" >&2"]);
    command.arg(project.program_path()).args(project.argv());
    let mut watcher = project.start_as(command).ready();
    let below = processes::descendants(watcher.pid());
    let inner = below.iter().find(|process| process.name == "go-watcher").expect("it");
    processes::send(inner.pid, Signal::TERM);
    watcher.says("status 143");
    watcher.end();
}

/// Under `nohup`, and with INT and QUIT ignored as a shell does it for `&` in a script.
#[test]
fn what_was_ignored_stays_ignored_by_us_and_by_the_command() {
    for (ignored, ending) in [
        (vec![Signal::HUP], Signal::TERM),
        (vec![Signal::INT, Signal::QUIT], Signal::TERM),
        (vec![Signal::TERM], Signal::INT),
    ] {
        let names: Vec<&str> = ignored.iter().map(|signal| name(*signal)).collect();
        let project = Project::new();
        let mut command = project.in_tree("sh");
        let line = format!("trap '' {}; exec \"$0\" run -- cat /proc/self/status", names.join(" "));
        command.args(["-c", &line]).arg(project.program_path());
        let mut watcher = project.start_as(command).watching();
        watcher.says("run 1: exit 0");
        let theirs = processes::signal_set(&watcher.stdout(), "SigIgn");
        let expected: u64 = ignored.iter().map(|signal| 1 << (signal.as_raw() - 1)).sum();
        let standard = (1 << 31) - 1; // the real-time ones are as whoever started the tests has them
        assert_eq!(theirs & standard, expected, "{names:?}: the command ignores {theirs:x}");
        for signal in ignored {
            watcher.signal(signal);
        }
        pace_ms(300);
        assert!(watcher.has_ended().is_none(), "{names:?} ended it");
        watcher.ends_by(ending);
    }
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::HUP => "HUP",
        Signal::INT => "INT",
        Signal::QUIT => "QUIT",
        _ => "TERM",
    }
}

#[test]
fn a_blocked_signal_mask_is_not_handed_on() {
    let Some(python) = python() else { return skip("python3 is not installed") };
    let project = Project::new();
    let program = "import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1])
os.execv(sys.argv[1], sys.argv[1:])";
    let mut command = project.in_tree(python);
    command.args(["-c", program]).arg(project.program_path());
    command.args(["run", "--", "cat", "/proc/self/status"]);
    let mut watcher = project.start_as(command).watching();
    watcher.says("run 1: exit 0");
    assert_eq!(processes::signal_set(&watcher.stdout(), "SigBlk"), 0);
    watcher.ends_by(Signal::TERM);
}
