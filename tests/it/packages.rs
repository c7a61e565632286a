//! What `make install` puts where, and what a package holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::*;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where shells and `man` look below a prefix.
const FILES: [&str; 5] = [
    "bin/go-watcher",
    "share/bash-completion/completions/go-watcher",
    "share/fish/vendor_completions.d/go-watcher.fish",
    "share/man/man1/go-watcher.1",
    "share/zsh/site-functions/_go-watcher",
];

fn make(project: &Project, words: &[String]) -> Output {
    let mut make = project.in_tree("make");
    make.arg("-C").arg(ROOT).arg("-s").args(words);
    make.arg(format!("PROGRAM={}", project.program_path().display()));
    make.output().expect("make")
}

/// Every file below a directory, relative to it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![directory.to_path_buf()]);
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => found.push(path.strip_prefix(directory).unwrap().to_path_buf()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn install_puts_everything_where_the_system_looks_and_uninstall_takes_it_away() {
    let project = Project::new();
    let home = project.root().join("home");
    let staged = project.root().join("staged");
    let variables = [
        // For this user: below ~/.local.
        (vec![], home.join(".local")),
        (vec![format!("DESTDIR={}", staged.display()), "PREFIX=/usr".into()], staged.join("usr")),
    ];
    for (variables, prefix) in variables {
        let words = |target: &str| -> Vec<String> {
            variables.iter().cloned().chain([target.to_owned()]).collect()
        };
        let made = make(&project, &words("install-built"));
        assert!(made.status.success(), "{made:?}");
        assert_eq!(files(&prefix), FILES.map(PathBuf::from), "{made:?}");
        let program = prefix.join("bin/go-watcher");
        let version = Command::new(&program).arg("--version").output().expect("it is a program");
        let expected = concat!("go-watcher ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(version.stdout, expected.as_bytes());
        works(&prefix);
        let removed = make(&project, &words("uninstall"));
        assert!(removed.status.success(), "{removed:?}");
        assert_eq!(files(&prefix), Vec::<PathBuf>::new());
    }
}

/// Shells take their completions, and `man` finds and renders the page without a complaint.
fn works(prefix: &Path) {
    let share = prefix.join("share");
    let bash = share.join("bash-completion/completions/go-watcher");
    if on_path("bash") {
        // The words that are offered after `run --on-b`.
        let script = "source \"$1\"; COMP_WORDS=(go-watcher run --on-b); COMP_CWORD=2; \
                      $(complete -p go-watcher | sed 's/.*-F \\([^ ]*\\).*/\\1/') go-watcher --on-b run; \
                      printf '%s\\n' \"${COMPREPLY[@]}\"";
        let mut offered = Command::new("bash");
        offered.args(["--norc", "-c", script, "bash"]).arg(bash);
        let offered = offered.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&offered.stdout).trim(), "--on-busy", "{offered:?}");
    }
    for (shell, file) in [
        ("zsh", "zsh/site-functions/_go-watcher"),
        ("fish", "fish/vendor_completions.d/go-watcher.fish"),
    ] {
        if on_path(shell) {
            let checked = Command::new(shell).arg("-n").arg(share.join(file)).output().unwrap();
            assert!(checked.status.success(), "{checked:?}");
        }
    }
    if on_path("man") {
        let mut man = Command::new("man");
        man.args(["--warnings", "go-watcher"]).env("MANPATH", share.join("man"));
        let page = man.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80").output().unwrap();
        assert!(page.status.success() && page.stderr.is_empty(), "{page:?}");
        assert!(String::from_utf8_lossy(&page.stdout).contains("EXIT STATUS"), "{page:?}");
    }
}

#[test]
fn the_debian_package_takes_what_make_deb_gathers() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let (_, assets) = manifest.split_once("\nassets = [\n").expect("assets");
    let (assets, _) = assets.split_once("\n]\n").expect("their end");
    let mut sources = Vec::new();
    for line in assets.lines() {
        let asset: Vec<String> =
            serde_json::from_str(line.trim().trim_end_matches(',')).expect(line);
        let [source, place, mode] = asset.try_into().expect(line);
        assert!(place.starts_with("usr/") && place.ends_with('/'), "{line}");
        assert_eq!(mode == "755", place == "usr/bin/", "{line}");
        match source.strip_prefix("target/") {
            // Made before: what `install-built` makes.
            Some(made) => sources.push(made.replacen("deb/", "", 1)),
            None => assert!(Path::new(ROOT).join(&source).is_file(), "{source}"),
        }
    }
    for file in FILES.iter().filter(|file| **file != "bin/go-watcher") {
        assert!(sources.iter().any(|source| source == file), "{file} is not in the package");
    }
    assert!(sources.iter().any(|source| source == "release/go-watcher"));
}

/// The size of a release build, when there is one.
#[test]
fn a_release_build_is_smaller_than_6_mb() {
    let directory = Path::new(env!("CARGO_BIN_EXE_go-watcher")).parent().unwrap();
    let release = directory.with_file_name("release").join("go-watcher");
    match fs::metadata(&release) {
        Ok(meta) => assert!(meta.len() < 6_000_000, "{} bytes", meta.len()),
        Err(_) => skip("there is no release build"),
    }
}
