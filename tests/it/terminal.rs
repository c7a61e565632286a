//! A real terminal: keys, Ctrl-C, job control, and a terminal that is sane afterwards.

use std::time::{Duration, Instant};

use crate::harness::*;

/// A shell in a terminal, and the modes it had.
fn terminal(project: Project) -> Option<(Terminal, String)> {
    let terminal = Terminal::open(project)?;
    let (_, modes) = terminal.back_in_the_shell("before");
    Some((terminal, modes))
}

fn server() -> Project {
    Project::new().file("a.go", "0").runs(Stamp::server().graceful(10))
}

#[test]
fn keys_restart_stop_pause_and_quit() {
    let Some((terminal, modes)) = terminal(server()) else { return };
    terminal.start("--ext go");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    terminal.shows("r restart");
    let pressed = Instant::now();
    terminal.key("r");
    terminal.wait_runs(2);
    assert!(pressed.elapsed() < Duration::from_millis(PROMPT_MS), "{:?}", pressed.elapsed());
    terminal.key("Space");
    terminal.wait_runs(3);
    terminal.key("p");
    terminal.shows("ause");
    terminal.save("a.go", "while it is paused");
    pace(QUIET);
    assert_eq!(terminal.run_count(), 3, "{}", terminal.screen());
    terminal.key("p");
    terminal.wait_runs(4);
    pace_ms(1100); // an s within 1 s after r would be the rest of nodemon's rs
    terminal.key("s");
    terminal.wait_for("the stop", || terminal.run_log()[3].ended);
    terminal.key("?");
    terminal.shows("quit");
    terminal.save("a.go", "watching goes on");
    terminal.wait_runs(5);
    terminal.key("q");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (0, modes));
    assert!(terminal.run_log().iter().all(|run| run.alone && run.ended.is_some()));
}

#[test]
fn rs_is_one_restart() {
    let Some((terminal, _)) = terminal(server()) else { return };
    terminal.start("--ext go");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    terminal.line("rs");
    terminal.wait_runs(2);
    pace(QUIET);
    let runs = terminal.run_log();
    assert!(runs.len() == 2 && runs[1].ended.is_none(), "the s stopped it\n{}", terminal.screen());
    terminal.key("q");
    terminal.back_in_the_shell("after");
}

#[test]
fn without_keys_they_do_nothing() {
    let Some((terminal, _)) = terminal(server()) else { return };
    terminal.start("--ext go --no-keys");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    terminal.line("rq");
    pace(QUIET);
    assert_eq!(terminal.run_count(), 1);
    terminal.key("C-c");
    terminal.back_in_the_shell("after");
}

#[test]
fn ctrl_c_stops_the_server_and_us() {
    let Some((terminal, modes)) = terminal(server()) else { return };
    for round in 1..=3 {
        terminal.start("--ext go");
        terminal.wait_runs(round);
        terminal.wait_for("the walk", || {
            (terminal.screen().matches("] watching .").count() >= round).then_some(())
        });
        terminal.key("C-c");
        let (status, after) = terminal.back_in_the_shell(&format!("after{round}"));
        assert_eq!((status, &after), (130, &modes), "{}", terminal.screen());
    }
    assert!(terminal.run_log().iter().all(|run| run.ended.is_some()), "a handler did not run");
}

fn ctrl_z_and_fg(rounds: usize) {
    let Some((terminal, modes)) = terminal(server()) else { return };
    terminal.start("--ext go");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    let mut random = Random(3);
    for round in 1..=rounds {
        // What comes so soon after each start, always at the same moment, is taken for the run's.
        pace_ms(random.below(400));
        terminal.key("C-z");
        let (_, after) = terminal.back_in_the_shell(&format!("stopped{round}"));
        assert_eq!(after, modes, "the terminal's modes while we are stopped");
        let saving = monotonic();
        terminal.save("a.go", format!("while stopped {round}"));
        let took = ms_since(saving);
        assert!(took < 5000, "a save waited {took} ms for what is stopped");
        terminal.line("clear; fg");
        terminal.wait_runs(1 + round);
    }
    eprintln!("Ctrl-Z and fg with keys: {rounds} of {rounds}");
    terminal.key("q");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (0, modes));
}

#[test]
fn ctrl_z_stops_us_and_fg_goes_on() {
    ctrl_z_and_fg(3);
}

#[test]
#[ignore = "50 rounds; make torture"]
fn torture_ctrl_z_and_fg_with_keys() {
    ctrl_z_and_fg(50);
}

#[test]
fn in_the_background_it_is_never_stopped_by_the_terminal() {
    let Some((terminal, modes)) = terminal(server()) else { return };
    let argv = terminal.argv().into_iter().map(|word| word.into_string().unwrap());
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("{program} run --ext go -- {} &", shell_words::join(argv)));
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    terminal.key("Enter");
    let (_, after) = terminal.back_in_the_shell("while-it-runs");
    assert_eq!(after, modes, "the shell's terminal is as it was");
    terminal.save("a.go", "1");
    terminal.wait_runs(2);
    let watcher = terminal.watcher().expect("it");
    assert_ne!(watcher.state, 'T');
    terminal.line("fg");
    pace_ms(300);
    terminal.key("C-c");
    terminal.back_in_the_shell("after");
}

#[test]
fn a_closed_terminal_ends_everything() {
    let Some((terminal, _)) = terminal(server()) else { return };
    terminal.start("--ext go");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    terminal.close();
    terminal.nothing_left_within(Duration::from_secs(6));
    assert!(terminal.run_log()[0].ended.is_some(), "its handler did not run");
}

#[test]
fn the_terminal_is_sane_after_a_sigkill_of_the_command() {
    let Some((terminal, modes)) = terminal(server()) else { return };
    terminal.start("--ext go");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    processes::send(terminal.run_log()[0].pid, Signal::KILL);
    terminal.shows("SIGKILL");
    terminal.key("r");
    terminal.wait_runs(2);
    terminal.key("q");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (0, modes));
}

#[test]
fn with_stdin_the_command_reads_the_terminal() {
    let Some((terminal, modes)) = terminal(Project::new().file("a.go", "0")) else { return };
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("{program} run --ext go --stdin -- cat"));
    terminal.shows("] watching .");
    terminal.line("hello there");
    terminal.wait_for("the echo and the answer", || {
        (terminal.screen().lines().filter(|line| *line == "hello there").count() >= 2).then_some(())
    });
    terminal.save("a.go", "1");
    terminal.shows("run 2");
    terminal.line("once more");
    terminal.wait_for("the echo and the answer", || {
        (terminal.screen().lines().filter(|line| *line == "once more").count() >= 2).then_some(())
    });
    terminal.key("C-c");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (130, modes), "{}", terminal.screen());
}

#[test]
fn with_stdin_a_program_that_handles_ctrl_c_lives_on() {
    let Some(python) = python() else { return skip("python3 is not installed") };
    let Some((terminal, modes)) = terminal(Project::new().file("a.go", "0")) else { return };
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("{program} run --ext go --stdin -- {} -i -q", python.display()));
    terminal.shows(">>>");
    terminal.line("print(6 * 7, 'first')");
    terminal.shows("42 first");
    terminal.key("C-c");
    terminal.shows("KeyboardInterrupt");
    terminal.line("print(6 * 8, 'second')");
    terminal.shows("48 second");
    terminal.line("exit()");
    terminal.shows("run 1: exit 0");
    terminal.key("C-c");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (130, modes), "{}", terminal.screen());
}

#[test]
fn colours_on_a_terminal_and_none_with_no_color() {
    let Some((terminal, _)) = terminal(server()) else { return };
    // Two statuses: the first line may still be on the screen when the second is waited for.
    for (before, status, coloured) in [("", 3, true), ("NO_COLOR=1 ", 4, false)] {
        let runs = terminal.run_count();
        let program = terminal.program_path().to_str().unwrap().to_owned();
        terminal.line(&format!("clear; {before}{program} run -e 'exit {status}'"));
        let says = format!("exit {status} in");
        terminal.shows(&says);
        let line = terminal.coloured_screen();
        let line = line.lines().find(|line| line.contains(&says)).unwrap_or(&line).to_owned();
        assert_eq!(line.contains('\u{1b}'), coloured, "{line:?}");
        terminal.key("q");
        terminal.back_in_the_shell(&format!("after{runs}{coloured}"));
    }
}

#[test]
fn a_command_that_waits_for_the_terminal_is_named() {
    let Some((terminal, _)) = terminal(Project::new().file("a.go", "0")) else { return };
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("{program} run -e 'read answer < /dev/tty'"));
    terminal.shows("waits for the terminal; start with --stdin");
    terminal.save("a.go", "1");
    terminal.shows("run 2");
    terminal.key("C-c");
    terminal.back_in_the_shell("after");
}

#[test]
fn with_stdin_an_editor_works() {
    if !on_path("vim") {
        return skip("vim is not installed");
    }
    let Some((terminal, modes)) = terminal(Project::new().file("a.go", "0")) else { return };
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("{program} run --ext go --stdin -- vim -N -u NONE ../out/notes.txt"));
    // (The line with the file's name may have one of ours over it.)
    terminal.shows("~    ");
    terminal.key("i");
    terminal.shows("INSERT");
    terminal.line("written in the terminal");
    terminal.key("Escape");
    terminal.line(":wq");
    terminal.shows("run 1: exit 0");
    let written = std::fs::read_to_string(terminal.outside("notes.txt")).unwrap();
    assert!(written.starts_with("written in the terminal\n"), "{written:?}");
    terminal.key("C-c");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (130, modes), "{}", terminal.screen());
}

#[test]
fn clear_begins_each_run_on_an_empty_screen() {
    let Some((terminal, _)) = terminal(server()) else { return };
    terminal.start("--ext go --clear");
    terminal.wait_runs(1);
    terminal.shows("] watching .");
    terminal.save("a.go", "1");
    terminal.wait_runs(2);
    terminal.wait_for("an empty screen but for run 2", || {
        let visible = terminal.coloured_screen();
        (visible.contains("run 2") && !visible.contains("run 1")).then_some(())
    });
    terminal.key("q");
    terminal.back_in_the_shell("after");
}
