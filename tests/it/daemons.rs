//! Daemons that a command happens to start, and what changes on disk below a running program: its own file,
//! its working directory.

use std::fs;

use crate::harness::*;

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

/// A daemon that the first run starts lives on, the very same process, over reloads and after our end.
fn a_real_daemon(project: Project, name: &str, line: &str, stop: &str) {
    let project = project.file("a.go", "0");
    let line = format!("{line} >> ../out/daemon 2>&1; {{}}");
    let mut watcher = project.start_shell(&line, ["--ext", "go"]).ready();
    let find = |watcher: &Watcher| watcher.left().into_iter().find(|left| left.name == name);
    let daemon = watcher.wait_for("the daemon", || find(&watcher));
    watcher.spare(daemon.pid);
    let parent = || processes::look(daemon.pid).map_or(0, |daemon| daemon.parent);
    let shim = watcher.shim().expect("a shim").pid;
    watcher.wait_for("the end of its parent", || (parent() == shim).then_some(()));
    for round in 2..=6 {
        watcher.save("a.go", format!("{round}"));
        watcher.wait_runs(round);
    }
    watcher.exactly(6);
    let lives = processes::lives(&daemon);
    watcher.ends_by(Signal::TERM);
    let lives_on = processes::lives(&daemon);
    let stopped = watcher.in_tree("sh").args(["-c", stop]).output().unwrap();
    let gone = until(DEADLINE, || (!processes::lives(&daemon)).then_some(()));
    processes::send(daemon.pid, Signal::KILL);
    assert!(lives, "{name} is to survive a reload\n{}", watcher.story());
    assert!(lives_on, "{name} is to survive our end\n{}", watcher.story());
    assert!(gone.is_some(), "{name} does what it is asked: {stopped:?}");
    assert_eq!(watcher.count_lines("stop.keep"), 0, "{}", watcher.story());
}

#[test]
fn the_real_gpg_agent_lives_on() {
    if !on_path("gpg-agent") || !on_path("gpg-connect-agent") {
        return skip("gpg-agent is not installed");
    }
    let project = Project::new();
    let home = project.outside("gnupg");
    fs::create_dir(&home).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&home, permissions).unwrap();
    let project = project.env("GNUPGHOME", home);
    a_real_daemon(project, "gpg-agent", "gpg-connect-agent /bye", "gpgconf --kill gpg-agent");
}

#[test]
fn the_real_sccache_lives_on() {
    if !on_path("sccache") {
        return skip("sccache is not installed");
    }
    let project = Project::new();
    let cache = project.outside("cache");
    let project = project
        .env("SCCACHE_DIR", cache)
        .env("SCCACHE_SERVER_PORT", free_port().to_string())
        .env("SCCACHE_IDLE_TIMEOUT", "0");
    // Its client fails when a server is there already: only the first run starts one. On a busy machine it also
    // gives its server up after ten seconds.
    let line = "[ -e ../out/daemon ] || { sccache --start-server || sccache --start-server; }";
    a_real_daemon(project, "sccache", line, "sccache --stop-server");
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

/// The working directory is deleted and cloned again; the program that runs is replaced as well.
#[test]
fn the_directory_is_deleted_and_cloned_again() {
    if !on_path("git") {
        return skip("git is not installed");
    }
    let project = Project::new().file("a.go", "0").git_repository();
    let copy = project.outside("go-watcher");
    fs::copy(project.program_path(), &copy).unwrap();
    let origin = project.outside("origin");
    project.git(&["clone", "-q", "--bare", ".", origin.to_str().unwrap()]);
    let watcher =
        project.program(copy.clone()).runs(Stamp::quick().sees("a.go")).start(["--ext", "go"]);
    let watcher = watcher.ready();
    watcher.exactly(1);
    for round in 1..=3 {
        fs::remove_file(&copy).unwrap();
        fs::write(&copy, format!("another build {round}")).unwrap();
        fs::remove_dir_all(watcher.tree()).unwrap();
        let mut clone = std::process::Command::new("git");
        clone.args(["clone", "-q"]).arg(&origin).arg(watcher.tree()).current_dir("/");
        assert!(clone.status().unwrap().success());
        let mut attempts = 0;
        let run = watcher.wait_for("a run in the new directory", || {
            // The root may be taken up a moment later: it is a new directory.
            attempts += 1;
            let text = format!("in clone {round}, save {attempts}");
            watcher.save("a.go", &text);
            let seen = || watcher.run_log().into_iter().find(|run| run.saw_text(&text));
            until(QUIET, seen)
        });
        assert!(run.alone && run.directory == watcher.tree(), "{}", watcher.story());
    }
    let last = watcher.wait_for("quiet", || {
        let runs = watcher.run_count();
        pace(QUIET);
        (runs == watcher.run_count()).then_some(runs)
    });
    watcher.run_after(|project| project.save("a.go", "and the next"));
    let runs = watcher.exactly(last + 1);
    assert!(runs[last].saw_text("and the next"), "{}", watcher.story());
}
