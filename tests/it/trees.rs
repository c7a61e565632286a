//! Nothing is left behind: runs as trees of processes, stopped as a whole before the next one begins.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::*;

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Reloads so many times, each once the worker of the run before has its port; returns the times from
/// edit to new listener in milliseconds, sorted.
fn reload_servers(watcher: &Watcher, reloads: usize) -> Vec<u64> {
    let mut times = Vec::new();
    watcher.wait_for("the first listener", || (watcher.ports().0.len() == 1).then_some(()));
    for round in 1..=reloads {
        pace_ms(5);
        let edited = monotonic();
        watcher.save("a.go", format!("{round}"));
        let bound = watcher.wait_for("the next listener", || {
            let (bound, in_use) = watcher.ports();
            assert_eq!(in_use, 0, "address in use in round {round}\n{}", watcher.story());
            bound.get(round).copied()
        });
        let took = (bound - edited) / 1_000_000;
        assert!(took < 3000, "round {round} took {took} ms\n{}", watcher.story());
        times.push(took);
    }
    let runs = watcher.exactly(1 + reloads);
    assert!(runs.iter().all(|run| run.alone), "two at once\n{}", watcher.story());
    times.sort_unstable();
    times
}

fn server_with_worker(reloads: usize) {
    let port = free_port();
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(Stamp::server().worker(port))
        .start(["--ext", "go"])
        .ready();
    let times = reload_servers(&watcher, reloads);
    let p99 = times[(times.len() * 99).div_ceil(100) - 1];
    eprintln!("{reloads} reloads: median {} ms, p99 {p99} ms", times[times.len() / 2]);
    assert!(p99 <= 1000, "{times:?}");
}

#[test]
fn a_worker_in_a_session_of_its_own_gives_its_port_back() {
    server_with_worker(20);
}

#[test]
#[ignore = "200 reloads; make torture"]
fn torture_a_worker_in_a_session_of_its_own() {
    server_with_worker(200);
}

#[test]
fn a_double_forked_worker_too() {
    let port = free_port();
    let command = Stamp::server().worker(port).double_fork();
    let watcher = Project::new().file("a.go", "0").runs(command).start(["--ext", "go"]).ready();
    reload_servers(&watcher, 10);
}

#[test]
fn a_worker_whose_leader_has_ended_too() {
    let port = free_port();
    let command = Stamp::quick().worker(port).double_fork();
    let watcher = Project::new().file("a.go", "0").runs(command).start(["--ext", "go"]).ready();
    reload_servers(&watcher, 10);
    watcher.says_all(&["[WARN]", "stop.keep"]);
}

#[test]
fn a_worker_that_ignores_sigterm_while_its_leader_dies() {
    let port = free_port();
    let command = Stamp::server().worker(port).worker_ignores_term();
    let flags = ["--ext", "go", "--stop-timeout", "150ms"];
    let watcher = Project::new().file("a.go", "0").runs(command).start(flags).ready();
    reload_servers(&watcher, 8);
}

/// A real server in another language, with a worker that called `setsid`.
#[test]
fn a_python_server_with_a_setsid_worker() {
    let Some(python) = python() else { return skip("python3 is not installed") };
    let port = free_port();
    let program = format!(
        "import os, socket, time
def say(what):
    with open('../out/said', 'a') as log: log.write(what + '\\n')
if os.fork() == 0:
    os.setsid()
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(('127.0.0.1', {port})); s.listen()
    except OSError:
        say('in use'); os._exit(1)
    say('bound')
time.sleep(1000)
"
    );
    let project = Project::new().file("server.py", program.as_bytes());
    let python = python.to_str().unwrap().to_owned();
    let watcher = project.start_exactly(["run", "--", &python, "server.py"]);
    let said = || fs::read_to_string(watcher.outside("said")).unwrap_or_default();
    watcher.says("] watching ");
    for round in 1..=10 {
        watcher.wait_for("the listener", || (said().lines().count() >= round).then_some(()));
        watcher.save("server.py", format!("{program}# {round}\n"));
    }
    watcher.wait_for("the listener", || (said().lines().count() >= 11).then_some(()));
    assert!(!said().contains("in use"), "{}", said());
}

/// The shapes in which people write it down: each graceful handler runs to its end.
#[test]
fn shell_lines_with_servers_in_them() {
    for line in [
        "{}; true",
        "true | {}",
        "{} & wait",
        "({} &) ; sleep 1000",
        "exec {}",
        "sh -c '{}; true'; true",
    ] {
        let watcher = Project::new()
            .file("a.go", "0")
            .runs(Stamp::server().graceful(150))
            .start_shell(line, ["--ext", "go"])
            .ready();
        for round in 1..=4 {
            pace_ms(10);
            watcher.save("a.go", format!("{round}"));
            watcher.wait_runs(1 + round);
        }
        let runs = watcher.exactly(5);
        assert!(runs.iter().all(|run| run.alone), "{line}: two at once\n{}", watcher.story());
        let ended = runs.iter().filter(|run| run.ended.is_some()).count();
        assert_eq!(ended, 4, "{line}: each handler ran to its end\n{}", watcher.story());
    }
}

#[test]
fn a_command_that_ignores_sigterm_is_killed_at_the_grace_time() {
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(Stamp::server().ignores_term())
        .start(["--ext", "go", "--stop-timeout", "500ms"])
        .ready();
    for round in 1..=4 {
        watcher.exactly(round);
        let edited = monotonic();
        let run = watcher.run_after(|project| project.save("a.go", format!("{round}")));
        let waited = (run.began - edited) / 1_000_000;
        assert!((480..1100).contains(&waited), "killed after {waited} ms\n{}", watcher.story());
        assert!(run.alone);
    }
    watcher.says_all(&["[WARN] run 1 had not stopped after 0.5s", "killed", "stop.timeout"]);
}

#[test]
fn the_stop_signal_of_the_file_and_of_the_flag() {
    let line = "trap 'echo int >> ../out/got; exit' INT; trap 'echo usr1 >> ../out/got; exit' USR1; \
                echo start >> ../out/got; while :; do sleep 0.02; done";
    for (config, flags, expected) in [
        ("stop:\n  signal: INT\n", vec![], "int"),
        ("stop:\n  signal: INT\n", vec!["--stop-signal", "SIGUSR1"], "usr1"),
    ] {
        let args = ["run"].into_iter().chain(flags).chain(["--ext", "go", "-e", line]);
        let watcher = Project::new().settings(config).file("a.go", "0").start_exactly(args);
        let got = || fs::read_to_string(watcher.outside("got")).unwrap_or_default();
        watcher.wait_for("the start", || got().contains("start").then_some(()));
        watcher.says("] watching ");
        watcher.save("a.go", "1");
        watcher.wait_for("the next start", || (got().matches("start").count() == 2).then_some(()));
        assert_eq!(got(), format!("start\n{expected}\nstart\n"));
    }
}

#[test]
fn a_stopped_child_gets_its_signal_and_its_handler_runs() {
    for stop in [Signal::STOP, Signal::TTIN, Signal::TTOU] {
        let watcher = Project::new()
            .file("a.go", "0")
            .runs(Stamp::server().graceful(10))
            .start(["--ext", "go"])
            .ready();
        let child = watcher.wait_runs(1).pid;
        processes::send(child, stop);
        watcher.wait_for("the stop", || {
            processes::look(child).is_some_and(|process| process.state == 'T').then_some(())
        });
        let edited = monotonic();
        let run = watcher.run_after(|project| project.save("a.go", "1"));
        let waited = (run.began - edited) / 1_000_000;
        assert!(waited < 1000, "{stop:?}: restarted after {waited} ms");
        assert!(watcher.run_log()[0].ended.is_some(), "{stop:?}: its handler did not run");
    }
}

/// Signal masks, dispositions and descriptors of the command are as a shell would give them.
#[test]
fn what_the_command_inherits() {
    let line = "cat /proc/self/status > ../out/status; ls /proc/self/fd > ../out/fd";
    let watcher = Project::new().start_exactly(["run", "-e", line]);
    watcher.says("run 1: exit 0");
    let status = fs::read_to_string(watcher.outside("status")).unwrap();
    let given = watcher.in_tree("cat").arg("/proc/self/status").output().unwrap().stdout;
    let given = String::from_utf8(given).unwrap();
    // The real-time ones are left out: how the tests spawn a program decides about two of them.
    let set = |status, field| processes::signal_set(status, field) & ((1 << 31) - 1);
    assert_eq!(set(&status, "SigBlk"), 0);
    assert_eq!(set(&status, "SigIgn"), set(&given, "SigIgn"), "as we were given them");
    let descriptors = fs::read_to_string(watcher.outside("fd")).unwrap();
    assert_eq!(descriptors, "0\n1\n2\n3\n", "3 is the directory that ls reads");
}

#[test]
fn standard_input_is_what_was_asked_for() {
    for (config, expected) in [("", "end"), ("stdin: 'null'\n", "end"), ("stdin: open\n", "open")] {
        let watcher =
            Project::new().settings(config).runs(Stamp::quick().notes_stdin()).start([]).ready();
        assert_eq!(watcher.wait_runs(1).stdin.as_deref(), Some(expected), "{config:?}");
    }
}

#[test]
fn a_build_daemon_lives_on_and_an_unknown_one_is_stopped_by_name() {
    let project = Project::new().file("a.go", "0");
    for name in ["sccache", "mydaemon"] {
        fs::copy("/bin/sleep", project.outside(name)).unwrap();
    }
    let line = "for d in sccache mydaemon; do [ -e ../out/$d.on ] || { touch ../out/$d.on; \
                setsid -f ../out/$d 600 </dev/null >/dev/null 2>&1; }; done; {}";
    let mut watcher = project.start_shell(line, ["--ext", "go"]).ready();
    let find =
        |watcher: &Watcher, name: &str| watcher.left().into_iter().find(|left| left.name == name);
    let daemon = watcher
        .wait_for("both daemons", || find(&watcher, "mydaemon").and(find(&watcher, "sccache")));
    watcher.spare(daemon.pid);
    for round in 2..5 {
        watcher.save("a.go", format!("{round}"));
        watcher.wait_runs(round);
    }
    watcher.exactly(4);
    let unknown = find(&watcher, "mydaemon");
    let lives = processes::lives(&daemon);
    watcher.ends_by(Signal::TERM);
    let lives_on = processes::lives(&daemon);
    processes::send(daemon.pid, Signal::KILL);
    assert!(lives, "the daemon is to survive a reload\n{}", watcher.story());
    assert!(lives_on, "the daemon is to survive our end\n{}", watcher.story());
    assert_eq!(unknown, None, "{}", watcher.story());
    watcher.says_all(&["mydaemon", "stop.keep"]);
}

/// The program is rebuilt while it runs, and its directory is made anew.
#[test]
fn the_program_is_replaced_while_it_runs() {
    let project = Project::new().file("a.go", "0");
    let copy = project.outside("go-watcher");
    fs::copy(project.program_path(), &copy).unwrap();
    let watcher = project.program(copy.clone()).start(["--ext", "go"]).ready();
    fs::remove_file(&copy).unwrap();
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(2);
    fs::write(&copy, "something else").unwrap();
    watcher.run_after(|project| project.save("a.go", "2"));
    watcher.exactly(3);
    let shim = watcher.shim().expect("a shim");
    processes::send(shim.pid, Signal::KILL);
    watcher.wait_for("the shim's end", || (!processes::lives(&shim)).then_some(()));
    watcher.run_after(|project| project.save("a.go", "3"));
    watcher.exactly(4);
}

#[test]
fn as_process_one_it_reaps_and_ends() {
    let inside = "go=$1; shift; exec \"$go\" run -- \"$@\"";
    let project = Project::new().file("a.go", "0").runs(Stamp::server().orphans(50));
    let mut probe = project.in_tree("unshare");
    probe.args(["-Urpf", "--mount-proc", "true"]);
    if !probe.status().is_ok_and(|status| status.success()) {
        return skip("no user and pid namespaces here");
    }
    let mut command = project.in_tree("unshare");
    command.args(["-Urpf", "--mount-proc", "--kill-child", "sh", "-c", inside, "sh"]);
    command.arg(project.program_path()).args(project.argv());
    let mut watcher = project.start_as(command).ready();
    let zombies = || {
        let below = processes::descendants(watcher.pid());
        below.into_iter().filter(|process| process.state == 'Z').count()
    };
    pace_ms(100);
    let begun = Instant::now();
    watcher.wait_for("no zombie", || (zombies() == 0).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(3));
    let inner = processes::descendants(watcher.pid());
    let inner = inner.iter().find(|process| process.name == "go-watcher").expect("it");
    processes::send(inner.pid, Signal::TERM);
    let status = watcher.end();
    assert_eq!(status.code(), Some(143), "128 + 15: {status:?}\n{}", watcher.story());
}

#[test]
fn the_same_two_hundred_milliseconds_after_a_crash() {
    let project = Project::new().file("a.go", "0").runs(Stamp::quick().exits(7));
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.says_all(&["[ERROR] run 1: exit 7", "waiting for a change"]);
    watcher.exactly_within(1, Duration::from_secs(1));
    watcher.run_after(|project| project.save("a.go", "1"));
}

#[test]
fn on_crash_exit_ends_with_the_commands_status() {
    let project = Project::new().settings("on_crash: exit\n");
    project.go_watcher(["run", "-e", "exit 7"]).ended_with(7);
}

#[test]
fn on_crash_restart_waits_longer_and_longer_and_an_edit_resets_it() {
    let project = Project::new().settings("on_crash: restart\n").file("a.go", "0");
    let watcher = project.runs(Stamp::quick().exits(1)).start(["--ext", "go"]).ready();
    let runs = {
        watcher.wait_runs(4);
        watcher.run_log()
    };
    let gaps: Vec<u64> =
        runs.windows(2).map(|two| (two[1].began - two[0].began) / 1_000_000).collect();
    for (gap, expected) in gaps.iter().zip([250, 500, 1000]) {
        assert!((expected - 30..expected + 600).contains(gap), "{gaps:?}");
    }
    let before = watcher.run_count();
    let edited = monotonic();
    watcher.save("a.go", "1");
    let run = watcher.wait_runs(before + 1);
    assert!(run.began - edited < 1_000_000_000, "an edit starts at once");
    let next = watcher.wait_runs(before + 2);
    let gap = (next.began - run.began) / 1_000_000;
    assert!((220..900).contains(&gap), "the wait begins anew: {gap} ms");
}
