//! Random ignore files, judged by this program and by the real git.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "asks the real git")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::filter::*;
use crate::model::{EntryKind, Origin, Rule};

/// Sets of ignore files that are compared in `cargo test`; `GO_WATCHER_GIT_ROUNDS` asks for more.
const ROUNDS: u64 = 60;

const NAMES: [&[u8]; 15] = [
    b"a",
    b"b",
    b"ab",
    b"foo",
    b"foo.go",
    b"x.log",
    b"b.c",
    b"a-b",
    b"dist",
    b"{a,b}",
    b"x y",
    b"[x]",
    b"\xff.go",
    "é".as_bytes(),
    b"!k",
];
const PIECES: [&str; 40] = [
    "a",
    "b",
    "ab",
    "foo",
    "foo.go",
    "dist",
    "*",
    "*.go",
    "**",
    "?",
    "a*",
    "*b",
    "[ab]",
    "[!a]",
    "[a-f]*",
    "*.log",
    "f?o*",
    "*o*",
    "{a,b}",
    "\\*",
    "\\a",
    "x\\ y",
    "x y",
    "[[:alpha:]]",
    "[[:alpha:]-]*",
    "[]x]",
    "\\[x\\]",
    "[x",
    "a[",
    "***",
    "é",
    "??",
    "*.*",
    "b.[co]",
    "[a\\-b]",
    "a**",
    "**b",
    "[^[:alpha:]]*",
    "!k",
    "[/]",
];

/// xorshift: the same rounds every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn line(&mut self) -> String {
        match self.below(30) {
            0 => return String::new(),
            1 => return "# comment".into(),
            2 => return "/".into(),
            3 => return "!".into(),
            _ => {}
        }
        let mut line = String::new();
        line.push_str(self.one(&["", "", "", "!", "!", "\\!"]));
        line.push_str(self.one(&["", "", "/"]));
        for part in 0..1 + self.below(3) {
            line.push_str(if part > 0 { "/" } else { "" });
            line.push_str(self.one(&PIECES));
        }
        line.push_str(self.one(&["", "", "", "/", " ", "\\ ", "\t", "\r", "//"]));
        line
    }

    fn text(&mut self) -> Vec<u8> {
        let bom = if self.below(10) == 0 { "\u{feff}" } else { "" };
        let lines: Vec<String> = (0..self.below(9)).map(|_| self.line()).collect();
        let mut text = (bom.to_owned() + &lines.join("\n")).into_bytes();
        if self.below(8) == 0 {
            text.extend_from_slice(b"\n\xff*");
        }
        text
    }
}

/// A repository on disk, the same tree in every round.
struct Repository {
    _directory: tempfile::TempDir,
    top: PathBuf,
    paths: Vec<(PathBuf, EntryKind)>,
}

impl Repository {
    fn new(random: &mut Random) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&top).unwrap();
        let mut paths = Vec::new();
        let mut directories = vec![PathBuf::new()];
        for _ in 0..120 {
            let parent = directories[random.below(directories.len())].clone();
            let path = parent.join(OsStr::from_bytes(random.one(&NAMES)));
            let full = top.join(&path);
            if path.components().count() > 5 || full.symlink_metadata().is_ok() {
                continue;
            }
            let kind = match random.below(8) {
                0..4 => EntryKind::Directory,
                4 => EntryKind::Link,
                _ => EntryKind::File,
            };
            let made = match kind {
                EntryKind::Directory => std::fs::create_dir(&full),
                EntryKind::Link => std::os::unix::fs::symlink(".", &full),
                _ => std::fs::write(&full, ""),
            };
            // Some file systems take no names that are no UTF-8.
            if made.is_err() {
                continue;
            }
            if kind == EntryKind::Directory {
                directories.push(path.clone());
            }
            paths.push((path, kind));
        }
        let repository = Self { _directory: directory, top, paths };
        let status = repository.git().args(["init", "-q"]).status();
        status.is_ok_and(|status| status.success()).then_some(repository)
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        let top = self.top.as_os_str();
        git.current_dir(&self.top).stderr(Stdio::null());
        git.env("HOME", top).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        git.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
        git
    }

    /// For each path the file and line that ignore it.
    fn judged_by_git(&self, global: &Path) -> Vec<Option<(PathBuf, u32)>> {
        let mut excludes = std::ffi::OsString::from("core.excludesFile=");
        excludes.push(global);
        let mut git = self.git();
        git.args(["-c", "core.ignoreCase=false", "-c"]).arg(excludes).args([
            "check-ignore",
            "-v",
            "-n",
            "-z",
            "--no-index",
            "--stdin",
        ]);
        let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = Vec::new();
        for (path, _) in &self.paths {
            input.extend_from_slice(path.as_os_str().as_bytes());
            input.push(0);
        }
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap().unwrap();
        let fields: Vec<&[u8]> = output.split(|&byte| byte == 0).collect();
        let records = fields.chunks_exact(4).map(|record| {
            let [source, line, pattern, _] = record else { return None };
            let source = PathBuf::from(OsStr::from_bytes(source));
            let ignored = !source.as_os_str().is_empty() && !pattern.starts_with(b"!");
            ignored.then(|| (source, str::from_utf8(line).unwrap().parse().unwrap()))
        });
        records.collect()
    }
}

/// One round: writes random ignore files, returns the disagreements.
fn round(repository: &Repository, random: &mut Random) -> Vec<String> {
    let top = &repository.top;
    let mut files: BTreeMap<PathBuf, Vec<IgnoreText>> = BTreeMap::new();
    let mut written = Vec::new();
    let directories = repository.paths.iter().filter(|(_, kind)| *kind == EntryKind::Directory);
    let directories = directories.map(|(path, _)| top.join(path));
    for directory in std::iter::once(top.clone()).chain(directories) {
        if directory == *top || random.below(4) == 0 {
            let path = directory.join(".gitignore");
            let text = random.text();
            std::fs::write(&path, &text).unwrap();
            written.push(path.clone());
            files.entry(directory).or_default().push(IgnoreText::in_directory(path, text));
        }
    }
    let exclude = IgnoreText::exclude(top.join(".git/info/exclude"), random.text(), top.clone());
    let global = IgnoreText::global(top.with_file_name("global"), random.text(), top.clone());
    for file in [&exclude, &global] {
        std::fs::write(&file.path, &file.text).unwrap();
    }
    let spec = Spec { working_directory: top.clone(), gitignore: true, ..Spec::default() };
    let filter = Filter::new(spec).unwrap();
    let around = filter.root_scope(top, &[exclude, global.clone()]);
    let mut asker = Asker::new(&filter, vec![around]);
    let mut differences = Vec::new();
    let expected = repository.judged_by_git(&global.path);
    assert_eq!(expected.len(), repository.paths.len());
    for ((path, kind), expected) in repository.paths.iter().zip(expected) {
        let look = |directory: &Path| Marks {
            ignore_files: files.get(directory).cloned().unwrap_or_default(),
            ..Marks::default()
        };
        let answer = asker.ask(&top.join(path), *kind, look).unwrap();
        let ours = (!answer.watched).then(|| place(&answer.rule));
        if ours != expected {
            let text = |place: &Option<(PathBuf, u32)>| {
                let (file, line) = place.as_ref()?;
                let text = std::fs::read(top.join(file)).unwrap();
                let line = text.split(|&byte| byte == b'\n').nth(*line as usize - 1)?.to_vec();
                Some(String::from_utf8_lossy(&line).into_owned())
            };
            let (our_line, git_line) = (text(&ours), text(&expected));
            differences.push(format!(
                "{path:?} {kind:?}\n  ours {ours:?} {our_line:?}\n  git  {expected:?} {git_line:?}"
            ));
        }
    }
    for path in written {
        std::fs::remove_file(path).unwrap();
    }
    differences
}

fn place(rule: &Rule) -> (PathBuf, u32) {
    match &rule.origin {
        Origin::File { file, line } => (PathBuf::clone(file), *line),
        other => panic!("{other:?}"),
    }
}

#[test]
fn random_ignore_files_mean_what_they_mean_to_git() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let Some(repository) = Repository::new(&mut random) else {
        eprintln!("skipped: there is no git here to compare with");
        return;
    };
    let rounds = std::env::var("GO_WATCHER_GIT_ROUNDS").ok();
    let rounds = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut differences = Vec::new();
    for _ in 0..rounds {
        differences.extend(round(&repository, &mut random));
    }
    let shown = differences.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(
        differences.is_empty(),
        "{} differences in {rounds} rounds:\n{shown}",
        differences.len()
    );
}
