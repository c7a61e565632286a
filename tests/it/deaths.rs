//! Sudden deaths: of us, of the shim, of both parents. Whatever the command started is gone.

use std::time::Duration;

use crate::harness::*;

/// In these deaths nobody is left to wait politely: a second, and some for a busy machine.
const SOON: Duration = Duration::from_secs(2);

fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A server with a worker in its own session and a handler that takes far too long.
fn running() -> Watcher {
    let command = Stamp::server().graceful(60_000).worker(free_port()).worker_ignores_term();
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(command)
        .start(["--ext", "go", "--stop-timeout", "30s"])
        .ready();
    watcher.wait_for("the worker", || (watcher.ports().0.len() == 1).then_some(()));
    watcher
}

fn stopping() -> Watcher {
    let watcher = running();
    watcher.save("a.go", "1");
    watcher.wait_for("the stop", || watcher.run_log()[0].asked_to_end);
    watcher
}

fn idle() -> Watcher {
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    watcher.says("run 1: exit 0");
    watcher
}

fn killed(rounds: usize) {
    for round in 0..rounds {
        for (state, begin) in
            [("idle", idle as fn() -> Watcher), ("running", running), ("stopping", stopping)]
        {
            let mut watcher = begin();
            watcher.signal(Signal::KILL);
            watcher.end();
            let took = watcher.nothing_left_within(SOON);
            eprintln!("killed while {state}, round {round}: all gone after {took:?}");
        }
    }
}

#[test]
fn killed_by_sigkill_nothing_is_left() {
    killed(2);
}

#[test]
#[ignore = "50 rounds; make torture"]
fn torture_killed_by_sigkill() {
    killed(50);
}

#[test]
fn a_kill_by_our_name_spares_the_shim_which_cleans_up() {
    let mut watcher = running();
    let ours: Vec<_> = processes::tagged(watcher.tag())
        .into_iter()
        .filter(|process| process.name == "go-watcher")
        .collect();
    assert_eq!(ours.len(), 1, "one process has our name: {ours:?}");
    for process in ours {
        processes::send(process.pid, Signal::KILL);
    }
    watcher.end();
    watcher.nothing_left_within(SOON);
}

#[test]
fn a_killed_shim_is_replaced_and_its_tree_is_gone_before_the_next_run() {
    let watcher = running();
    let shim = watcher.shim().expect("a process named gw-shim");
    processes::send(shim.pid, Signal::KILL);
    let old = watcher.run_log()[0].pid;
    watcher.wait_for("the end of its tree", || {
        let left = watcher.left();
        (!left.iter().any(|process| process.pid == old)).then_some(())
    });
    let run = watcher.run_after(|project| project.save("a.go", "1"));
    assert!(run.alone, "{}", watcher.story());
    let runs = watcher.run_count();
    watcher.exactly(runs);
    watcher.signal(Signal::KILL); // its command would take a minute to stop
}

#[test]
fn the_leader_is_killed_and_its_worker_goes_with_the_next_run() {
    let port = free_port();
    let command = Stamp::server().worker(port);
    let watcher = Project::new().file("a.go", "0").runs(command).start(["--ext", "go"]).ready();
    watcher.wait_for("the worker", || (watcher.ports().0.len() == 1).then_some(()));
    processes::send(watcher.run_log()[0].pid, Signal::KILL);
    watcher.says_all(&["[ERROR] run 1", "SIGKILL", "waiting for a change"]);
    let run = watcher.run_after(|project| project.save("a.go", "1"));
    assert!(run.alone, "{}", watcher.story());
    watcher.wait_for("the port", || {
        let (bound, in_use) = watcher.ports();
        assert_eq!(in_use, 0);
        (bound.len() == 2).then_some(())
    });
}

/// Stopped and continued: what happened meanwhile is there, once.
#[test]
fn a_suspended_program_catches_up() {
    let watcher = Project::new().file("a.go", "0").file("b.go", "0").start(["--ext", "go"]).ready();
    watcher.exactly(1);
    watcher.signal(Signal::STOP);
    watcher.save("a.go", "while it slept");
    pace_ms(1500);
    watcher.save("b.go", "while it slept");
    watcher.signal(Signal::CONT);
    let run = watcher.wait_runs(2);
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go", "b.go"]);
    watcher.exactly(2);
}

/// An edit in the very moment of the shim's death: the run it asks for is not lost.
#[test]
fn an_edit_at_the_moment_of_the_shims_death_runs() {
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    for round in 1..=10 {
        // None: it died after the run of the round before had ended, and comes with the next.
        let shim = watcher.shim();
        let kill = || shim.iter().for_each(|shim| processes::send(shim.pid, Signal::KILL));
        let edited = monotonic();
        if round % 2 == 0 {
            kill();
            watcher.save("a.go", format!("{round}"));
        } else {
            watcher.save("a.go", format!("{round}"));
            kill();
        }
        watcher.wait_for(&format!("a run after edit {round}"), || {
            watcher.run_log().last().is_some_and(|run| run.began > edited).then_some(())
        });
        pace(QUIET);
    }
}
