//! `explain`: its lines.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::*;

/// `go-watcher ARGS` beside whatever runs.
pub(crate) fn ask(project: &Project, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    let mut command = project.in_tree(project.program_path());
    command.args(args).stdin(Stdio::null()).output().expect("the program starts")
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// With the issue's own examples.
fn example() -> Project {
    Project::new()
        .settings(
            "# ours\nwatcher:\n  included_filetypes:\n  - .go\n  excluded_regexps: [_test]\n\
             excluded_paths:\n- vendor\n- '!dist/keep'\n",
        )
        .file(".gitignore", "*_gen.go\n\ndist/\n")
        .file("src/a.go", "0")
        .file("src/a_gen.go", "0")
        .file("src/a_test.go", "0")
        .file("dist/x.go", "0")
        .file("vendor/a.go", "0")
        .file("vendor2/a.go", "0")
        .file("node_modules/x/i.go", "0")
        .file("notes.txt", "0")
}

const EXAMPLE: &str = "\
src/a.go: watched (included_filetypes: .go, watcher.yml:4)
src/a_gen.go: ignored by *_gen.go (.gitignore:1)
src/a_test.go: ignored by _test (excluded_regexps, watcher.yml:5)
dist/x.go: ignored by dist/ (.gitignore:3)
dist/keep/x.go: watched (included_filetypes: .go, watcher.yml:4)
dist/keep/: watched (excluded_paths: !dist/keep, watcher.yml:8)
vendor/a.go: ignored by vendor (excluded_paths, watcher.yml:7)
vendor2/a.go: watched (included_filetypes: .go, watcher.yml:4)
node_modules/x/i.go: ignored by node_modules (built-in)
notes.txt: ignored: .txt is not in included_filetypes (watcher.yml:4)
Makefile: ignored: a name without an extension is not in included_filetypes (watcher.yml:4)
.: watched
/etc/hosts: ignored: outside of what is watched
";

fn example_paths() -> Vec<&'static str> {
    EXAMPLE.lines().map(|line| line.split_once(": ").expect("path: verdict").0).collect()
}

#[test]
fn one_line_a_path_with_the_deciding_rule_and_its_place() {
    let project = example();
    let args = ["explain"].into_iter().chain(example_paths());
    let output = ask(&project, args);
    assert_eq!(out(&output), EXAMPLE);
    assert_eq!((err(&output).as_str(), output.status.code()), ("", Some(1)));
    let output = ask(&project, ["explain", "src/a.go", "src"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[test]
fn flags_are_those_of_run() {
    let project = example();
    for (flags, line) in [
        (&["-i", "*.go"][..], "src/a.go: ignored by *.go (-i)"),
        (&["--ext", "txt"], "src/a.go: ignored: .go is not in --ext"),
        (&["--ext", "go,txt"], "src/a.go: watched (--ext: .go)"),
        (&["-w", "vendor"], "src/a.go: ignored: outside of what is watched"),
        (&["-w", "src/a.go"], "src/a.go: watched (-w: src/a.go)"),
        (
            &["--poll"],
            "src/a.go: watched by polling (watcher.backend: poll; included_filetypes: .go, watcher.yml:4)",
        ),
        (&["-c", "watcher.yml"], "src/a.go: watched (included_filetypes: .go, watcher.yml:4)"),
    ] {
        let output = ask(&project, ["explain"].iter().chain(flags).chain(&["--", "src/a.go"]));
        assert_eq!(out(&output), format!("{line}\n"), "{flags:?} {}", err(&output));
    }
    let wrong = ask(&project, ["explain", "-i", "a[", "src/a.go"]);
    assert_eq!((wrong.status.code(), out(&wrong).as_str()), (Some(2), ""), "{}", err(&wrong));
}

#[test]
fn a_running_instance_is_asked_with_its_flags() {
    let watcher = example().start(["-i", "!vendor", "-i", "src", "--name", "web"]).ready();
    let asked = ask(&watcher, ["explain", "src/a.go", "vendor/a.go"]);
    assert_eq!(
        out(&asked),
        "src/a.go: ignored by src (-i)\n\
         vendor/a.go: watched (included_filetypes: .go, watcher.yml:4)\n"
    );
    let line = format!("as instance web (pid {}) sees it\n", watcher.pid());
    assert_eq!((err(&asked), asked.status.code()), (line.clone(), Some(1)));
    // From below, the places are such that they can be opened from there.
    let mut below = watcher.in_tree(watcher.program_path());
    below.current_dir(watcher.path("dist")).args(["explain", "--name", "web", "x.go"]);
    let below = below.output().expect("the program starts");
    let place = watcher.path(".gitignore");
    assert_eq!(out(&below), format!("x.go: ignored by dist/ ({}:3)\n", place.display()));
    assert_eq!(err(&below), line);
    // With flags, or with another name, it is not.
    assert_eq!(err(&ask(&watcher, ["explain", "--ext", "go", "src/a.go"])), "");
    assert_eq!(ask(&watcher, ["explain", "--name", "other", "src/a.go"]).status.code(), Some(3));
    // `wait` refuses to wait for what can't cause a run.
    let waits = ask(&watcher, ["wait", "src/a.go"]);
    assert_eq!(
        (err(&waits).as_str(), waits.status.code()),
        ("src/a.go: ignored by src (-i)\n", Some(1))
    );
    // The loop goes on.
    watcher.run_after(|project| project.save("vendor2/a.go", "1"));
}

/// The walk of the tree leaves the directory alone; its watch is there for the file.
#[test]
fn a_named_file_in_an_ignored_directory_of_a_root_is_watched() {
    let project =
        Project::new().file("a/cache/CACHEDIR.TAG", CACHEDIR_TAG).file("a/cache/b.txt", "0");
    let watcher = project.start(["-w", "a/cache/b.txt", "-w", "a"]).ready();
    let asked = ask(&watcher, ["explain", "a/cache/b.txt", "a/cache/c.txt"]);
    assert_eq!(
        out(&asked),
        "a/cache/b.txt: watched (-w: a/cache/b.txt)\n\
         a/cache/c.txt: ignored by CACHEDIR.TAG (built-in)\n"
    );
    watcher.run_after(|project| project.save("a/cache/b.txt", "1"));
}

#[test]
fn links_unreadable_directories_and_hostile_names() {
    let project = Project::new().file("real/a.go", "0").file("locked/a.go", "0");
    symlink("real", project.path("link")).unwrap();
    let raw = OsString::from_vec(b"\x1b[31m\xff\n\xe2\x80\xae.go".to_vec());
    let args: [&OsStr; 6] = [
        "explain".as_ref(),
        "real/a.go".as_ref(),
        "link".as_ref(),
        "link/a.go".as_ref(),
        "link/no/b.go".as_ref(),
        &raw,
    ];
    let output = ask(&project, args);
    assert_eq!(
        out(&output),
        "real/a.go: watched\n\
         link: watched\n\
         link/a.go: watched\n\
         link/no/b.go: ignored: link is a link, which is not followed\n\
         \\x1b[31m\\xff\\n\\u{202e}.go: watched\n"
    );
    let output = ask(&project, ["explain".as_ref(), "--json".as_ref(), raw.as_os_str()]);
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(exact(&line["path"]), project.path(&raw));
    assert!(output.stdout.is_ascii());
    if rustix::process::geteuid().is_root() {
        let locked = "locked/a.go: ignored: locked cannot be read: ";
        fs::set_permissions(
            project.path("locked"),
            std::os::unix::fs::PermissionsExt::from_mode(0o000),
        )
        .unwrap();
        fs::set_permissions(project.root(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let mut command = project.in_tree(project.program_path());
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
        let output = command.args(["explain", "locked/a.go"]).output().unwrap();
        assert!(out(&output).starts_with(locked), "{} {}", out(&output), err(&output));
    }
}

#[test]
fn without_a_path_a_summary() {
    let project = example().file("other/b.txt", "0").directory("other/sub");
    let summary = "\
.: 6 directories and 2 files watched (watcher.yml)
  types: .go 2
  ignored: node_modules by node_modules (built-in): 2 directories, 1 file
  ignored: vendor by vendor (excluded_paths, watcher.yml:7): 1 directory, 1 file
inotify watches: 6 needed; ";
    let output = ask(&project, ["explain"]);
    assert!(out(&output).starts_with(summary), "{}", out(&output));
    assert!(out(&output).ends_with(" allowed to this user (fs.inotify.max_user_watches)\n"));
    assert_eq!(output.status.code(), Some(0));
    let several =
        ask(&project, ["explain", "-w", "other", "-w", "notes.txt", "-w", "no", "--ext", "txt"]);
    let several = out(&several);
    assert!(
        several.starts_with(
            "other: 2 directories and 1 file watched (watcher.yml)\n  types: .txt 1\n"
        ),
        "{several}"
    );
    assert!(several.contains("\nnotes.txt: a single file, watched (watcher.yml)\n"), "{several}");
    assert!(
        several.contains("\nno: missing; watched as soon as it is there (watcher.yml)\n"),
        "{several}"
    );
    let polled = out(&ask(&project, ["explain", "--poll=2s"]));
    assert!(polled.contains("\n  by polling: 6 directories (watcher.poll: 2s)\n"), "{polled}");
    let json: Value = serde_json::from_slice(&ask(&project, ["explain", "--json"]).stdout).unwrap();
    assert_eq!((&json["v"], &json["roots"][0]["directories"]), (&1.into(), &6.into()));
    assert_eq!(json["roots"][0]["ignored"][0]["counted"], true);
    let watcher = project.start(["--poll=300ms"]).ready();
    let asked = ask(&watcher, ["explain", "src/a.go", "src", "notes.txt"]);
    assert_eq!(
        out(&asked),
        "src/a.go: watched by polling (watcher.poll: 300ms; included_filetypes: .go, watcher.yml:4)\n\
         src: watched by polling (watcher.poll: 300ms)\n\
         notes.txt: ignored: .txt is not in included_filetypes (watcher.yml:4)\n"
    );
    let asked = ask(&watcher, ["explain"]);
    assert!(out(&asked).contains("  by polling: 6 directories (watcher.poll: 300ms)\n"));
    assert!(out(&asked).contains(" held by this instance; "), "{}", out(&asked));
    assert!(err(&asked).starts_with("as instance 1 (pid "), "{}", err(&asked));
}

#[test]
fn the_tree_by_name_and_as_a_drawing() {
    let project = example();
    let whole = "./\ndist/\nsrc/\nsrc/a.go\nvendor2/\nvendor2/a.go\n";
    assert_eq!(out(&ask(&project, ["explain", "--tree"])), whole);
    assert_eq!(out(&ask(&project, ["explain", "--tree", "src/"])), "src/\nsrc/a.go\n");
    assert_eq!(ask(&project, ["explain", "--tree", "vendor"]).status.code(), Some(1));
    let line = out(&ask(&project, ["explain", "--tree", "--json", "src"]));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((exact(&line["path"]), &line["files"][0]), (project.path("src"), &"a.go".into()));
}

/// 50,000 paths, and the tree that they lie in.
fn fifty_thousand() -> (Project, Vec<String>) {
    let project =
        (0..500).fold(Project::new(), |project, n| project.directory(format!("d{}/{n}", n % 9)));
    let project = project
        .settings("watcher: {included_filetypes: [.go]}\n")
        .file(".gitignore", "d3\n*_x.go\n");
    let path = |n| format!("d{}/{}/file{n}.go", n % 500 % 9, n % 500);
    (project, (0..50_000).map(path).collect())
}

/// Asks about them; how long it took.
fn ask_fifty_thousand(
    watcher: &Watcher,
    flags: &[&str],
    paths: &[String],
    meanwhile: impl FnOnce(),
) -> Duration {
    let mut command = watcher.in_tree(watcher.program_path());
    command.arg("explain").args(flags).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let text = paths.join(if flags.is_empty() { "\n" } else { "\0" });
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    meanwhile();
    let output = child.wait_with_output().unwrap();
    let took = begun.elapsed();
    writer.join().unwrap().unwrap();
    let lines = out(&output);
    assert_eq!(lines.lines().count(), 50_000);
    let ignored = lines.lines().filter(|line| line.ends_with("ignored by d3 (.gitignore:1)"));
    assert_eq!(ignored.count(), paths.iter().filter(|path| path.starts_with("d3/")).count());
    assert_eq!(err(&output).is_empty(), flags.contains(&"-p"));
    took
}

#[test]
fn fifty_thousand_paths_on_standard_input() {
    let (project, paths) = fifty_thousand();
    let watcher = project.start([]).ready();
    for flags in [&["-0"][..], &["-p", "-0"], &[]] {
        let took = ask_fifty_thousand(&watcher, flags, &paths, || {
            // The instance has other things to do meanwhile.
            watcher.run_after(|project| project.save_new("d1/1/a.go", format!("{flags:?}")));
        });
        eprintln!("50,000 paths, {flags:?}: {took:?}");
    }
}

/// Of a release build; of five times the best, since other programs run here too.
#[test]
#[ignore = "a promise about time; make torture"]
fn torture_in_time_fifty_thousand_paths_within_a_second() {
    if cfg!(debug_assertions) {
        return skip("this is no release build");
    }
    let (project, paths) = fifty_thousand();
    let watcher = project.start([]).ready();
    for flags in [&["-0"][..], &["-p", "-0"]] {
        let ask = || ask_fifty_thousand(&watcher, flags, &paths, || ());
        let mut took: Vec<Duration> = (0..5).map(|_| ask()).collect();
        took.sort();
        eprintln!("50,000 paths, {flags:?}: {took:?}");
        assert!(took[0] < Duration::from_secs(1), "{took:?}");
    }
}

/// A path of `--json`.
pub(crate) fn exact(value: &Value) -> PathBuf {
    let Some(hex) = value["bytes"].as_str() else {
        return value.as_str().expect("a path").into();
    };
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    OsString::from_vec((0..hex.len()).step_by(2).map(byte).collect()).into()
}
