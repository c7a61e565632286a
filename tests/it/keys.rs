//! Single keys, on the program itself: each does what it says, at once, and leaves the terminal as it was.

use std::time::Duration;

use crate::harness::*;

fn start(project: Project, flags: &[&str]) -> Option<Pty> {
    let argv: Vec<String> =
        project.argv().into_iter().map(|word| word.into_string().unwrap()).collect();
    let mut args = flags.to_vec();
    args.extend(["--ext", "go", "--"]);
    args.extend(argv.iter().map(String::as_str));
    let pty = Pty::start(project, &args, true)?;
    pty.wait_runs(1);
    pty.shows("] watching .");
    Some(pty)
}

/// Presses a key, waits for what it is to bring about, and notes how long that took.
fn press(pty: &Pty, key: &str, times: &mut Vec<u64>, brings: impl Fn() -> bool) {
    let pressed = monotonic();
    pty.types(key);
    pty.wait_for(&format!("what {key:?} brings about"), || brings().then_some(()));
    times.push(ms_since(pressed));
}

fn each_key(rounds: usize, limit: u64) {
    let project = Project::new().file("a.go", "0").runs(Stamp::server().graceful(0));
    let Some(mut pty) = start(project, &[]) else { return };
    let mut times = Vec::new();
    let count = |text: &str| pty.seen().matches(text).count();
    for _ in 0..rounds {
        assert!(pty.is_single_keys());
        for key in ["r", " "] {
            let runs = pty.run_count();
            press(&pty, key, &mut times, || pty.run_count() == runs + 1);
        }
        for text in ["aused", "esumed"] {
            let before = count(text);
            press(&pty, "p", &mut times, || count(text) > before);
        }
        let before = count("\x1b[2J");
        press(&pty, "c", &mut times, || count("\x1b[2J") > before);
        let before = count("clear the screen");
        press(&pty, "?", &mut times, || count("clear the screen") > before);
        let before = pty.seen().len();
        press(&pty, "\r", &mut times, || pty.seen().len() > before);
        assert!(pty.seen()[before..].starts_with("\r\n"), "{:?}", &pty.seen()[before..]);
        let last = pty.run_count() - 1;
        press(&pty, "s", &mut times, || pty.run_log()[last].ended.is_some());
        pty.wait_for("the end of the stop", || pty.left().len().eq(&1).then_some(()));
        let runs = pty.run_count();
        pty.types("r");
        pty.wait_runs(runs + 1);
        pace_ms(20);
    }
    let pressed = monotonic();
    pty.types("q");
    assert_eq!(pty.end(), 0);
    times.push(ms_since(pressed));
    let (_, longest) = figures("from a key to what it brings about", &times);
    assert!(longest <= limit, "{times:?}");
    assert!(pty.is_sane(), "the terminal's modes after the end");
}

#[test]
fn each_key_does_what_it_says() {
    each_key(2, PROMPT_MS);
}

#[test]
#[ignore = "20 rounds within 50 ms; make torture"]
fn torture_in_time_each_key() {
    each_key(20, 50);
}

#[test]
fn resuming_runs_once_and_says_what_changed() {
    let Some(mut pty) = start(Project::new().file("a.go", "0").file("b.go", "0"), &[]) else {
        return;
    };
    pty.types("p");
    pty.shows("aused");
    for round in 0..3 {
        pty.save("a.go", format!("{round}"));
        pty.save("b.go", format!("{round}"));
        pace_ms(60);
    }
    pace(QUIET);
    assert_eq!(pty.run_count(), 1, "{}", pty.seen());
    pty.types("p");
    pty.wait_runs(2);
    pace(QUIET);
    assert_eq!(pty.run_count(), 2, "once: {}", pty.seen());
    let seen = pty.seen();
    let resumed = seen.lines().find(|line| line.contains("esumed")).expect("a line");
    assert!(resumed.contains("a.go"), "it says what changed: {resumed:?}");
    assert_eq!(pty.run_log()[1].changed_below(&pty.tree()), ["a.go", "b.go"]);
    pty.types("p");
    pty.wait_for("the pause", || (pty.seen().matches("aused").count() >= 2).then_some(()));
    pty.types("p");
    pace(QUIET);
    assert_eq!(pty.run_count(), 2, "nothing had changed: {}", pty.seen());
    pty.types("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn while_it_stops_r_kills_now_and_the_slow_stop_is_said() {
    let project = Project::new().file("a.go", "0").runs(Stamp::server().graceful(60_000));
    let Some(mut pty) = start(project, &["--stop-timeout", "30s"]) else { return };
    let pid = pty.run_log()[0].pid;
    let edited = monotonic();
    pty.save("a.go", "1");
    pty.shows("s after SIGTERM: pid"); // "1s", or "1.1s" on a busy machine
    let said = ms_since(edited);
    let seen = pty.seen();
    let line = seen.lines().find(|line| line.contains("has not stopped")).expect("it");
    eprintln!("after {said} ms: {line:?}");
    assert!((950..950 + PROMPT_MS).contains(&said), "said after {said} ms");
    for part in [&format!("pid {pid} "), "stamp", "SIGKILL in 2", "stop.timeout: 30s"] {
        assert!(line.contains(part), "{part:?} in {line:?}");
    }
    let mut times = Vec::new();
    press(&pty, "r", &mut times, || pty.run_count() == 2);
    figures("from r while stopping to the next run", &times);
    assert!(times[0] < PROMPT_MS, "{times:?}");
    assert!(pty.run_log()[1].alone);
    assert_eq!(pty.seen().matches("has not stopped").count(), 1, "said once");
    pty.types("\x03");
    pty.wait_for("the next stop", || pty.run_log()[1].asked_to_end);
    pty.types("\x03");
    assert_eq!(pty.end(), 130);
}

/// By the flag and by the file; also the rest of nodemon's `rs` when keys are on.
#[test]
fn keys_can_be_switched_off() {
    let server = || Project::new().file("a.go", "0").runs(Stamp::server());
    for (project, flags) in
        [(server(), &["--no-keys"][..]), (server().settings("keys: false\n"), &[])]
    {
        let Some(pty) = start(project, flags) else { return };
        assert!(pty.is_sane(), "the terminal is left alone");
        pty.types("r q\n");
        pace(QUIET);
        assert_eq!(pty.run_count(), 1, "{}", pty.seen());
        pty.types("\x03");
    }
    let Some(pty) = start(server(), &[]) else { return };
    pty.types("rs");
    pty.wait_runs(2);
    pace(QUIET);
    assert!(pty.run_count() == 2 && processes::look(pty.run_log()[1].pid).is_some(), "only r");
    pace(Duration::from_millis(700)); // over a second after the r
    pty.types("s");
    let pid = pty.run_log()[1].pid;
    pty.wait_for("the stop", || processes::look(pid).is_none().then_some(()));
}

/// After SIGKILL of the command, single keys are on; after ours, the next program can set the terminal.
#[test]
fn the_modes_after_sudden_ends() {
    let project = Project::new().file("a.go", "0").runs(Stamp::server());
    let Some(mut pty) = start(project, &[]) else { return };
    processes::send(pty.run_log()[0].pid, Signal::KILL);
    pty.shows("SIGKILL");
    assert!(pty.is_single_keys(), "keys go on");
    pty.types("r");
    pty.wait_runs(2);
    pty.types("\x03");
    assert_eq!(pty.end(), 130);
    assert!(pty.is_sane());
}
