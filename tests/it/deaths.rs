//! Sudden deaths: of us, of the shim, of both parents. Whatever the command started is gone.

use std::time::Duration;

use crate::harness::*;

/// In these deaths nobody is left to wait politely: a second, and some for a busy machine.
const SOON: Duration = Duration::from_secs(2);

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

/// How it comes about that nobody of us is left to clean up.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// The program gets SIGKILL.
    Program,
    /// Everything that bears the program's name does, as by `killall -9 go-watcher`.
    ByName,
    /// The shim does.
    Shim,
}

impl Death {
    /// Kills, and waits until nothing of the command is left; in milliseconds.
    fn comes_to(self, watcher: &mut Watcher) -> u64 {
        let victims: Vec<u32> = match self {
            Death::Program => vec![watcher.pid()],
            Death::ByName => {
                let all = processes::tagged(watcher.tag()).into_iter();
                all.filter(|one| one.name == "go-watcher").map(|one| one.pid).collect()
            }
            Death::Shim => vec![watcher.shim().expect("a shim").pid],
        };
        assert_eq!(victims.len(), 1, "{self:?}: one process of this name");
        let before = watcher.left();
        let killed = monotonic();
        victims.into_iter().for_each(|pid| processes::send(pid, Signal::KILL));
        if !matches!(self, Death::Shim) {
            watcher.end();
        }
        watcher.wait_for("the end of everything", || {
            // After the shim's death the next run may be there already.
            let gone = !before.iter().any(processes::lives);
            (gone && (matches!(self, Death::Shim) || watcher.left().is_empty())).then_some(())
        });
        ms_since(killed)
    }
}

fn killed(rounds: usize, limit: u64) {
    for death in [Death::Program, Death::ByName, Death::Shim] {
        for (state, begin) in
            [("idle", idle as fn() -> Watcher), ("running", running), ("stopping", stopping)]
        {
            let mut times = Vec::new();
            for _ in 0..rounds {
                let mut watcher = begin();
                times.push(death.comes_to(&mut watcher));
                if matches!(death, Death::Shim) {
                    // What is left is a program that goes on.
                    watcher.save("a.go", "the next");
                    watcher.wait_runs(2);
                    watcher.signal(Signal::KILL); // its command would take a minute to stop
                }
            }
            let (_, longest) = figures(&format!("{death:?} killed while {state}"), &times);
            assert!(longest <= limit, "{times:?}");
        }
    }
}

#[test]
fn killed_by_sigkill_nothing_is_left() {
    killed(1, 2000);
}

#[test]
#[ignore = "50 rounds of each; make torture"]
fn torture_killed_by_sigkill() {
    killed(50, 1000);
}

/// A shim that somebody stops goes on at once: a stopped one would start nothing and stop nothing.
#[test]
fn a_stopped_shim_goes_on() {
    let watcher =
        Project::new().file("a.go", "0").runs(Stamp::server()).start(["--ext", "go"]).ready();
    let shim = watcher.shim().expect("a shim").pid;
    let mut times = Vec::new();
    for round in 1..=10 {
        watcher.asked();
        processes::send(shim, Signal::STOP);
        let edited = monotonic();
        let run = watcher.run_after(|project| project.save("a.go", format!("{round}")));
        times.push((run.began - edited) / 1_000_000);
        assert!(run.alone, "{}", watcher.story());
    }
    let (_, longest) = figures("from edit to the next run, the shim stopped", &times);
    assert!(longest <= PROMPT_MS, "{times:?}");
    watcher.exactly(11);
    assert_eq!(watcher.shim().map(|shim| shim.pid), Some(shim), "the same shim");
    // In the middle of our own end: the tree is gone all the same.
    processes::send(shim, Signal::STOP);
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

/// We are killed while the shim is stopped: the kernel wakes it, and it cleans up.
#[test]
fn killed_while_the_shim_is_stopped_nothing_is_left() {
    let mut watcher = running();
    processes::send(watcher.shim().expect("a shim").pid, Signal::STOP);
    watcher.signal(Signal::KILL);
    watcher.end();
    watcher.nothing_left_within(SOON);
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

/// Changes while it was stopped.
const MANY: usize = 400;

/// Stopped and continued: what happened meanwhile is there, once.
#[test]
fn a_suspended_program_catches_up() {
    let watcher = Project::new().file("a.go", "0").file("b.go", "0").start(["--ext", "go"]).ready();
    watcher.exactly(1);
    watcher.suspend();
    watcher.save("a.go", "while it slept");
    pace_ms(1500);
    watcher.save("b.go", "while it slept");
    watcher.signal(Signal::CONT);
    let run = watcher.wait_runs(2);
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go", "b.go"]);
    watcher.exactly(2);
    // Many take the system a while to hand on.
    let path = |n| format!("{n:04}.go");
    watcher.suspend();
    (0..MANY).for_each(|n| watcher.save_new(path(n), "0"));
    watcher.signal(Signal::CONT);
    let run = watcher.wait_runs(3);
    assert_eq!(run.changed_below(&watcher.tree()), (0..MANY).map(path).collect::<Vec<_>>());
    watcher.exactly(3);
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
