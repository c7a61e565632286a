//! The reference lines, and what is never on stderr.

use std::os::unix::process::CommandExt;
use std::process::Stdio;

use crate::harness::*;

#[test]
fn the_two_start_lines() {
    let watcher = Project::new()
        .config("watcher:\n  included_filetypes: [.go]\n")
        .file("a.go", "0")
        .file("sub/b.go", "0")
        .file("node_modules/x/index.js", "0")
        .file("dist/app.js", "0")
        .file(".gitignore", "# ours\n\ndist/\n")
        .start_exactly(["run", "-e", "true"]);
    watcher.matches(r"^\[INFO\] run 1: true   \(config\.yml.*\)$");
    let line =
        watcher.matches(r"^\[INFO\] watching \. for \.go: \d+ director(y|ies); ignored: .*$");
    assert!(line.contains("node_modules (built-in)"), "{line}");
    assert!(line.contains("dist/ (.gitignore:3)"), "{line}");
}

#[test]
fn types_are_shown_with_their_dot() {
    let watcher = Project::new().start_exactly(["run", "--ext", "go,html", "-e", "true"]);
    watcher.matches(r"^\[INFO\] watching \. for \.go,? \.html: 1 directory$");
}

#[test]
fn a_reload_names_time_cause_and_run() {
    let watcher = Project::new()
        .file("a.go", "0")
        .file("b.go", "0")
        .start_exactly(["run", "-d", "150", "-e", "true"]);
    watcher.says("] watching ");
    watcher.says("run 1: exit 0");
    watcher.save("a.go", "1");
    watcher.matches(r"^\[INFO\] \d\d:\d\d:\d\d changed a\.go: run 2$");
    watcher.matches(r"^\[INFO\] run 2: exit 0 in \S+$");
    for name in ["a.go", "b.go", "c.go", "d.go"] {
        watcher.save(name, "together");
    }
    watcher.matches(r"^\[INFO\] \d\d:\d\d:\d\d changed \S+ \(\+3\): run 3$");
}

#[test]
fn how_a_run_ended() {
    let rows: &[(&str, &str)] = &[
        ("exit 0", r"^\[INFO\] run 1: exit 0 in \S+$"),
        ("exit 1", r"^\[ERROR\] run 1: exit 1 in \S+; waiting for a change"),
        ("kill -SEGV $$", r"^\[ERROR\] run 1: .*SIGSEGV.*; waiting for a change"),
        (
            "sh -c 'kill -SEGV $$'; exit $?",
            r"^\[ERROR\] run 1: exit 139 \(SIGSEGV\) (in|after) \S+; waiting",
        ),
        (
            "no-such-program-anywhere",
            r"^\[ERROR\] run 1: exit 127 .*(not found|no such).*; waiting",
        ),
        ("./a.txt", r"^\[ERROR\] run 1: exit 126 .*(permission|execut).*; waiting"),
    ];
    for (line, pattern) in rows {
        let watcher = Project::new().file("a.txt", "").start_exactly(["run", "-e", line]);
        watcher.matches(pattern);
    }
}

#[test]
fn quiet_says_warnings_and_errors_only() {
    let watcher = Project::new().file("a.go", "0").start_exactly(["run", "-q", "-e", "exit 3"]);
    watcher.says("[ERROR] run 1: exit 3");
    assert_eq!(watcher.count_lines("[INFO]"), 0, "{}", watcher.story());
    let watcher = Project::new().file("a.go", "0").start(["-q"]);
    watcher.wait_runs(1);
    watcher.wait_for("a reload", || {
        watcher.save("a.go", format!("{}", monotonic()));
        pace_ms(200);
        (watcher.run_count() >= 2).then_some(())
    });
    assert!(watcher.lines().is_empty(), "{}", watcher.story());
}

#[test]
fn verbose_names_directories_and_skipped_paths_with_their_rules() {
    let watcher = Project::new()
        .config("watcher:\n  included_filetypes:\n  - .go\n")
        .file("sub/a.go", "0")
        .file(".gitignore", "*_gen.go\n")
        .file("node_modules/x/index.js", "0")
        .start(["-v"])
        .ready();
    watcher.matches(r"sub");
    watcher.says_all(&["node_modules", "built-in"]);
    watcher.save("api_gen.go", "1");
    watcher.matches(r"^\[INFO\] ignored api_gen\.go: \.gitignore:1 .\*_gen\.go.; to watch it: -i '!api_gen\.go'$");
    watcher.save("page.html", "1");
    watcher.matches(
        r"^\[INFO\] ignored page\.html: \.html is not in included_filetypes \(config\.yml:\d+\)$",
    );
}

#[test]
fn colour_only_when_asked_for_or_on_a_terminal() {
    let coloured = |flags: &[&str], no_color: bool| {
        let mut project = Project::new().file("a.go", "0");
        if no_color {
            project = project.env("NO_COLOR", "1");
        }
        let args: Vec<&str> =
            ["run"].into_iter().chain(flags.iter().copied()).chain(["-e", "exit 4"]).collect();
        let watcher = project.start_exactly(args);
        watcher.says("exit 4");
        watcher.says("watching");
        watcher.lines().iter().any(|line| line.contains('\u{1b}'))
    };
    assert!(!coloured(&[], false));
    assert!(!coloured(&["--color", "never"], false));
    assert!(coloured(&["--color", "always"], false));
    assert!(!coloured(&[], true));
}

#[test]
fn a_slow_stop_says_what_it_waits_for() {
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(Stamp::server().graceful(1600))
        .start(["--stop-timeout", "6s"])
        .ready();
    watcher.run_after(|project| project.save("a.go", "1"));
    let line = watcher.matches(r"^\[INFO\] run 1 has not stopped [\d.]+s after SIGTERM: pid \d+ .*SIGKILL in \S+.*stop\.timeout: 6s");
    assert!(line.contains("stamp"), "{line}");
    watcher.exactly(2);
}

#[test]
fn outside_names_reach_stderr_escaped() {
    let watcher = Project::new().start([]).ready();
    let mut expected = 1;
    for name in
        ["esc\u{1b}[31m.txt", "line\nbreak.txt", "bidi\u{202e}txt.exe", "tab\t.txt", "bell\u{7}"]
    {
        watcher.save(name, "1");
        expected += 1;
        watcher.wait_runs(expected);
        watcher.exactly(expected);
    }
    watcher.says(&format!("run {expected}"));
    for line in watcher.lines() {
        assert!(!line.contains(['\u{1b}', '\u{202e}', '\t', '\u{7}']), "{line:?}");
        assert!(line.starts_with('[') || line.starts_with("       "), "{line:?}");
    }
    watcher.save("日本語🦀.txt", "1");
    watcher.says("日本語🦀.txt");
}

#[test]
fn the_commands_own_output_is_untouched() {
    let watcher =
        Project::new().start_exactly(["run", "-e", r"printf 'a\000\033[1mb\377\n'; echo err >&2"]);
    watcher.says("run 1: exit 0");
    assert_eq!(std::fs::read(watcher.outside("stdout")).unwrap(), b"a\0\x1b[1mb\xff\n");
    assert_eq!(watcher.lines().iter().filter(|line| *line == "err").count(), 1);
}

/// The time that a process has spent, in ticks of 10 ms.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn closed_outputs_neither_panic_nor_spin() {
    for closing in ["2>&-", ">&-", "2>&- >&- <&-", "2>/dev/full", "2>&1 | head -c 1 >/dev/null"] {
        let project = Project::new().file("a.go", "0");
        let mut command = project.in_tree("sh");
        let line = format!("\"$0\" run -- \"$@\" {closing}");
        let line = if closing.contains('|') { line } else { format!("exec {line}") };
        command.args(["-c", &line]).arg(project.program_path()).args(project.argv());
        let mut watcher = project.start_as(command);
        watcher.wait_runs(1);
        for expected in 2..5 {
            watcher.wait_for("a reload", || {
                watcher.save("a.go", format!("{expected} {}", monotonic()));
                pace_ms(200);
                (watcher.run_count() >= expected).then_some(())
            });
        }
        let program = if closing.contains('|') {
            let below = processes::descendants(watcher.pid());
            below.into_iter().find(|process| process.name == "go-watcher").expect("it lives").pid
        } else {
            watcher.pid()
        };
        let before = ticks(program);
        pace_ms(400);
        let spent = ticks(program) - before;
        assert!(spent <= 5, "{closing}: {spent} ticks while idle");
        if program != watcher.pid() {
            processes::send(program, Signal::TERM);
            watcher.end();
        }
    }
}

#[test]
fn idle_is_idle() {
    let watcher = Project::new().file("a.go", "0").start([]).ready();
    watcher.exactly(1);
    pace_ms(1000);
    let switches = |pid: u32| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
        lines.map(|line| line.split_whitespace().last().unwrap().parse::<u64>().unwrap()).sum()
    };
    let everyone = || switches(watcher.pid()) + watcher.shim().map_or(0, |shim| switches(shim.pid));
    let before = everyone();
    pace_ms(3000);
    let woken = everyone() - before;
    assert!(woken <= 2, "{woken} context switches in 3 s");
}

/// A stderr that nobody reads (a full pipe) must not stop reloads.
#[test]
fn a_stderr_that_nobody_reads_stops_nothing() {
    let project = Project::new().file("a.go", "0");
    let (_reader, writer) = std::io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    let mut command = project.in_tree(project.program_path());
    command.arg0("go-watcher").args(["run", "-v", "--"]).args(project.argv());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
    let mut child = command.spawn().unwrap();
    for expected in 1..30 {
        let ran = until(DEADLINE, || {
            project.save("a.go", format!("{expected} {}", monotonic()));
            pace_ms(20);
            (project.run_count() > expected).then_some(())
        });
        assert!(ran.is_some(), "{} runs", project.run_count());
    }
    processes::send(child.id(), Signal::TERM);
    let ended = until(DEADLINE, || child.try_wait().unwrap());
    project.kill_what_is_left();
    assert!(ended.is_some(), "it hangs at its end");
}

/// The kernel tells the foreground process group, which is ours: the command is in a group of its own.
#[test]
fn another_size_of_the_terminal_reaches_the_command() {
    let project = Project::new().file("a.go", "0");
    let line = "trap 'stty size >> ../out/sizes </dev/tty' WINCH; echo up >> ../out/sizes; \
                while :; do sleep 0.05; done";
    let Some(pty) = Pty::start(project, &["--ext", "go", "-e", line], true) else { return };
    let sizes = || std::fs::read_to_string(pty.outside("sizes")).unwrap_or_default();
    pty.wait_for("the command", || sizes().contains("up").then_some(()));
    for (rows, columns) in [(31, 97), (40, 120)] {
        pty.resize(rows, columns);
        let size = format!("{rows} {columns}");
        pty.wait_for("its size", || sizes().lines().any(|line| line == size).then_some(()));
    }
    assert_eq!(sizes().lines().count(), 3, "{}", sizes());
}

/// A spinner that is killed leaves the cursor hidden.
#[test]
fn the_cursor_is_shown_again_after_each_run_and_at_the_end() {
    let project = Project::new().file("a.go", "0");
    let line = "printf '\\033[?25l'; exec sleep 60";
    let Some(mut pty) = Pty::start(project, &["--ext", "go", "-e", line], true) else { return };
    let shown = |pty: &Pty| pty.seen().rsplit("\x1b[?25l").next().unwrap().contains("\x1b[?25h");
    let hidden = |pty: &Pty, times| pty.seen().matches("\x1b[?25l").count() == times;
    pty.wait_for("the first", || hidden(&pty, 1).then_some(()));
    pty.save("a.go", "1");
    pty.wait_for("the second", || hidden(&pty, 2).then_some(()));
    assert_eq!(pty.seen().matches("\x1b[?25h").count(), 1, "{:?}", pty.seen());
    assert!(!shown(&pty));
    pty.types("\x03");
    pty.end();
    assert!(shown(&pty), "{:?}", pty.seen());
}

/// `tailwindcss --watch` and its like end when their standard input does.
#[test]
fn a_command_that_ends_for_want_of_input_is_told_how_to_stay() {
    let project = Project::new().file("a.go", "0");
    let watcher = project.start_shell("cat; : serve; {}", ["--ext", "go"]).watching();
    watcher.says("its standard input is closed; if it ends for that: --stdin=open");
    watcher.says("run 1: exit 0");
    watcher.save("a.go", "1");
    watcher.says("run 2: exit 0");
    assert_eq!(watcher.count_lines("--stdin=open"), 1, "{}", watcher.story());
    let project = Project::new().file("a.go", "0");
    let watcher = project.start_shell("cat; {}", ["--ext", "go"]).watching();
    watcher.says("run 1: exit 0");
    assert_eq!(watcher.count_lines("--stdin=open"), 0, "{}", watcher.story());
}
