//! Names that want to move the cursor, forge a line or hide: nothing of them reaches an output as it is.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde_json::Value;

use crate::harness::*;

/// What names are made of: what terminals obey, what turns or hides text, what is no UTF-8, what formats
/// have a meaning for, and what is harmless.
const PIECES: [&[u8]; 40] = [
    b"\x1b[31m",
    b"\x1b]0;x\x07",
    b"\x1b[2J",
    b"\x1b[1A\x1b[2K",
    b"\x1bP1$r\x1b\\",
    b"\x08",
    b"\x7f",
    b"\x01",
    b"\r",
    b"\n",
    b"\n[INFO] run 99: exit 0",
    b"\n{\"event\":\"quit\"}\n",
    b"\t",
    b"\xff",
    b"\xfe\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc2\x9b31m",
    b"\xc2\x85",
    "\u{202e}".as_bytes(),
    "\u{2066}".as_bytes(),
    "\u{2069}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{200f}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{ad}".as_bytes(),
    "\u{61c}".as_bytes(),
    "\u{e0041}".as_bytes(),
    "\u{fe0f}".as_bytes(),
    "\u{3164}".as_bytes(),
    b"\"",
    b"'",
    b"\\",
    b"`$(x)",
    b"%s{}",
    b" ",
    "文件".as_bytes(),
    b"a",
];

/// Any name: of these pieces, and now and then of any bytes at all.
fn name(random: &mut Random, number: usize) -> OsString {
    let mut bytes = Vec::new();
    for _ in 0..1 + random.below(5) {
        match random.below(4) {
            0 => bytes.push(random.below(255) as u8 + 1),
            _ => bytes.extend(PIECES[random.below(PIECES.len() as u64) as usize]),
        }
    }
    bytes.retain(|byte| *byte != b'/' && *byte != 0);
    bytes.extend(format!("{number}").bytes());
    OsString::from_vec(bytes)
}

/// Whether a character does something else than being seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Fails unless this is text of whole lines in which every character can be seen.
#[track_caller]
fn is_clean(what: &str, output: &[u8]) {
    let text = std::str::from_utf8(output).unwrap_or_else(|error| {
        panic!("{what}: {error}: {:?}", output.escape_ascii().to_string());
    });
    let found = text.chars().find(|c| *c != '\n' && is_hidden(*c));
    assert_eq!(found, None, "{what}: {}", output.escape_ascii());
    assert!(text.is_empty() || text.ends_with('\n'), "{what}: {text}");
}

/// Fails unless each line is one of ours.
#[track_caller]
fn is_text(what: &str, output: &[u8]) {
    is_clean(what, output);
    for line in std::str::from_utf8(output).unwrap().lines() {
        let begins = ["[INFO] ", "[WARN] ", "[ERROR] ", "       "];
        assert!(begins.iter().any(|begin| line.starts_with(begin)), "{what}: {line}");
        assert!(!line.starts_with("[INFO] run 99"), "{what}: a forged line: {line}");
    }
}

/// Fails unless each line is an object.
#[track_caller]
fn is_json(what: &str, output: &[u8]) -> Vec<Value> {
    is_clean(what, output);
    let lines = std::str::from_utf8(output).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// What the program says to this, with both its outputs.
fn ask(project: &Project, args: &[&OsStr]) -> (Vec<u8>, Vec<u8>) {
    let output = crate::explain::ask(project, args);
    (output.stdout, output.stderr)
}

/// One project whose working directory, directories and files have such names; the number of names.
fn round(seed: u64, batches: usize, json: bool) -> usize {
    let random = &mut Random(seed);
    let project = Project::new();
    let mut number = 0;
    let mut fresh = || {
        number += 1;
        name(random, number)
    };
    let work = project.path(fresh());
    fs::create_dir(&work).unwrap();
    // A rule and an ignored tree of such a name too.
    let ignored = fresh();
    let mut rules = b"*.no\n/*ignored\n".to_vec();
    rules.extend(ignored.as_bytes().split(|byte| *byte == b'\n').next().unwrap_or_default());
    fs::write(work.join(".gitignore"), rules).unwrap();
    let mut tree = fresh();
    tree.push("ignored");
    fs::create_dir(work.join(&tree)).unwrap();
    let directories: Vec<OsString> = (0..4).map(|_| fresh()).collect();
    for directory in &directories {
        fs::create_dir(work.join(directory)).unwrap();
    }
    let mut command = project.in_tree(project.program_path());
    command.current_dir(&work).args(["run", "-v", "--on-busy", "queue"]);
    command.args(["--log-format", if json { "json" } else { "text" }, "-e", "true"]);
    let mut watcher = Raw::start(&project, command);
    fn words<'a>(list: &[&'a str]) -> Vec<&'a OsStr> {
        list.iter().map(|word| OsStr::new(*word)).collect()
    }
    let inside = |args: &[&OsStr]| {
        let mut command = project.in_tree(project.program_path());
        command.current_dir(&work).args(args).stdin(std::process::Stdio::null());
        let output = command.output().expect("the program starts");
        (output.stdout, output.stderr)
    };
    watcher.wait_until_it_listens(&project, &work);
    for _ in 0..batches {
        let mut paths: Vec<OsString> = Vec::new();
        for place in 0..16 {
            let mut path = directories[place % 4].clone();
            path.push("/");
            path.push(fresh());
            // Some that are skipped, each with a line.
            path.push(if place % 4 == 0 { ".no" } else { "" });
            fs::write(work.join(&path), "x").unwrap();
            paths.push(path);
        }
        let (out, err) = inside(&words(&["wait"]));
        is_clean("wait", &out);
        is_clean("wait", &err);
        is_json("wait --json", &inside(&words(&["wait", "--json"])).0);
        is_clean("status", &inside(&words(&["status"])).0);
        is_json("status --json", &inside(&words(&["status", "--json"])).0);
        for flags in [&["explain", "--"][..], &["explain", "--json", "--"]] {
            let mut args = words(flags);
            args.extend(paths.iter().map(OsString::as_os_str));
            let (out, err) = inside(&args);
            is_clean("explain", &err);
            match flags.len() {
                2 => is_clean("explain", &out),
                _ => {
                    let told = is_json("explain --json", &out);
                    let exact = told.iter().map(|line| crate::explain::exact(&line["path"]));
                    assert!(exact.eq(paths.iter().map(|path| work.join(path))), "{told:?}");
                }
            }
        }
        let skipped = inside(&[OsStr::new("wait"), "--".as_ref(), paths[0].as_os_str()]);
        is_clean("wait PATH", &skipped.1);
        assert!(!skipped.1.is_empty(), "{} is skipped", paths[0].display());
    }
    for args in [
        &["explain"][..],
        &["explain", "--json"],
        &["explain", "--tree"],
        &["explain", "--tree", "--json"],
    ] {
        let (out, err) = inside(&words(args));
        is_clean(&format!("{args:?}"), &out);
        is_clean(&format!("{args:?}"), &err);
    }
    for args in [
        &["check", "-c"][..],
        &["run", "-c"],
        &["init", "-o"],
        &["run", "-w"],
        &["check", "-e"],
        &["check", "-E"],
        &["check", "-i"],
        &["run", "--name"],
        &["status", "--name"],
        &["run", "--ext", "go", "--on-busy"],
        &["run", "--no-such-flag"],
    ] {
        let odd = fresh();
        let mut args = words(args);
        args.push(&odd);
        if args[1] == "-w" {
            args.extend(words(&["--once", "-e", "true"]));
        }
        let (out, err) = ask(&project, &args);
        is_clean("what is no file", &out);
        is_clean("what is no file", &err);
    }
    let said = watcher.end();
    match json {
        true => drop(is_json("run --log-format json", &said)),
        false => is_text("run", &said),
    }
    number
}

/// The program with its standard error as bytes.
struct Raw {
    child: std::process::Child,
    said: std::path::PathBuf,
}

impl Raw {
    fn start(project: &Project, mut command: std::process::Command) -> Self {
        let said = project.outside("raw");
        let file = fs::File::create(&said).unwrap();
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(file);
        Self { child: command.spawn().expect("the program starts"), said }
    }

    fn wait_until_it_listens(&mut self, project: &Project, work: &std::path::Path) {
        let listens = until(DEADLINE, || {
            let mut command = project.in_tree(project.program_path());
            let output = command.current_dir(work).arg("wait").output().unwrap();
            (output.status.code() == Some(0)).then_some(())
        });
        assert!(listens.is_some(), "{}", fs::read(&self.said).unwrap().escape_ascii());
    }

    /// Everything that it said.
    fn end(mut self) -> Vec<u8> {
        processes::send(self.child.id(), Signal::TERM);
        let ended = until(DEADLINE, || self.child.try_wait().unwrap());
        assert!(ended.is_some(), "it does not end");
        fs::read(&self.said).unwrap()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Projects until so many names have been tried.
fn names(first: u64, count: usize, batches: usize) {
    let (mut seed, mut done) = (first, 0);
    while done < count {
        done += round(seed, batches, seed.is_multiple_of(2));
        seed += 1;
    }
    eprintln!("{done} names in {} projects", seed - first);
}

#[test]
fn hostile_names_put_no_raw_byte_on_any_output() {
    names(1, 200, 4);
}

#[test]
#[ignore = "10,000 hostile names; make torture"]
fn torture_hostile_names_put_no_raw_byte_on_any_output() {
    names(1_000, 10_000, 20);
}
