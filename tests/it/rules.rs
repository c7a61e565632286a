//! Which changes count, end to end: each row saves a path and asks whether a run names it.

use std::fs;

use crate::harness::*;

/// Saves each path beside a canary, and compares what the runs name with what is expected.
fn check(watcher: &Watcher, canary: &str, rows: &[(&str, bool)]) {
    let mut wrong = Vec::new();
    for (path, counts) in rows {
        let named = watcher.changed_by(canary, |project| {
            project.save_new(path, format!("{}", monotonic()));
        });
        let seen = named.iter().any(|name| name == path);
        if seen != *counts {
            wrong.push(format!("{path}: counts: {counts}, seen: {named:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), watcher.story());
}

#[test]
fn built_in_ignores() {
    let rows: &[(&str, bool)] = &[
        ("a.txt", true),
        (".env", true),
        ("vendor/x.go", true),
        ("dist/x.js", true),
        ("build/x.js", true),
        ("out/x", true),
        ("bin/x", true),
        ("tmp/x", true),
        ("node_modules/x/index.js", false),
        ("web/node_modules/x/index.js", false),
        ("bower_components/x.js", false),
        ("py/__pycache__/x.pyc", false),
        (".cache/x", false),
        (".git/config", false),
        ("x.pyc", false),
        ("server.log", false),
        ("db.sqlite-journal", false),
        ("db.sqlite-wal", false),
        ("db.sqlite-shm", false),
        (".a.go.swp", false),
        ("a.go~", false),
        ("#a.go#", false),
        (".#a.go", false),
        ("a.go___jb_tmp___", false),
        ("4913", false),
        ("sedAbC123", false),
        ("target/plain.txt", true),
        ("crate/target/debug/x", false),
        ("java/target/x.class", false),
        ("cached/x.o", false),
        ("cached/deep/x.o", false),
        ("src/CACHEDIR.TAG", false),
    ];
    let project = Project::new()
        .file("canary", "0")
        .file("crate/Cargo.toml", "[package]\n")
        .file("java/pom.xml", "<project/>\n")
        .file("cached/CACHEDIR.TAG", CACHEDIR_TAG);
    check(&project.start([]).ready(), "canary", rows);
}

/// cargo makes `targetAbC123`, writes the tag and renames it, and a busy machine takes its time.
#[test]
fn a_cache_directory_in_the_making_is_no_change() {
    let watcher = Project::new().file("a.txt", "0").start([]).ready();
    watcher.no_run_after(|project| {
        let (making, made) = (project.path("targetAbC123"), project.path("made"));
        std::fs::create_dir(&making).unwrap();
        pace_ms(100);
        project.save_new("targetAbC123/CACHEDIR.TAG", CACHEDIR_TAG);
        pace_ms(100);
        std::fs::rename(making, made).unwrap();
        project.save_new("made/x.o", "0");
    });
}

#[test]
fn without_the_built_in_ignores() {
    let rows: &[(&str, bool)] = &[
        ("node_modules/x/index.js", true),
        (".cache/x", true),
        ("x.pyc", true),
        ("server.log", true),
        ("a.txt", true),
    ];
    let project =
        Project::new().file("canary", "0").directory("node_modules/x").directory(".cache");
    check(&project.start(["--no-default-ignore"]).ready(), "canary", rows);
}

#[test]
fn types_with_and_without_the_dot() {
    let rows: &[(&str, bool)] = &[
        ("a.go", true),
        ("b.html", true),
        ("c.GO", false),
        ("d.gox", false),
        ("go", false),
        ("e.tar.gz", true),
        ("f.gz", false),
        ("Makefile", false),
    ];
    let project = Project::new()
        .config("watcher:\n  included_filetypes: [.go, html, .tar.gz]\n")
        .file("canary.go", "0");
    check(&project.start([]).ready(), "canary.go", rows);
}

#[test]
fn excluded_paths_are_whole_components_and_globs() {
    let rows: &[(&str, bool)] = &[
        ("vendor/a.go", false),
        ("vendor2/a.go", true),
        ("sub/vendor/a.go", true),
        ("web/static/x.js", false),
        ("web/static2/x.js", true),
        ("gen/a_gen.go", false),
        ("gen/a.go", true),
        ("one.go", false),
    ];
    let project = Project::new()
        .config("excluded_paths:\n- vendor\n- web/static/\n- gen/*_gen.go\n- ./one.go\n")
        .file("canary", "0");
    check(&project.start([]).ready(), "canary", rows);
}

#[test]
fn ignore_flags_match_a_name_at_any_depth_and_add_to_the_file() {
    let rows: &[(&str, bool)] = &[
        ("vendor/a.go", false),
        ("deep/fixtures/a.go", false),
        ("a.tmp.go", false),
        ("deep/er/b.tmp.go", false),
        ("web/gen/x.js", false),
        ("other/web/gen/x.js", true),
        ("a.go", true),
    ];
    let project = Project::new().config("excluded_paths: [vendor]\n").file("canary", "0");
    let flags = ["-i", "fixtures", "-i", "*.tmp.go", "-i", "web/gen"];
    check(&project.start(flags).ready(), "canary", rows);
}

#[test]
fn an_exclamation_mark_takes_back_and_the_last_line_wins() {
    let rows: &[(&str, bool)] = &[
        ("api_gen.go", true),
        ("other_gen.go", false),
        ("node_modules/mine/index.js", true),
        ("node_modules/theirs/index.js", false),
        ("gen/a.go", false),
        ("gen/keep/a.go", true),
    ];
    let project = Project::new()
        .config("excluded_paths:\n- gen/*\n- '!gen/keep'\n")
        .file(".gitignore", "*_gen.go\n")
        .file("node_modules/mine/index.js", "0")
        .file("node_modules/theirs/index.js", "0")
        .file("gen/keep/a.go", "0")
        .file("canary", "0");
    let flags = ["-i", "!api_gen.go", "-i", "!node_modules/mine"];
    check(&project.start(flags).ready(), "canary", rows);
}

#[test]
fn regexps_are_tried_on_the_name_the_relative_and_the_absolute_path() {
    let rows: &[(&str, bool)] = &[
        ("exact.go", false),
        ("sub/exact.go", false),
        ("inexact.go", true),
        ("sub/dir/x.go", false),
        ("other/sub/dir/x.go", true),
        ("a_test.go", false),
    ];
    let text =
        "watcher:\n  excluded_regexps: ['^exact\\.go$', '^sub/dir/', '/tree/.*_test\\.go$']\n";
    let project = Project::new().config(text).file("canary", "0");
    check(&project.start([]).ready(), "canary", rows);
}

#[test]
fn ignore_files_in_the_tree_above_it_and_of_the_user() {
    let rows: &[(&str, bool)] = &[
        ("a.gen", false),
        ("sub/a.gen", false),
        ("sub/local.txt", false),
        ("local.txt", true),
        ("sub/kept.gen", true),
        ("by-ignore.txt", false),
        ("by-exclude.txt", false),
        ("by-user.txt", false),
        ("from-above.txt", false),
        ("a.go", true),
    ];
    let project = Project::new().file("repo/canary", "0");
    project.git(&["init", "-q"]);
    project.save(".gitignore", "from-above.txt\n");
    project.save("repo/.gitignore", "*.gen\n");
    project.save("repo/.ignore", "by-ignore.txt\n");
    project.save_new("repo/sub/.gitignore", "local.txt\n!kept.gen\n");
    project.save(".git/info/exclude", "by-exclude.txt\n");
    fs::write(project.root().join("home/.gitconfig"), "[core]\n\texcludesFile = ~/ours\n").unwrap();
    fs::write(project.root().join("home/ours"), "by-user.txt\n").unwrap();
    let mut command = project.in_tree(project.program_path());
    command.current_dir(project.path("repo")).arg("run").arg("--").args(project.argv());
    let watcher = project.start_as(command).ready();
    let rows: Vec<(String, bool)> =
        rows.iter().map(|(path, counts)| (format!("repo/{path}"), *counts)).collect();
    let rows: Vec<(&str, bool)> =
        rows.iter().map(|(path, counts)| (path.as_str(), *counts)).collect();
    check(&watcher, "repo/canary", &rows);
}

#[test]
fn gitignore_counts_without_a_repository_and_is_read_again_when_it_changes() {
    let project = Project::new().file(".gitignore", "*.gen\n").file("canary", "0");
    let watcher = project.start([]).ready();
    check(&watcher, "canary", &[("a.gen", false), ("a.txt", true)]);
    watcher.save(".gitignore", "*.txt\n");
    watcher.wait_for("the new rules", || {
        watcher
            .changed_by("canary", |project| project.save("a.gen", format!("{}", monotonic())))
            .contains(&"a.gen".into())
            .then_some(())
    });
    check(&watcher, "canary", &[("a.gen", true), ("a.txt", false)]);
}

#[test]
fn gitignore_can_be_switched_off() {
    for (config, flags) in
        [("", vec!["--no-gitignore"]), ("watcher:\n  gitignore: false\n", vec![])]
    {
        let project =
            Project::new().config(config).file(".gitignore", "*.gen\n").file("canary", "0");
        check(&project.start(flags).ready(), "canary", &[("a.gen", true)]);
    }
}

#[test]
fn an_ignore_file_that_hides_an_included_type_says_so_once() {
    let project = Project::new().file(".gitignore", "\n*_gen.go\n").file("canary.go", "0");
    let watcher = project.start(["--ext", "go"]).ready();
    check(&watcher, "canary.go", &[("a_gen.go", false), ("b_gen.go", false)]);
    watcher.says_all(&["a_gen.go", ".gitignore:2", "*_gen.go"]);
    assert_eq!(watcher.count_lines(".gitignore:2"), 1, "{}", watcher.story());
}

#[test]
fn additional_paths_lie_anywhere_and_a_named_file_always_counts() {
    let project = Project::new().file("main.go", "0").file("Makefile", "all:\n");
    let outside = project.outside("elsewhere");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("lib.go"), "0").unwrap();
    fs::write(project.outside("settings.ini"), "0").unwrap();
    let text = format!(
        "watcher:\n  included_filetypes: [.go]\nadditional_paths: ['{}', '{}', Makefile]\n",
        outside.display(),
        project.outside("settings.ini").display(),
    );
    let project = project.config(&text);
    let settings = project.outside("settings.ini");
    let watcher = project.start([]).ready();
    let named = |run: Run| run.changed.unwrap();
    let run = watcher.run_after(|_| fs::write(outside.join("lib.go"), "1").unwrap());
    assert_eq!(named(run), [outside.join("lib.go")]);
    watcher.exactly(2);
    for round in 3..6 {
        let run = watcher.run_after(|project| {
            let beside = project.outside("settings.ini.new");
            fs::write(&beside, format!("{round}")).unwrap();
            fs::rename(&beside, &settings).unwrap();
        });
        assert_eq!(named(run), std::slice::from_ref(&settings), "atomic replacement {round}");
        watcher.exactly(round);
    }
    let run = watcher.run_after(|project| project.save_atomically("Makefile", "all: x\n"));
    assert_eq!(run.changed_below(&watcher.tree()), ["Makefile"]);
    watcher.exactly(6);
    watcher.no_run_after(|project| {
        fs::write(project.outside("beside-it.ini"), "1").unwrap();
        fs::write(outside.join("notes.txt"), "1").unwrap();
    });
}

#[test]
fn the_watch_flag_replaces_the_working_directory_and_additional_paths() {
    let project = Project::new()
        .config("additional_paths: [more]\n")
        .file("src/a.go", "0")
        .file("more/a.go", "0")
        .file("a.go", "0");
    let watcher = project.start(["-w", "src"]).ready();
    check(&watcher, "src/a.go", &[("more/a.go", false), ("b.go", false), ("src/deep/b.go", true)]);
}

#[test]
fn ignored_directories_are_neither_watched_nor_walked() {
    let mut project = Project::new().file("a.go", "0");
    for number in 0..200 {
        project = project.file(format!("node_modules/p{number}/index.js"), "0");
    }
    let watcher = project.start([]).ready();
    let info = fs::read_dir(format!("/proc/{}/fdinfo", watcher.pid())).unwrap();
    let watches: usize = info
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count())
        .sum();
    assert!((1..60).contains(&watches), "{watches} watches for one directory and its ancestors");
}

/// As cargo writes it; its first build would else write it into the watched tree.
const LOCK: &str = "\
# This file is automatically @generated by Cargo.
# It is not intended for manual editing.
version = 4

[[package]]
name = \"small\"
version = \"0.1.0\"
";

/// "On this repository itself": a crate whose command is the build, once per save, `target/` never.
#[test]
fn a_crate_is_built_once_per_save() {
    let Some(home) = std::env::var_os("HOME") else { return skip("no HOME") };
    let mut project = Project::new()
        .file(
            "Cargo.toml",
            "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        )
        .file("Cargo.lock", LOCK)
        .file("src/main.rs", "fn main() {}\n")
        .env("HOME", home);
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            project = project.env(name, value);
        }
    }
    let watcher =
        project.git_repository().start_shell("{} && cargo build -q --offline", []).ready();
    watcher.says_all(&["run 1: exit 0"]);
    watcher.exactly(1);
    for round in 2..=4 {
        watcher.save("src/main.rs", format!("fn main() {{ println!(\"{round}\"); }}\n"));
        watcher.says(&format!("run {round}: exit 0"));
        watcher.exactly(round);
    }
}
