//! The file in use is edited while everything runs: it takes effect, and the command need not notice.

use std::fs;

use crate::control::ask;
use crate::harness::*;

/// Ways to break a file.
const BROKEN: [&str; 5] = [
    "watcher: [\n",
    "watcher: {}\nno_such_key: 1\n",
    "watcher:\n  debounce: soon\n",
    "watcher:\n  excluded_regexps: ['(']\n",
    "stop: 5s\n",
];

/// A server under `watcher.yml`.
fn server(settings: &str) -> Watcher {
    let project = Project::new().settings(settings).file("a.go", "0").file("b.html", "0");
    let watcher = project.runs(Stamp::server()).start([]).ready();
    watcher.says("] watching ");
    watcher
}

/// What was said about the file so far, without time and level.
fn said(watcher: &Watcher) -> Vec<String> {
    let lines = watcher.lines().into_iter();
    let about =
        lines.filter_map(|line| line.split_once("watcher.yml: ").map(|(_, s)| s.to_owned()));
    about.filter(|line| line.contains("goes on") || line.contains("is replaced")).collect()
}

/// Saves the file and waits for what is said about it.
#[track_caller]
fn edit(watcher: &Watcher, settings: &str) -> String {
    let before = said(watcher).len();
    watcher.save("watcher.yml", settings);
    watcher.wait_for("a line about the file", || said(watcher).get(before).cloned())
}

/// What is on disk has been seen, under the rules that hold now.
fn watched(watcher: &Watcher) {
    let waits = ask(watcher, "wait --settle 50ms");
    assert_eq!(waits.code, Some(0), "{waits:?}");
}

/// A writer that a busy disk holds between the emptying and the writing.
#[test]
fn a_file_that_is_empty_for_a_second_is_half_a_save() {
    let watcher = server("watcher:\n  debounce: 1ms\n");
    fs::write(watcher.path("watcher.yml"), "").unwrap();
    pace_ms(1000);
    let line = edit(&watcher, "watcher:\n  debounce: 2ms\n");
    assert!(line.contains("debounce 1ms → 2ms"), "{line}");
    fs::write(watcher.path("watcher.yml"), "").unwrap();
    watcher.says("debounce 2ms → auto");
}

#[test]
fn thirty_edits_of_which_ten_are_broken_leave_the_command_alone() {
    let watcher = server("watcher:\n  debounce: 1ms\n");
    let about = |line: &String| line.contains("watcher.yml:") && line.contains("run 1 goes on");
    let count = || watcher.lines().iter().filter(|line| about(line)).count();
    let mut good = 1;
    for n in 0..30 {
        let text = if n % 3 == 2 {
            BROKEN[n / 3 % BROKEN.len()].to_owned()
        } else {
            good += 1;
            format!("watcher:\n  debounce: {good}ms\n  included_filetypes: [.go, .t{n}]\n")
        };
        match n % 4 {
            0 | 1 => watcher.save("watcher.yml", text),
            2 => watcher.save_atomically("watcher.yml", text),
            _ => {
                watcher.remove("watcher.yml");
                watcher.save("watcher.yml", text);
            }
        }
        watcher.wait_for("its line", || (count() > n).then_some(()));
    }
    let runs = watcher.exactly(1);
    assert_eq!(count(), 30, "{}", watcher.story());
    let broken = watcher.lines().iter().filter(|l| about(l) && l.contains("[ERROR]")).count();
    assert_eq!(broken, 10, "{}", watcher.story());
    assert!(fs::metadata(format!("/proc/{}", runs[0].pid)).is_ok());
    watcher.says_all(&["debounce 20ms → 21ms", "run 1 goes on"]);
    watched(&watcher);
    watcher.run_after(|w| w.save("a.go", "1"));
    watcher.no_run_after(|w| w.save("b.html", "1"));
}

#[test]
fn one_line_says_what_changed() {
    let watcher = server("watcher: {}\n");
    let rows = [
        ("watcher:\n  debounce: 50\n", "debounce auto → 50ms; run 1 goes on"),
        ("watcher:\n  debounce: 50\n# more\n", "read again, nothing changed; run 1 goes on"),
        (
            "watcher:\n  debounce: 50\n  included_filetypes: [.go, .html]\n",
            "+included_filetypes .go, +included_filetypes .html; run 1 goes on",
        ),
        (
            "watcher:\n  included_filetypes: [.go]\n",
            "debounce 50ms → auto, -included_filetypes .html; run 1 goes on",
        ),
        ("envs: [TOKEN=secret]\n", "-included_filetypes .go, +envs TOKEN; run 1 is replaced"),
        ("envs: [TOKEN=other]\nstop: {timeout: 1s}\n", "envs TOKEN, stop.timeout 5s → 1s"),
    ];
    let mut runs = 1;
    for (text, line) in rows {
        let told = edit(&watcher, text);
        assert!(told.starts_with(line), "{told:?} is not {line:?}\n{}", watcher.story());
        // Between two runs the line names none.
        runs += usize::from(line.contains("envs"));
        watcher.wait_runs(runs);
    }
    watcher.exactly(runs);
}

#[test]
fn a_broken_file_is_told_as_check_tells_it() {
    let watcher = server("watcher: {}\n");
    watcher.save("watcher.yml", "watcher:\n  included_filetype: [.go]\n");
    let line =
        watcher.says_all(&["[ERROR]", "watcher.yml:2:3: watcher.included_filetype: unknown key"]);
    assert!(line.contains("; the configuration of ") && line.ends_with(" stays, run 1 goes on"));
    watcher.says("  2 |   included_filetype: [.go]");
    let checked = watcher.in_tree(watcher.program_path()).arg("check").output().unwrap();
    let checked = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(
        checked.contains("watcher.yml:2:3: watcher.included_filetype: unknown key"),
        "{checked}"
    );
    watcher.run_after(|w| w.save("b.html", "1"));
    assert_eq!(edit(&watcher, "watcher: {duration: 1}\n"), "duration 0 → 1ms; run 2 goes on");
}

#[test]
fn another_command_or_environment_restarts_it() {
    let project = Project::new();
    let log = project.outside("log");
    let commanded = |stamp: Stamp, more: &str| {
        format!("command: {}\n{more}", stamp.notes_env("WORD").shell(&log))
    };
    let first = commanded(Stamp::server(), "envs: [WORD=one]\n");
    let watcher = project.settings(&first).start_exactly(["run"]).ready();
    let word = |run: &Run| run.env["WORD"].clone().map(|word| word.into_string().unwrap());
    assert_eq!(word(&watcher.run_log()[0]).as_deref(), Some("one"));
    let again = commanded(Stamp::server(), "envs: [WORD=two]\n");
    let run = watcher.run_after(|w| w.save("watcher.yml", &again));
    assert_eq!((word(&run).as_deref(), run.alone), (Some("two"), true));
    let other = commanded(Stamp::takes(0).exits(4), "");
    watcher.save("watcher.yml", &other);
    let waits = ask(&watcher, "wait");
    assert_eq!(waits.code, Some(4), "the edit's own run: {waits:?}\n{}", watcher.story());
    assert_eq!(word(&watcher.run_log()[2]), None);
    watcher.exactly(3);
}

#[test]
fn new_types_rules_and_roots_take_effect() {
    let watcher = server("watcher:\n  included_filetypes: [.go]\n");
    fs::create_dir(watcher.outside("lib")).unwrap();
    let lib = watcher.outside("lib/x.html");
    assert!(watcher.changed_by("a.go", |w| w.save("b.html", "1")).is_empty());
    edit(&watcher, "watcher:\n  included_filetypes: [.go, .html]\n");
    watched(&watcher);
    assert_eq!(watcher.changed_by("a.go", |w| w.save("b.html", "2")), ["b.html"]);
    edit(&watcher, "additional_paths: [../out/lib]\n");
    watched(&watcher);
    let shown = lib.to_str().unwrap().to_owned();
    let named = watcher.changed_by("a.go", |w| w.save_new(&lib, "1"));
    assert_eq!(named, [shown], "{}", watcher.story());
    edit(&watcher, "excluded_paths: ['*.html']\n");
    watched(&watcher);
    let named = watcher.changed_by("a.go", |w| {
        w.save(&lib, "2");
        w.save("b.html", "3");
    });
    assert!(named.is_empty(), "{named:?}\n{}", watcher.story());
    edit(&watcher, "watcher: {}\n");
    watched(&watcher);
    assert_eq!(watcher.changed_by("a.go", |w| w.save("b.html", "4")), ["b.html"]);
}

#[test]
fn other_policies_take_effect() {
    let watcher = server("on_busy: queue\n");
    watcher.no_run_after(|w| w.save("a.go", "1"));
    edit(&watcher, "on_busy: restart\n");
    watcher.run_after(|w| w.save("a.go", "2"));
    watcher.says("run 2");
}

#[test]
fn half_a_save_is_no_error() {
    let watcher = server("watcher:\n  debounce: 1ms\n");
    for n in 2..8 {
        let before = said(&watcher).len();
        let text = format!("watcher:\n  debounce: {n}ms\n");
        match n % 3 {
            0 => watcher.save("watcher.yml", ""),
            1 => watcher.save("watcher.yml", &text[..15]),
            _ => watcher.remove("watcher.yml"),
        }
        pace_ms(if n % 2 == 0 { 30 } else { 120 });
        watcher.save("watcher.yml", text);
        let line = watcher.wait_for("its line", || said(&watcher).get(before).cloned());
        assert_eq!(line, format!("debounce {}ms → {n}ms; run 1 goes on", n - 1));
    }
    watcher.exactly(1);
    assert_eq!(watcher.count_lines("[ERROR]"), 0, "{}", watcher.story());
    assert_eq!(said(&watcher).len(), 6, "{}", watcher.story());
}

#[test]
fn a_file_that_goes_and_comes_back() {
    let watcher = server("watcher:\n  included_filetypes: [.go]\n");
    watcher.remove("watcher.yml");
    watcher.says("built-in defaults: -included_filetypes .go; run 1 goes on");
    let line = edit(&watcher, "watcher:\n  included_filetypes: [.html]\n");
    assert!(line.contains("+included_filetypes .html"), "{line}\n{}", watcher.story());
    watcher.exactly(1);
    watched(&watcher);
    assert_eq!(watcher.changed_by("b.html", |w| w.save("a.go", "1")), Vec::<String>::new());
}

#[test]
fn ignore_files_take_effect() {
    let watcher = server("watcher: {}\n");
    watcher.save_new("deep/x.html", "0");
    watched(&watcher);
    let ignored = |text: &str, file: &str| {
        watcher.save(file, text);
        watched(&watcher);
        watcher.changed_by("a.go", |w| {
            w.save("b.html", monotonic().to_string());
            w.save("deep/x.html", monotonic().to_string());
        })
    };
    assert_eq!(ignored("*.html\n", ".gitignore"), Vec::<String>::new());
    assert_eq!(ignored("!x.html\n", "deep/.gitignore"), ["deep/x.html"]);
    assert_eq!(ignored("*.txt\n", ".gitignore"), ["b.html", "deep/x.html"]);
    assert_eq!(ignored("/x.html\n", "deep/.ignore"), ["b.html"]);
}
