//! Commands that cannot start: one line with the path and the cause, and the next good edit runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::*;

/// Starts `-- ./app`, expects a line that says why it cannot start, mends it, edits, expects the run.
fn cannot_start(project: Project, says: &[&str], mend: impl FnOnce(&Watcher)) {
    let watcher = project.file("a.go", "0").start_exactly(["run", "--ext", "go", "--", "./app"]);
    watcher.says("] watching ");
    let mut parts = vec!["[ERROR] run 1: cannot start ./app: "];
    parts.extend(says);
    watcher.says_all(&parts);
    watcher.save("a.go", "1");
    watcher.says_all(&["[ERROR] run 2: cannot start ./app: "]);
    pace(QUIET);
    assert_eq!(watcher.count_lines("cannot start"), 2, "{}", watcher.story());
    mend(&watcher);
    watcher.save("a.go", "2");
    watcher.says("run 3: exit 0");
}

fn good(watcher: &Watcher) {
    watcher.save("app.new", "#!/bin/sh\nexit 0\n");
    fs::set_permissions(watcher.path("app.new"), fs::Permissions::from_mode(0o755)).unwrap();
    watcher.rename("app.new", "app");
}

#[test]
fn a_missing_program() {
    cannot_start(Project::new(), &["no such file", "waiting for a change"], good);
}

#[test]
fn a_program_that_is_not_executable() {
    cannot_start(Project::new().file("app", "#!/bin/sh\n"), &["not executable"], good);
}

/// Whoever writes a program and makes processes at the same time hands a descriptor on for a moment.
#[test]
fn a_program_that_is_let_go_at_once_is_started() {
    let project = Project::new().file("a.go", "0").file("app", "#!/bin/sh\n");
    fs::set_permissions(project.path("app"), fs::Permissions::from_mode(0o755)).unwrap();
    let watcher = project.start_exactly(["run", "--ext", "go", "--", "./app"]);
    watcher.says("] watching ");
    // A machine that is slow to tell of the run may let go too late.
    let started = (2..12).any(|run| {
        let held = fs::OpenOptions::new().append(true).open(watcher.path("app")).unwrap();
        watcher.save("a.go", run.to_string());
        watcher.says(&format!("changed a.go: run {run}"));
        pace_ms(30);
        drop(held);
        let (ended, failed) =
            (format!("run {run}: exit 0"), format!("run {run}: cannot start ./app"));
        watcher.wait_for("the end of it", || {
            let ends = watcher.count_lines(&ended) > 0;
            (ends || watcher.count_lines(&failed) > 0).then_some(ends)
        })
    });
    assert!(started, "{}", watcher.story());
}

#[test]
fn a_bad_shebang_names_the_interpreter() {
    let project = Project::new().file("app", "#!/no/such/interpreter\n");
    fs::set_permissions(project.path("app"), fs::Permissions::from_mode(0o755)).unwrap();
    cannot_start(project, &["/no/such/interpreter"], good);
}

#[test]
fn a_directory_as_the_program() {
    cannot_start(Project::new().directory("app/x"), &["waiting for a change"], |watcher| {
        fs::remove_dir_all(watcher.path("app")).unwrap();
        good(watcher);
    });
}

#[test]
fn a_program_that_is_no_program() {
    let project = Project::new().file("app", "\x01\x02 no program\n");
    fs::set_permissions(project.path("app"), fs::Permissions::from_mode(0o755)).unwrap();
    cannot_start(project, &["waiting for a change"], good);
}

#[test]
fn a_name_that_is_not_on_path() {
    let watcher = Project::new().file("a.go", "0").start_exactly([
        "run",
        "--",
        "no-such-program-on-path",
        "x",
    ]);
    watcher.matches(
        r"^\[ERROR\] run 1: cannot start no-such-program-on-path: .*; waiting for a change",
    );
}

#[test]
fn the_working_directory_goes_and_comes_back() {
    let project = Project::new().file("a.go", "0");
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly(1);
    fs::rename(watcher.tree(), watcher.outside("gone")).unwrap();
    watcher.matches(r"(cannot start|no such file|does not exist|is gone|missing)");
    fs::create_dir(watcher.tree()).unwrap();
    watcher.save("a.go", "in the new directory");
    let run = watcher.wait_for("a run in the new directory", || {
        watcher.run_log().into_iter().skip(1).find(|run| run.directory == watcher.tree())
    });
    assert!(run.alone);
    let runs = watcher.run_count();
    watcher.run_after(|project| project.save("a.go", "again"));
    watcher.exactly(runs + 1);
}

/// Too many processes: the shim cannot fork. As a user of its own, who may have sixty.
#[test]
fn no_process_can_be_made() {
    if !rustix::process::geteuid().is_root() || !on_path("prlimit") {
        return skip("needs root, to become a user with a limit of its own");
    }
    let project = Project::new().file("a.go", "0").owned_by(64_017);
    let mut command = project.in_tree("prlimit");
    command.arg("--nproc=60").arg(project.program_path());
    command.args(["run", "--ext", "go", "--"]).args(project.argv());
    let watcher = project.start_as(command).ready();
    watcher.exactly(1);
    let crowd: Vec<_> =
        (0..60).map(|_| watcher.in_tree("sleep").arg("600").spawn().unwrap()).collect();
    watcher.save("a.go", "1");
    let line = watcher.matches(r"^\[ERROR\] run 2: cannot start .*; waiting for a change");
    for mut one in crowd {
        one.kill().unwrap();
        one.wait().unwrap();
    }
    assert!(line.contains("rocess"), "{line}");
    watcher.run_after(|project| project.save("a.go", "2"));
    watcher.exactly(2);
}

/// Lowers the number of descriptors that a process may have.
fn limit_descriptors(pid: u32, descriptors: &str) -> bool {
    let limit = format!("--nofile={descriptors}:");
    let mut command = std::process::Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &limit]).status().is_ok_and(|status| status.success())
}

/// No descriptor is left for the command's input; then none for us either.
#[test]
fn no_descriptor_can_be_made() {
    if !on_path("prlimit") {
        return skip("prlimit is not installed");
    }
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    watcher.exactly(1);
    let shim = watcher.shim().expect("a shim").pid;
    if !limit_descriptors(shim, "3") {
        return skip("the limits of another process can't be set here");
    }
    watcher.save("a.go", "1");
    watcher.says_all(&["[ERROR] run 2: cannot start ", "(EMFILE)", "waiting for a change"]);
    assert!(limit_descriptors(watcher.pid(), "3"));
    watcher.save("a.go", "2");
    watcher.says_all(&["[ERROR] run 3: cannot start ", "(EMFILE)"]);
    assert!(limit_descriptors(watcher.pid(), "1024") && limit_descriptors(shim, "1024"));
    watcher.run_after(|project| project.save("a.go", "3"));
    watcher.exactly(2);
}

/// An environment that the system does not take is said, and an edit of the configuration mends it.
#[test]
fn an_environment_that_is_too_long() {
    let big = format!("envs:\n  BIG: {}\n", "x".repeat(200_000));
    let project = Project::new().file("a.go", "0").settings(&big);
    let watcher = project.start(["--ext", "go"]);
    watcher.says_all(&[
        "[ERROR] run 1: cannot start ",
        "environment are too long",
        "waiting for a change",
    ]);
    watcher.says("] watching ");
    watcher.save("a.go", "1");
    watcher.says_all(&["[ERROR] run 2: cannot start ", "environment are too long"]);
    watcher.save("watcher.yml", "envs:\n  BIG: little\n");
    watcher.wait_runs(1);
    watcher.run_after(|project| project.save("a.go", "2"));
}

/// Five thousand changed paths of two hundred characters: a megabyte that no environment would take. The
/// command starts, and has all of them in its file.
#[test]
fn a_megabyte_of_changed_paths() {
    let name = |number: usize| format!("{}/{number:0>195}.go", "d");
    let project = Project::new().file("a.go", "0").directory("d");
    // A run that is replaced at once has no time to write down what it was told.
    let watcher = project.start(["--ext", "go", "--on-busy", "queue"]).ready();
    watcher.exactly(1);
    watcher.suspend(); // so that all of them are one batch
    (0..5000).for_each(|number| watcher.save(name(number), "x"));
    watcher.signal(Signal::CONT);
    let all = watcher.wait_for("all of them", || {
        let runs = watcher.run_log();
        let named: std::collections::BTreeSet<String> =
            runs.iter().skip(1).flat_map(|run| run.changed_below(&watcher.tree())).collect();
        (named.len() >= 5000).then_some(runs)
    });
    let longest = all.iter().filter_map(|run| run.changed.as_ref()).map(Vec::len).max();
    eprintln!("{} runs, the longest list has {longest:?} paths", all.len());
    // On a busy machine the maximum wait ends before all events are read. Whatever it was, it was too much:
    // execve(2) takes 128 KiB in one string.
    assert!(longest > Some(700), "no list was too long for an environment");
    let cut = all.iter().filter_map(|run| run.list.as_ref()).map(|list| list.len()).max();
    assert!(cut.is_some_and(|length| length <= 64 * 1024), "{cut:?}");
    assert_eq!(watcher.count_lines("cannot start"), 0, "{}", watcher.story());
    let runs = watcher.run_count();
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(runs + 1);
}

/// The temporary directory is a file system of 64 KiB, which is filled and emptied again.
#[test]
fn the_temporary_directory_is_full() {
    let project = Project::new().file("a.go", "0");
    let inside = "mount -t tmpfs -o size=64k,mode=1777 none \"$TMPDIR\" && exec \"$@\"";
    let mut probe = project.in_tree("unshare");
    probe.args(["-Urm", "sh", "-c", inside, "sh", "true"]);
    if !probe.status().is_ok_and(|status| status.success()) {
        return skip("no user and mount namespaces here");
    }
    let mut command = project.in_tree("unshare");
    command.args(["-Urm", "sh", "-c", inside, "sh"]).arg(project.program_path());
    command.args(["run", "--ext", "go", "--"]).args(project.argv());
    let temporary = project.root().join("tmp");
    let watcher = project.start_as(command).ready();
    watcher.exactly(1);
    // As the program sees it: through its own root.
    let filling = format!("/proc/{}/root{}/filling", watcher.pid(), temporary.display());
    let fill = || {
        let mut file = fs::File::create(&filling).unwrap();
        while std::io::Write::write(&mut file, &[0; 4096]).is_ok_and(|count| count > 0) {}
    };
    for round in 1..=3 {
        fill();
        let told = watcher.count_lines("no space left");
        watcher.run_after(|project| project.save("a.go", format!("full {round}")));
        watcher.wait_for("the line that says why", || {
            (watcher.count_lines("ENOSPC") + watcher.count_lines("o space left") > told)
                .then_some(())
        });
        fs::remove_file(&filling).unwrap();
        let run = watcher.run_after(|project| project.save("a.go", format!("empty {round}")));
        assert_eq!(run.changed_below(&watcher.tree()), ["a.go"]);
    }
    eprintln!("{}", watcher.says("o space left"));
    watcher.exactly(7);
}

/// There is no temporary directory at all when it starts: it says so, and runs.
#[test]
fn no_temporary_directory() {
    let project = Project::new().file("a.go", "0").env("TMPDIR", "/no/such/directory");
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.says_all(&["[WARN]", "/no/such/directory"]);
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(2);
}

/// A bare chroot has neither `/proc` nor `/dev/null`: what that costs is said in one line, and everything else works.
#[test]
fn without_proc_and_dev_it_works_and_says_what_that_costs() {
    let inside = "mount -t tmpfs none /dev && mount -t tmpfs none /proc && exec \"$0\" run \"$@\"";
    let project = Project::new().file("a.go", "0").runs(Stamp::server().ignores_term());
    let project = project.settings("stop: {timeout: 300ms}\n");
    let mut probe = project.in_tree("unshare");
    let probe = probe.args(["-Urm", "mount", "-t", "tmpfs", "none", "/proc"]).output();
    if !probe.is_ok_and(|done| done.status.success()) {
        return skip("no mounts in a user namespace here");
    }
    let mut command = project.in_tree("unshare");
    command.args(["-Urm", "sh", "-c", inside]).arg(project.program_path());
    command.args(["--ext", "go", "--"]).args(project.argv());
    let mut watcher = project.start_as(command).ready();
    watcher.says_all(&["[WARN] /proc is missing", "process group"]);
    for round in 0..3 {
        watcher.run_after(|project| project.save("a.go", format!("edit {round}")));
    }
    assert_eq!(watcher.count_lines("[WARN] /proc"), 1, "{}", watcher.story());
    // Killed, it leaves nothing of the command's process group.
    processes::send(watcher.pid(), Signal::KILL);
    watcher.end();
    watcher.wait_for("nothing left", || processes::tagged(watcher.tag()).is_empty().then_some(()));
}
