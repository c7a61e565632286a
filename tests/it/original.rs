//! The promise to users of the original: its file loads and works.

use crate::harness::*;

/// The configuration file of the original's documentation, as it stands there.
pub(crate) const ORIGINAL: &str = "\
watcher:                   # 监视器配置
  duration: 2000
  included_filetypes:
  - .go
  excluded_regexps:
  - ^.gitignore$
  - '*.yml$'
  - '*.txt$'
additional_paths: []
excluded_paths:
- vendor
- .git
envs:
- GOROOT=/path/to/your/goroot
- GOPATH=/path/to/your/gopath
";

fn project() -> Project {
    Project::new()
        .config(ORIGINAL)
        .file("main.go", "0")
        .file("vendor/lib.go", "0")
        .file("vendor2/lib.go", "0")
        .file("notes.txt", "0")
        .file("other.yml", "0")
        .env("GOPATH", "/home/somebody/go")
        .runs(Stamp::quick().notes_env("GOPATH").notes_env("GOROOT"))
}

#[test]
fn a_go_file_reloads_and_so_does_vendor2_but_not_vendor_yml_or_txt() {
    let watcher = project().start([]).ready();
    watcher.says_all(&["run 1", "config.yml"]);
    pace_ms(2100); // its duration binds the time between two reloads
    watcher.run_after(|project| project.save("main.go", "1"));
    watcher.exactly(2);
    watcher.no_run_after(|project| {
        project.save("vendor/lib.go", "1");
        project.save("notes.txt", "1");
        project.save("other.yml", "1");
        project.save(".gitignore", "nothing-of-ours\n");
    });
    let run = watcher.run_after(|project| project.save("vendor2/lib.go", "1"));
    assert_eq!(run.changed_below(&watcher.tree()), ["vendor2/lib.go"]);
}

#[test]
fn its_placeholders_are_not_passed_on_and_what_is_inherited_is() {
    let watcher = project().start([]).ready();
    let run = watcher.wait_runs(1);
    assert_eq!(run.env["GOPATH"], Some("/home/somebody/go".into()));
    assert_eq!(run.env["GOROOT"], None);
    watcher.exactly(1);
    let placeholders = watcher.count_lines("/path/to/your/");
    assert_eq!(placeholders, 1, "one warning\n{}", watcher.story());
}

#[test]
fn each_of_its_two_globs_among_the_regexps_is_one_warning() {
    let watcher = project().start([]).ready();
    watcher.matches(r"^\[WARN\] config\.yml:7:5: '\*\.yml\$' is not a regular expression; read as the glob \*\.yml$");
    watcher.matches(r"^\[WARN\] config\.yml:8:5: '\*\.txt\$' is not a regular expression; read as the glob \*\.txt$");
    assert_eq!(watcher.count_lines("is not a regular expression"), 2, "{}", watcher.story());
}

#[test]
fn a_named_root_is_watched_although_gitignore_names_it() {
    let watcher = Project::new()
        .file("dist/app.js", "0")
        .file("src/app.ts", "0")
        .file(".gitignore", "dist/\n")
        .git_repository()
        .runs(Stamp::quick())
        .start(["-w", "dist"])
        .ready();
    let run = watcher.run_after(|project| project.save("dist/app.js", "1"));
    assert_eq!(run.changed_below(&watcher.tree()), ["dist/app.js"]);
    assert_eq!(run.directory, watcher.tree(), "the command still runs in the working directory");
    watcher.exactly(2);
    watcher.no_run_after(|project| project.save("src/app.ts", "1"));
}

#[test]
fn its_settings_on_the_command_line_win() {
    let watcher = project().start(["--ext", "txt,md", "-E", "GOPATH=/from/the/flag"]).ready();
    assert_eq!(watcher.wait_runs(1).env["GOPATH"], Some("/from/the/flag".into()));
    pace_ms(2100);
    watcher.no_run_after(|project| project.save("main.go", "1"));
    watcher.run_after(|project| project.save("readme.md", "1"));
}
