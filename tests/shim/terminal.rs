//! A real terminal: the foreground, the modes, keys, Ctrl-C and Ctrl-Z.

use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OutputModes};

use crate::cases;
use crate::pty::Pty;
use crate::support::{figures, reaps, signal, state, until};

cases![
    a_run_reads_the_terminal_and_ctrl_c_ends_both,
    who_handles_ctrl_c_lives_on,
    the_terminal_is_sane_after_a_killed_run,
    ctrl_z_and_fg_again_and_again,
    keys_are_single_and_the_modes_come_back,
    ctrl_z_with_keys_gives_the_shell_its_modes,
    a_panic_gives_the_modes_back,
    from_the_background_nothing_touches_the_terminal,
    a_closed_terminal_ends_everything,
    a_run_that_asks_the_terminal_from_the_background_is_reported,
    an_editor_edits_and_can_be_suspended,
    a_new_build_on_disk_does_not_matter,
];

async fn shell_modes(pty: &mut Pty) -> String {
    pty.settle().await;
    pty.ask("stty -g").await
}

async fn a_run_reads_the_terminal_and_ctrl_c_ends_both() {
    let mut pty = Pty::new("cat").await;
    let before = shell_modes(&mut pty).await;
    pty.line("mini terminal cat");
    pty.logs("Started", 1).await;
    assert_eq!(pty.foreground(), pty.leader());
    pty.line("hello there");
    pty.sees("hello there").await;
    assert_ne!(state(pty.leader()), Some('T'));
    pty.write("\x03");
    pty.logs("Typed(Signal(2))", 1).await;
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn who_handles_ctrl_c_lives_on() {
    let mut pty = Pty::new("python").await;
    pty.line("mini terminal python3 -i -q");
    pty.sees(">>> ").await;
    // Python writes the prompt before it looks for signals.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let leader = pty.leader();
    pty.write("\x03");
    pty.sees("KeyboardInterrupt").await;
    pty.line("print(6 * 7 * 1000)");
    pty.sees("42000").await;
    assert_ne!(state(leader), Some('T'));
    pty.line("exit()");
    pty.logs("Gone", 1).await;
    // Now the terminal, and Ctrl-C, are ours.
    assert!(!pty.log().contains("Typed"));
    pty.write("\x03");
    pty.logs("signal 2", 1).await;
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    pty.end().await;
}

async fn the_terminal_is_sane_after_a_killed_run() {
    let mut pty = Pty::new("raw").await;
    let before = shell_modes(&mut pty).await;
    let script = "import os,tty,time; tty.setraw(0); print('raw', flush=True); time.sleep(1000)";
    pty.line(&format!("mini terminal python3 -c \"{script}\""));
    pty.sees("raw").await;
    assert!(!pty.modes().output_modes.contains(OutputModes::OPOST));
    signal(pty.leader(), "KILL");
    pty.logs("Gone", 1).await;
    assert!(pty.modes().output_modes.contains(OutputModes::OPOST));
    pty.write("\x03");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    assert_eq!(shell_modes(&mut pty).await, before);
    // The same when the shim is killed.
    pty.line(&format!("mini terminal python3 -c \"{script}\""));
    pty.logs("Started", 2).await;
    until("raw mode", || (!pty.modes().output_modes.contains(OutputModes::OPOST)).then_some(()))
        .await;
    let parent = std::fs::read_to_string(format!("/proc/{}/stat", pty.leader())).unwrap();
    let shim = parent.rsplit(") ").next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    signal(shim, "KILL");
    pty.logs("HostLost", 1).await;
    pty.write("\x03");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn ctrl_z_and_fg_again_and_again() {
    let mut pty = Pty::new("suspend").await;
    let before = shell_modes(&mut pty).await;
    // The run changes the modes, as an editor does.
    let script = "import sys,termios,tty; tty.setcbreak(0)\nfor c in iter(lambda: sys.stdin.read(1), ''): print('got', c * 3, flush=True)";
    std::fs::write(pty.directory.path().join("s.py"), script).unwrap();
    pty.line("mini terminal python3 -u s.py");
    pty.logs("Started", 1).await;
    until("cbreak", || (!pty.modes().local_modes.contains(LocalModes::ICANON)).then_some(())).await;
    let leader = pty.leader();
    for round in 0..20_u8 {
        let letter = char::from(b'a' + round);
        pty.write(&letter.to_string());
        pty.sees(&format!("got {letter}{letter}{letter}")).await;
        assert_eq!(pty.foreground(), leader, "round {round}");
        pty.write("\x1a");
        pty.back().await;
        assert_eq!(shell_modes(&mut pty).await, before, "round {round}");
        assert_eq!(state(leader), Some('T'));
        pty.line("fg");
        pty.gives(leader).await;
        until("cbreak", || (!pty.modes().local_modes.contains(LocalModes::ICANON)).then_some(()))
            .await;
    }
    // Into the background and back.
    pty.write("\x1a");
    pty.back().await;
    pty.line("bg");
    pty.settle().await;
    assert_ne!(pty.foreground(), leader);
    // This shell does not tell a running job that it is in the foreground: a typed line does, if it has not been
    // noticed by then.
    pty.line("fg");
    let ours = [pty.mini(), leader];
    until("the terminal", || ours.contains(&pty.foreground()).then_some(())).await;
    pty.write("z\n");
    pty.gives(leader).await;
    pty.sees("got zzz").await;
    pty.write("\x03");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn keys_are_single_and_the_modes_come_back() {
    let mut pty = Pty::new("keys").await;
    let before = shell_modes(&mut pty).await;
    pty.line("mini keys sleep 1000");
    pty.logs("Started", 1).await;
    until("cbreak", || (!pty.modes().local_modes.contains(LocalModes::ICANON)).then_some(())).await;
    let modes = pty.modes();
    assert!(!modes.local_modes.contains(LocalModes::ECHO));
    assert!(modes.local_modes.contains(LocalModes::ISIG));
    assert!(modes.output_modes.contains(OutputModes::OPOST));
    let mut times = Vec::new();
    for round in 0..20 {
        let start = Instant::now();
        pty.write(" ");
        pty.logs("Started", round + 2).await;
        times.push(start.elapsed());
    }
    let (_, high) = figures("from a key to the new process", times);
    assert!(high < crate::support::at_most(50));
    pty.write("rs?p\n");
    pty.logs("key Enter", 1).await;
    assert!(pty.log().contains("key Restart\n"));
    assert!(pty.log().contains("key Help\nkey Pause\nkey Enter\n"), "{}", pty.log());
    assert!(!pty.log().contains("key Stop"));
    // A run that is killed leaves single keys on.
    pty.logs("Started", 22).await;
    signal(pty.leader(), "KILL");
    pty.logs("Gone", 22).await;
    assert!(!pty.modes().local_modes.contains(LocalModes::ICANON));
    pty.write("q");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 0");
    pty.line("stty -echo");
    assert_eq!(shell_modes(&mut pty).await, before);
    // And at the end by a signal.
    pty.line("mini keys sleep 1000");
    pty.logs("Started", 23).await;
    pty.write("\x03");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn ctrl_z_with_keys_gives_the_shell_its_modes() {
    let mut pty = Pty::new("keys-suspend").await;
    let before = shell_modes(&mut pty).await;
    pty.line("mini keys sleep 1000");
    pty.logs("Started", 1).await;
    let leader = pty.leader();
    let single = |pty: &Pty| !pty.modes().local_modes.contains(LocalModes::ICANON);
    for _ in 0..10 {
        until("single keys", || single(&pty).then_some(())).await;
        pty.write("\x1a");
        pty.back().await;
        assert_eq!(shell_modes(&mut pty).await, before);
        until("the run goes on", || (state(leader) == Some('S')).then_some(())).await;
        pty.line("fg");
    }
    until("single keys", || single(&pty).then_some(())).await;
    // Continued in the background it leaves the terminal alone.
    pty.write("\x1a");
    pty.back().await;
    pty.line("bg");
    pty.settle().await;
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.line("fg");
    pty.gives(pty.mini()).await;
    pty.write("\n");
    until("single keys", || single(&pty).then_some(())).await;
    pty.write("q");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 0");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn a_panic_gives_the_modes_back() {
    let mut pty = Pty::new("panic").await;
    let before = shell_modes(&mut pty).await;
    pty.line("mini keys sleep 1000");
    pty.logs("Started", 1).await;
    until("cbreak", || (!pty.modes().local_modes.contains(LocalModes::ICANON)).then_some(())).await;
    pty.write("c");
    pty.sees("on purpose").await;
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 101");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn from_the_background_nothing_touches_the_terminal() {
    let mut pty = Pty::new("background").await;
    // Background output would stop it, were it not for its care.
    pty.line("stty tostop");
    let before = shell_modes(&mut pty).await;
    for (at, mode) in ["keys", "terminal", "null"].into_iter().enumerate() {
        pty.line(&format!("mini {mode} sleep 1000 &"));
        pty.logs("Started", at + 1).await;
        let pid: u32 = pty.ask("echo $!").await.parse().unwrap();
        assert_ne!(pty.foreground(), pty.leader());
        assert_eq!(shell_modes(&mut pty).await, before, "{mode}");
        assert_ne!(state(pid), Some('T'), "{mode}");
        pty.line("kill %1; wait %1");
        pty.logs("Gone", at + 1).await;
        pty.settle().await;
    }
    pty.end().await;
}

async fn a_closed_terminal_ends_everything() {
    for (at, mode) in ["keys", "null", "terminal"].into_iter().enumerate() {
        for command in ["sleep 1000", "sh -c 'trap \"\" HUP; while :; do sleep 0.1; done'"] {
            let mut pty = Pty::new(&format!("close-{at}-{}", command.len())).await;
            pty.line(&format!("mini {mode} {command}"));
            pty.logs("Started", 1).await;
            pty.close().await;
        }
    }
    let mut pty = Pty::new("lost").await;
    pty.line("mini terminal sleep 1000");
    pty.logs("Started", 1).await;
    pty.lose_shell().await;
}

async fn a_run_that_asks_the_terminal_from_the_background_is_reported() {
    let mut pty = Pty::new("tty").await;
    pty.line("mini null sh -c 'sleep 1000 | cat /dev/tty | cat'");
    pty.logs("WaitsForTerminal", 1).await;
    let log = pty.log();
    let line = log.lines().find(|line| line.contains("WaitsForTerminal")).unwrap();
    let name = if reaps() { "cat" } else { "sh" };
    assert!(line.contains(&format!("name: \"{name}\"")), "{line}");
    pty.write("\x03");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    pty.end().await;
}

async fn an_editor_edits_and_can_be_suspended() {
    let mut pty = Pty::new("vim").await;
    let before = shell_modes(&mut pty).await;
    pty.line("mini terminal vim -u NONE -N -i NONE file");
    pty.sees("\"file\"").await;
    pty.write("ihello\x1b\x1a");
    pty.back().await;
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.line("fg");
    pty.gives(pty.leader()).await;
    until("it goes on", || (state(pty.leader()) != Some('T')).then_some(())).await;
    pty.write(":wq\r");
    pty.logs("Exited { run: RunId(1), ended: Exit(0)", 1).await;
    let text = std::fs::read_to_string(pty.directory.path().join("file")).unwrap();
    assert_eq!(text, "hello\n");
    pty.write("\x03");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 130");
    assert_eq!(shell_modes(&mut pty).await, before);
    pty.end().await;
}

async fn a_new_build_on_disk_does_not_matter() {
    let mut pty = Pty::new("build").await;
    pty.line("cp \"$MINI\" copy; MINI=$PWD/copy; mini keys sleep 1000");
    pty.logs("Started", 1).await;
    std::fs::remove_file(pty.directory.path().join("copy")).unwrap();
    std::fs::write(pty.directory.path().join("copy"), "another build").unwrap();
    // Also a new shim starts as before.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pty.leader())).unwrap();
    let shim = stat.rsplit(") ").next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    signal(shim, "KILL");
    pty.logs("HostLost", 1).await;
    for round in 0..2 {
        pty.write("r");
        pty.logs("Started", 2 + round).await;
    }
    pty.write("q");
    pty.back().await;
    assert_eq!(pty.ask("echo status $?").await, "status 0");
    pty.end().await;
}
