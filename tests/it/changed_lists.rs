//! What the command is told: `GO_WATCHER_CHANGED` and `GO_WATCHER_CHANGED_FILE`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::harness::*;

#[test]
fn the_changed_paths_come_in_the_environment_and_in_a_file() {
    let watcher =
        Project::new().file("a.go", "0").file("sub/b.go", "0").start(["-d", "100"]).ready();
    let first = watcher.wait_runs(1);
    assert!(
        first.changed.unwrap_or_default().is_empty() && first.list.unwrap_or_default().is_empty()
    );
    watcher.exactly(1);
    let run = watcher.run_after(|project| {
        project.save("a.go", "1");
        project.save("sub/b.go", "1");
    });
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go", "sub/b.go"]);
    let list = run.list.clone().unwrap().into_string().unwrap();
    let mut paths: Vec<&str> = list.lines().collect();
    paths.sort_unstable();
    let mut in_file: Vec<&str> =
        run.changed.iter().flatten().map(|path| path.to_str().unwrap()).collect();
    in_file.sort_unstable();
    assert_eq!(paths, in_file, "both say the same");
}

#[test]
fn names_are_byte_exact() {
    let watcher = Project::new().start([]).ready();
    let names: [&[u8]; 6] = [
        b"with space.go",
        b"new\nline.go",
        b"\xff\xfe.go",
        b"quo'te\".go",
        b"$HOME;`x`.go",
        b"-rf.go",
    ];
    for (round, name) in names.into_iter().enumerate() {
        watcher.exactly(1 + round);
        let path = watcher.path(OsStr::from_bytes(name));
        let run = watcher.run_after(|_| fs::write(&path, "1").unwrap());
        assert_eq!(run.changed.unwrap(), [path]);
    }
    watcher.exactly(7);
    let long = "x".repeat(252) + ".go";
    let run = watcher.run_after(|project| project.save(&long, "1"));
    assert_eq!(run.changed.unwrap(), [watcher.path(&long)]);
}

#[test]
fn paths_of_nearly_four_thousand_bytes() {
    let project = Project::new().file("a.go", "0");
    let room = 3900 - project.tree().as_os_str().len();
    let mut deep = OsString::new();
    while deep.len() + 252 < room {
        deep.push(OsString::from_vec(vec![b'd'; 250]));
        deep.push("/");
    }
    let watcher = project.start([]).ready();
    let run = watcher.run_after(|project| {
        fs::create_dir_all(project.path(&deep)).unwrap();
        fs::write(project.path(&deep).join("x.go"), "1").unwrap();
    });
    assert_eq!(run.changed.unwrap(), [watcher.path(&deep).join("x.go")]);
}

#[test]
fn thousands_of_long_paths_are_no_argument_list_too_long() {
    let directory = "d".repeat(180);
    let watcher = Project::new()
        .directory(&directory)
        .file("a.go", "0")
        .start(["--on-busy", "queue"])
        .ready();
    for number in 0..5000 {
        watcher.save(format!("{directory}/file-number-{number:06}.go"), "1");
    }
    let mut named = Vec::new();
    watcher.wait_for("5000 names", || {
        let runs = watcher.run_log();
        named = runs.iter().flat_map(|run| run.changed_below(&watcher.tree())).collect();
        named.sort();
        named.dedup();
        (named.len() == 5000).then_some(())
    });
    for run in watcher.run_log() {
        let list = run.list.unwrap_or_default();
        assert!(list.len() <= 64 * 1024, "{} bytes in the environment", list.len());
        let whole_lines =
            list.as_bytes().split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        assert!(whole_lines.into_iter().all(|line| line.ends_with(b".go")), "a path is cut");
    }
}

#[test]
fn the_file_is_private_and_is_gone_at_the_end() {
    let line = "[ -z \"$GO_WATCHER_CHANGED_FILE\" ] || stat -c %a \"$GO_WATCHER_CHANGED_FILE\" >> ../out/mode";
    let mut watcher = Project::new().file("a.go", "0").start_exactly(["run", "-e", line]);
    watcher.says("] watching ");
    for round in 2..6 {
        watcher.save("a.go", format!("{round}"));
        watcher.says(&format!("run {round}: exit 0"));
    }
    let modes = fs::read_to_string(watcher.outside("mode")).unwrap();
    assert!(modes.lines().all(|mode| mode == "600"), "{modes}");
    watcher.ends_by(Signal::TERM);
    let left: Vec<_> = fs::read_dir(watcher.root().join("tmp")).unwrap().flatten().collect();
    assert!(left.is_empty(), "left in TMPDIR: {left:?}");
}

#[test]
fn our_own_temporary_files_are_no_changes_wherever_they_lie() {
    let project = Project::new().file("a.go", "0").directory("here");
    let temporary = project.path("here");
    let watcher = project
        .env("TMPDIR", temporary.clone())
        .env("XDG_RUNTIME_DIR", temporary)
        .start([])
        .ready();
    for round in 2..5 {
        let run = watcher.run_after(|project| project.save("a.go", format!("{round}")));
        assert_eq!(run.changed_below(&watcher.tree()), ["a.go"]);
        watcher.exactly(round);
    }
}

#[test]
fn a_temporary_directory_that_cannot_be_used_loses_no_run() {
    let project = Project::new().file("a.go", "0");
    let missing = project.outside("no-such-directory");
    let watcher = project.env("TMPDIR", missing).start([]).ready();
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(2);
}

#[test]
fn a_changed_list_grows_until_a_run_takes_it() {
    let watcher = Project::new()
        .file("a.go", "0")
        .file("b.go", "0")
        .runs(Stamp::server().graceful(600))
        .start([])
        .ready();
    watcher.exactly(1);
    watcher.save("a.go", "1");
    watcher.wait_for("the stop", || watcher.run_log()[0].asked_to_end);
    watcher.save("b.go", "while it stops");
    let run = watcher.wait_runs(2);
    let rest: Vec<String> = watcher
        .exactly_within(watcher.run_count(), std::time::Duration::from_millis(1500))[1..]
        .iter()
        .flat_map(|run| run.changed_below(&watcher.tree()))
        .collect();
    assert!(rest.contains(&"a.go".into()) && rest.contains(&"b.go".into()), "{rest:?}");
    assert!(run.alone);
}
