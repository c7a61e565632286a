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

/// No descriptor is left for anything: the run that fails is named, the next one is there.
#[test]
fn no_descriptor_can_be_made() {
    if !on_path("prlimit") {
        return skip("prlimit is not installed");
    }
    let watcher = Project::new().file("a.go", "0").start(["--ext", "go"]).ready();
    watcher.exactly(1);
    let limit = |descriptors: &str| {
        for pid in [Some(watcher.pid()), watcher.shim().map(|shim| shim.pid)].into_iter().flatten()
        {
            let mut command = std::process::Command::new("prlimit");
            command.args(["--pid", &pid.to_string(), &format!("--nofile={descriptors}:")]);
            if !command.status().unwrap().success() {
                return false;
            }
        }
        true
    };
    if !limit("3") {
        return skip("the limits of another process can't be set here");
    }
    watcher.save("a.go", "1");
    watcher.wait_for("a run, or a line that says why not", || {
        let said = watcher.lines().iter().any(|line| line.contains("run 2: cannot start"));
        (said || watcher.run_count() == 2).then_some(())
    });
    assert!(limit("1024"));
    watcher.run_after(|project| project.save("a.go", "2"));
}
