//! `--stdin`: programs that read the terminal, in tmux as a person has it.

use std::time::Duration;

use crate::harness::*;

/// A shell in a terminal, with the program started in it, and the modes that the terminal had.
fn started(command: &str) -> Option<(Terminal, String)> {
    let terminal = Terminal::open(Project::new().file("a.go", "0"))?;
    let modes = start(&terminal, command);
    Some((terminal, modes))
}

/// Starts the program in a terminal: the modes that it had.
fn start(terminal: &Terminal, command: &str) -> String {
    let (_, modes) = terminal.back_in_the_shell("before");
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("{program} run --ext go --stdin -- {command}"));
    modes
}

/// The leader of the run: the child of the shim.
fn leader(terminal: &Terminal) -> processes::Process {
    terminal.wait_for("the run's leader", || {
        let all = processes::tagged(terminal.tag());
        let shim = all.iter().find(|one| one.name == "gw-shim")?.pid;
        all.into_iter().find(|one| one.parent == shim && one.name != "go-watcher")
    })
}

/// It is the terminal's foreground group, and (a moment after it has become that) is not stopped.
fn has_the_terminal(terminal: &Terminal, leader: &processes::Process) {
    terminal.wait_for("the foreground", || {
        let goes_on = processes::look(leader.pid).is_some_and(|now| now.state != 'T');
        (goes_on && processes::foreground(leader.pid) == Some(leader.pid)).then_some(())
    });
}

fn python_program(terminal: &Terminal, text: &str) -> Option<String> {
    std::fs::write(terminal.outside("program.py"), text).unwrap();
    Some(format!("{} -u ../out/program.py", python()?.display()))
}

/// Sets raw mode and tells each byte by its number.
const RAW: &str = "import os, sys, termios, tty
tty.setraw(0)
os.write(1, b'raw mode\\r\\n')
while True:
    byte = os.read(0, 1)
    os.write(1, b'byte %d\\r\\n' % byte[0])
    if byte == b'x': sys.exit(0)
";

#[test]
fn cat_and_python_have_the_terminal() {
    let Some((terminal, _)) = started("cat") else { return };
    terminal.shows("] watching .");
    let cat = leader(&terminal);
    has_the_terminal(&terminal, &cat);
    terminal.line("one");
    terminal.wait_for("the answer", || {
        (terminal.screen().lines().filter(|line| *line == "one").count() >= 2).then_some(())
    });
    terminal.key("C-d"); // the end of its input
    terminal.shows("run 1: exit 0");
    terminal.key("C-c");
    assert_eq!(terminal.back_in_the_shell("after").0, 130);
    let Some(python) = python() else { return skip("python3 is not installed") };
    let Some((terminal, modes)) = started(&format!("{} -i -q", python.display())) else { return };
    terminal.shows(">>>");
    let python = leader(&terminal);
    has_the_terminal(&terminal, &python);
    terminal.key("C-c");
    terminal.shows("KeyboardInterrupt");
    has_the_terminal(&terminal, &python);
    terminal.line("import os; os.kill(os.getpid(), 9)");
    terminal.shows("SIGKILL");
    terminal.key("C-c");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (130, modes), "{}", terminal.screen());
}

/// A program in raw mode under `--stdin`: the terminal, its modes before, and the program's process.
fn raw_mode() -> Option<(Terminal, String, processes::Process)> {
    let terminal = Terminal::open(Project::new().file("a.go", "0"))?;
    let Some(line) = python_program(&terminal, RAW) else {
        skip("python3 is not installed");
        return None;
    };
    let modes = start(&terminal, &line);
    terminal.shows("raw mode");
    let leader = leader(&terminal);
    Some((terminal, modes, leader))
}

#[test]
fn a_program_in_raw_mode_reads_and_the_terminal_is_sane_when_it_is_killed() {
    for _ in 0..3 {
        let Some((terminal, modes, raw)) = raw_mode() else { return };
        has_the_terminal(&terminal, &raw);
        terminal.key("C-c"); // in raw mode a byte like any other
        terminal.shows("byte 3");
        terminal.key("C-z");
        terminal.shows("byte 26");
        has_the_terminal(&terminal, &raw);
        processes::send(raw.pid, Signal::KILL);
        terminal.shows("SIGKILL");
        terminal.key("C-c");
        let (status, after) = terminal.back_in_the_shell("after");
        assert_eq!((status, after), (130, modes), "{}", terminal.screen());
        assert!(processes::look(raw.pid).is_none());
    }
}

#[test]
fn an_edit_restarts_a_program_in_raw_mode() {
    let Some((terminal, modes, first)) = raw_mode() else { return };
    terminal.wait_for("the walk", || terminal.screen().contains("] watching .").then_some(()));
    for round in 1..=3 {
        terminal.save("a.go", format!("{round}"));
        terminal.wait_for("the next", || {
            (terminal.screen().matches("raw mode").count() > round).then_some(())
        });
    }
    let last = leader(&terminal);
    assert_ne!(first.pid, last.pid);
    has_the_terminal(&terminal, &last);
    terminal.key("x");
    terminal.shows("exit 0 in");
    terminal.key("C-c");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (130, modes), "{}", terminal.screen());
}

/// Ctrl-Z and `fg`, again and again, on what has the terminal: `cat`.
fn suspended(rounds: usize) {
    let Some((terminal, modes)) = started("cat") else { return };
    terminal.shows("] watching .");
    let cat = leader(&terminal);
    for round in 1..=rounds {
        has_the_terminal(&terminal, &cat);
        terminal.key("C-z");
        let (_, after) = terminal.back_in_the_shell(&format!("stopped{round}"));
        assert_eq!(after, modes, "round {round}: the terminal's modes while it is stopped");
        let state = processes::look(cat.pid).map(|now| now.state);
        assert_eq!(state, Some('T'), "round {round}");
        terminal.line("clear; fg");
        has_the_terminal(&terminal, &cat);
        let said = format!("said{round}");
        terminal.line(&said);
        terminal.wait_for("the answer", || {
            (terminal.screen().lines().filter(|line| *line == said).count() >= 2).then_some(())
        });
    }
    eprintln!("Ctrl-Z and fg: {rounds} of {rounds}");
    terminal.key("C-c");
    let (status, after) = terminal.back_in_the_shell("after");
    assert_eq!((status, after), (130, modes), "{}", terminal.screen());
    terminal.wait_for("its end", || terminal.watcher().is_none().then_some(()));
}

#[test]
fn ctrl_z_suspends_what_has_the_terminal() {
    suspended(3);
}

#[test]
#[ignore = "50 rounds; make torture"]
fn torture_ctrl_z_and_fg() {
    suspended(50);
}

/// A program of the command asks the terminal from the background: it is named once, with the remedy.
fn asks_for_the_terminal(terminal: &Terminal, line: &str, name: &str) {
    let program = terminal.program_path().to_str().unwrap().to_owned();
    terminal.line(&format!("clear; {program} run --ext go -e '{line}; true'"));
    terminal.shows("waits for the terminal; start with --stdin");
    let screen = terminal.screen();
    let said = screen.lines().filter(|line| line.contains("waits for the terminal"));
    let said: Vec<&str> = said.collect();
    eprintln!("{said:?}");
    assert!(said.len() == 1 && said[0].contains(name), "{screen}");
    // It is stopped and started again like any other.
    terminal.shows("] watching .");
    terminal.save("a.go", format!("{}", monotonic()));
    terminal.shows("run 2");
    terminal.wait_for("the next to ask", || {
        (terminal.screen().matches("waits for the terminal").count() >= 2).then_some(())
    });
    terminal.key("C-c");
    assert_eq!(terminal.back_in_the_shell("after").0, 130);
    let left = until(Duration::from_secs(3), || {
        processes::tagged(terminal.tag()).iter().all(|one| one.name != name).then_some(())
    });
    assert!(left.is_some(), "{name} is left");
}

/// The real `ssh` asks whether the host is known; the host is a daemon on a pipe.
#[test]
fn ssh_asks_the_terminal_from_the_background() {
    let daemon = "/usr/sbin/sshd";
    if !on_path("ssh") || !std::path::Path::new(daemon).is_file() {
        return skip("ssh and sshd are not installed");
    }
    let Some(terminal) = Terminal::open(Project::new().file("a.go", "0")) else { return };
    let key = terminal.outside("host-key").to_str().unwrap().to_owned();
    let made = terminal.in_tree("ssh-keygen").args(["-q", "-N", "", "-f", &key]).status();
    assert!(made.unwrap().success());
    let runs = std::process::Command::new(daemon)
        .args(["-t", "-f", "/dev/null", "-h", &key])
        .status()
        .unwrap();
    if !runs.success() {
        return skip("sshd does not run here");
    }
    let proxy = format!("{daemon} -i -f /dev/null -h {key}");
    let line = format!("ssh -o ProxyCommand=\"{proxy}\" -o UserKnownHostsFile=/dev/null nowhere");
    asks_for_the_terminal(&terminal, &line, "ssh");
}

/// Where there is no daemon: the same code asks for the passphrase of a key.
#[test]
fn ssh_keygen_asks_the_terminal_from_the_background() {
    if !on_path("ssh-keygen") {
        return skip("ssh-keygen is not installed");
    }
    let Some(terminal) = Terminal::open(Project::new().file("a.go", "0")) else { return };
    let key = terminal.outside("key").to_str().unwrap().to_owned();
    let made = terminal.in_tree("ssh-keygen").args(["-q", "-N", "secret", "-f", &key]).status();
    assert!(made.unwrap().success());
    asks_for_the_terminal(&terminal, &format!("ssh-keygen -y -f {key}"), "ssh-keygen");
}
