//! What `explain` says is what a running instance does: random rules, random paths.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::Value;

use crate::explain::{ask, err, exact, out};
use crate::harness::*;

/// A random project: what is in it, and how it is started.
struct Case {
    project: Project,
    flags: Vec<String>,
    files: Vec<PathBuf>,
    links: Vec<PathBuf>,
    fresh: Vec<PathBuf>,
}

fn one<'a, T: ?Sized>(random: &mut Random, from: &[&'a T]) -> &'a T {
    from[random.below(from.len() as u64) as usize]
}

/// An entry of `excluded_paths`, `-i` or an ignore file.
fn pattern(random: &mut Random) -> String {
    const PIECES: [&str; 24] = [
        "a",
        "b",
        "ab",
        "src",
        "dist",
        "*",
        "**",
        "*.go",
        "a*",
        "*b",
        "?",
        "[ab]",
        "[!a]*",
        "*_gen.go",
        "*.log",
        "x.go",
        "node_modules",
        ".hid",
        "{a,b}",
        "target",
        "é.go",
        "*.txt",
        "a b",
        "sub",
    ];
    let parts = 1 + random.below(3);
    let body: Vec<&str> = (0..parts).map(|_| one(random, &PIECES)).collect();
    let sign = one(random, &["", "", "", "!"]);
    let slash = one(random, &["", "", "", "/"]);
    format!("{sign}{}{slash}", body.join("/"))
}

fn patterns(random: &mut Random, most: u64) -> Vec<String> {
    (0..random.below(most)).map(|_| pattern(random)).collect()
}

fn yaml(list: &[String]) -> String {
    format!("[{}]", list.iter().map(|entry| format!("'{entry}'")).collect::<Vec<_>>().join(", "))
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let random = &mut random;
        let mut case = Self {
            project: Project::new(),
            // Queued: a run that is replaced may not come to write down what it was told.
            flags: ["-p", "--on-busy", "queue"].map(str::to_owned).to_vec(),
            files: Vec::new(),
            links: Vec::new(),
            fresh: Vec::new(),
        };
        let directories = case.fill(random);
        case.write_rules(random, &directories);
        case
    }

    /// Makes the tree; returns its directories.
    fn fill(&mut self, random: &mut Random) -> Vec<PathBuf> {
        const DIRECTORIES: [&str; 11] = [
            "a",
            "b",
            "ab",
            "src",
            "dist",
            "node_modules",
            ".hid",
            "target",
            "a b",
            "sub",
            "vendor",
        ];
        const FILES: [&[u8]; 15] = [
            b"x.go",
            b"y.txt",
            b"z.log",
            b"a",
            b"b_gen.go",
            b"Makefile",
            b"c.c",
            b".env",
            b"\xff.go",
            "é.go".as_bytes(),
            b"a b",
            b"x.go~",
            b"4913",
            b"n\nl.go",
            b"ab",
        ];
        let mut directories = vec![PathBuf::new()];
        for _ in 0..60 {
            let parent = &directories[random.below(directories.len() as u64) as usize];
            let kind = random.below(20);
            let name = if kind < 8 {
                OsStr::new(one(random, &DIRECTORIES))
            } else {
                OsStr::from_bytes(one(random, &FILES))
            };
            let path = parent.join(name);
            let full = self.project.path(&path);
            if path.components().count() > 5 || full.symlink_metadata().is_ok() {
                continue;
            }
            match kind {
                0..8 => {
                    fs::create_dir(&full).unwrap();
                    directories.push(path);
                }
                8..15 => {
                    fs::write(&full, "0").unwrap();
                    self.files.push(path);
                }
                15 => {
                    symlink(".", &full).unwrap();
                    self.links.push(path);
                }
                16..18 => self.fresh.push(path),
                18 => self.fresh.push(parent.join("new").join("deep").join(name)),
                _ => {
                    let (name, text) = if random.below(2) == 0 {
                        ("Cargo.toml", "")
                    } else {
                        ("CACHEDIR.TAG", CACHEDIR_TAG)
                    };
                    fs::write(self.project.path(parent.join(name)), text).unwrap();
                }
            }
        }
        // The last of one name is what is there.
        let (files, links) = (&self.files, &self.links);
        self.fresh.retain(|path| !files.contains(path) && !links.contains(path));
        let root = self.project.tree();
        self.fresh.retain(|path| !path.ancestors().any(|above| root.join(above).is_file()));
        self.fresh.retain(|path| !root.join(path).is_dir());
        directories
    }

    fn write_rules(&mut self, random: &mut Random, directories: &[PathBuf]) {
        let project = &self.project;
        for directory in directories {
            for (name, odds) in [(".gitignore", 4), (".ignore", 9)] {
                if random.below(odds) == 0
                    || (directory.as_os_str().is_empty() && name == ".gitignore")
                {
                    project.save_new(directory.join(name), patterns(random, 6).join("\n"));
                }
            }
        }
        if random.below(3) == 0 {
            project.save_new(".git/info/exclude", patterns(random, 3).join("\n"));
        }
        if random.below(3) == 0 {
            project.save_new(
                project.root().join("home/.config/git/ignore"),
                patterns(random, 3).join("\n"),
            );
        }
        let types: &[&str] = match random.below(4) {
            0 => &[".go", "*.log", "Makefile"],
            1 => &["go", "txt", ".env"],
            _ => &[],
        };
        let regexps: &[&str] = &["_gen", "^a", "\\.txt$", "^src/", "*.log$", "b$"];
        let regexps: Vec<String> = match random.below(2) {
            0 => Vec::new(),
            _ => vec![one(random, regexps).to_owned(), one(random, regexps).to_owned()],
        };
        let types: Vec<String> = types.iter().map(|one| (*one).to_owned()).collect();
        // Else a file that a run was in time to see, although not told of, need not cause another.
        let text = format!(
            "watcher:\n  exclude_unchanged: false\n  included_filetypes: {}\n  excluded_regexps: {}\nexcluded_paths: {}\n",
            yaml(&types),
            yaml(&regexps),
            yaml(&patterns(random, 4)),
        );
        project.save_new("watcher.yml", text);
        for entry in patterns(random, 3) {
            self.flags.extend(["-i".to_owned(), entry]);
        }
        for (flag, odds) in [("--no-default-ignore", 6), ("--no-gitignore", 8)] {
            if random.below(odds) == 0 {
                self.flags.push(flag.to_owned());
            }
        }
        if random.below(4) == 0 {
            // A root that is missing is looked for on a timer: `wait` need not have seen it.
            let files = self.files.iter().chain(directories);
            let paths: Vec<&str> = files.filter_map(|path| path.to_str()).collect();
            for _ in 0..=random.below(3) {
                let root = one(random, &paths);
                self.flags
                    .extend(["-w".to_owned(), if root.is_empty() { "." } else { root }.to_owned()]);
            }
        }
    }
}

/// The paths that `explain` calls watched.
fn watched(project: &Project, flags: &[String], paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut args: Vec<&OsStr> = vec!["explain".as_ref(), "--json".as_ref()];
    args.extend(flags.iter().map(OsStr::new));
    args.push("--".as_ref());
    args.extend(paths.iter().map(|path| path.as_os_str()));
    let output = ask(project, args);
    let lines: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), paths.len(), "{}", err(&output));
    let all = lines.iter().all(|line| line["watched"] == true);
    assert_eq!(output.status.code(), Some(i32::from(!all)));
    let watched = lines.iter().filter(|line| line["watched"] == true);
    let tree = project.tree();
    watched.map(|line| exact(&line["path"]).strip_prefix(&tree).unwrap().to_path_buf()).collect()
}

/// Compares for each path of one random project what `explain` says with what happens; the number of paths.
fn round(seed: u64) -> usize {
    let Case { project, flags, files, links, fresh } = Case::new(seed);
    let paths: Vec<PathBuf> = files.iter().chain(&links).chain(&fresh).cloned().collect();
    let words: Vec<&str> = flags.iter().map(String::as_str).collect();
    let watcher = project.start(words).watching();
    let by_files = watched(&watcher, &flags, &paths);
    let by_instance = watched(&watcher, &[], &paths);
    for path in files.iter().chain(&fresh) {
        watcher.save_new(path, format!("{seed}"));
    }
    for path in &links {
        watcher.remove(path);
        symlink("..", watcher.path(path)).unwrap();
    }
    let waits = ask(&watcher, ["wait"]);
    assert_eq!(waits.status.code(), Some(0), "{}{}", out(&waits), err(&waits));
    let tree = watcher.tree();
    let runs = watcher.run_log();
    let changed = runs.iter().flat_map(|run| run.changed.iter().flatten());
    let changed: BTreeSet<PathBuf> =
        changed.map(|path| path.strip_prefix(&tree).unwrap_or(path).to_path_buf()).collect();
    for path in &paths {
        let say = |said: &BTreeSet<PathBuf>| said.contains(path);
        let (happened, instance, read) = (say(&changed), say(&by_instance), say(&by_files));
        if (happened, happened) != (instance, read) {
            let line = out(&ask(&watcher, ["explain".as_ref(), path.as_os_str()]));
            panic!(
                "seed {seed}, flags {flags:?}: {path:?} reloads: {happened}, the instance says {instance}, \
                 the files say {read}\n{line}{}\n{}",
                fs::read_to_string(watcher.path("watcher.yml")).unwrap(),
                watcher.story()
            );
        }
    }
    paths.len()
}

/// Random projects until so many paths were compared.
fn compare(first: u64, pairs: usize) {
    let (mut seed, mut done) = (first, 0);
    while done < pairs {
        done += round(seed);
        seed += 1;
    }
    eprintln!("{done} (rules, path) pairs in {} projects", seed - first);
}

#[test]
fn explain_agrees_with_what_a_running_instance_does() {
    compare(1, 300);
}

#[test]
#[ignore = "10,000 random (rules, path) pairs; make torture"]
fn torture_explain_agrees_with_what_a_running_instance_does() {
    compare(1_000, 10_000);
}
