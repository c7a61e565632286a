//! Broken files: each is refused with its place and a remedy, soon, and never by a panic.

use std::time::Duration;

use super::{Project, fifo};

/// `(content, "line:column: key", what is wrong, what to write instead)`.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// The processor time of this thread: the wall clock would measure the machine's other work.
fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn refuse(content: &[u8], place: &str, wrong: &str, remedy: &str) {
    let project = Project::with("config.yml", content);
    let start = cpu_time();
    let error = project.bad("-c config.yml");
    let took = cpu_time() - start;
    let name = String::from_utf8_lossy(&content[..content.len().min(60)]).into_owned();
    assert!(took < Duration::from_millis(200), "{name:?} took {took:?}");
    let head = error.lines().next().unwrap_or_default();
    let separator = if place.is_empty() || place.ends_with(':') { "" } else { ":" };
    let expected = format!("config.yml:{place}{separator} ");
    assert!(head.starts_with(&expected), "{name:?}\n  wants {expected}\n  has   {error}");
    assert!(head.contains(wrong), "{name:?}\n  wants {wrong}\n  has   {error}");
    assert!(head.contains(remedy), "{name:?}\n  wants {remedy}\n  has   {error}");
    assert!(head.contains("; "), "{name:?} has no remedy: {error}");
    if !place.is_empty() && wrong != "is UTF-16" {
        let caret = error.lines().last().unwrap_or_default();
        assert!(caret.ends_with('^'), "{name:?} has no caret: {error}");
        assert_eq!(error.lines().count(), 3, "{name:?}: {error}");
    }
}

fn refuse_all(rows: &[Row]) {
    for (content, place, wrong, remedy) in rows {
        refuse(content.as_bytes(), place, wrong, remedy);
        // The same with the other line ends and a byte order mark: the same place.
        let crlf = format!("\u{feff}{}", content.replace('\n', "\r\n"));
        refuse(crlf.as_bytes(), place, wrong, remedy);
    }
}

#[test]
fn unknown_keys() {
    refuse_all(&[
        (
            "watcher:\n  include_filetypes: [.go]\n",
            "2:3: watcher.include_filetypes",
            "unknown key",
            "did you mean included_filetypes?",
        ),
        ("wacher: {}\n", "1:1: wacher", "unknown key", "did you mean watcher?"),
        ("duration: 2000\n", "1:1: duration", "unknown key", "did you mean watcher.duration?"),
        (
            "watcher:\n  excluded_paths: []\n",
            "2:3: watcher.excluded_paths",
            "unknown key",
            "excluded_paths at the top level?",
        ),
        ("cmd: go run .\n", "1:1: cmd", "unknown key", "known here: command, watcher"),
        (
            "watcher: {duraton: 5}\n",
            "1:11: watcher.duraton",
            "unknown key",
            "did you mean duration?",
        ),
        ("stop:\n  sig: TERM\n", "2:3: stop.sig", "unknown key", "did you mean"),
        ("中文: 1\n", "1:1: 中文", "unknown key", "known here"),
        ("<<: {a: 1}\n", "1:1: <<", "unknown key", "known here"),
        ("\"\\u001b[31m\": 1\n", "1:1: \\x1b[31m", "unknown key", "known here"),
        (
            "# 监视器\nwatcher: # x\n  # y\n  debouce: 5\n",
            "4:3: watcher.debouce",
            "unknown key",
            "did you mean debounce?",
        ),
        ("on-busy: queue\n", "1:1: on-busy", "unknown key", "did you mean on_busy?"),
        ("1: 2\n", "1:1: 1", "unknown key", "known here"),
        ("null: 2\n", "1:1: null", "unknown key", "known here"),
        ("\"\": 2\n", "1:1:", "unknown key", "known here"),
        ("\"watcher.duration\": 2\n", "1:1: watcher.duration", "unknown key", "known here"),
    ]);
}

#[test]
fn wrong_types() {
    refuse_all(&[
        ("- a\n- b\n", "1:1:", "a list, no keys", "write for example"),
        ("hello\n", "1:1:", "only a text, no keys", "write for example"),
        ("watcher: 5\n", "1:10: watcher", "'5' is no section", "indent its keys"),
        ("watcher:\n- duration: 5\n", "1:1: watcher", "a list is no section", "indent its keys"),
        ("stop: SIGTERM\n", "1:7: stop", "is no section", "signal, timeout, keep"),
        ("watcher:\n  duration: [1]\n", "2:13: watcher.duration", "a list", "write 500ms or 2s"),
        (
            "watcher:\n  duration:\n    ms: 5\n",
            "2:3: watcher.duration",
            "a map",
            "write 500ms or 2s",
        ),
        (
            "watcher:\n  included_filetypes: .go\n",
            "2:23: watcher.included_filetypes",
            "is not a list",
            "write [.go]",
        ),
        (
            "watcher:\n  included_filetypes: go,html\n",
            "2:23: watcher.included_filetypes",
            "is not a list",
            "write [go, html]",
        ),
        (
            "watcher:\n  included_filetypes: {go: true}\n",
            "2:23: watcher.included_filetypes",
            "a map is not a list",
            "- item",
        ),
        ("excluded_paths: vendor\n", "1:17: excluded_paths", "is not a list", "write [vendor]"),
        (
            "excluded_paths:\n- [a, b]\n",
            "2:3: excluded_paths",
            "a list inside the list",
            "write a path",
        ),
        ("excluded_paths:\n- a: b\n", "2:3: excluded_paths", "a map inside the list", "quote one"),
        (
            "excluded_paths:\n- a\n-\n- b\n",
            "3:2: excluded_paths",
            "an empty item",
            "delete the dash",
        ),
        ("excluded_paths: [a, '']\n", "1:21: excluded_paths", "an empty item", "delete it"),
        ("excluded_paths: [\"a\\0b\"]\n", "1:18: excluded_paths", "holds a NUL", "take it out"),
        (
            "watcher:\n  gitignore: yes\n",
            "2:14: watcher.gitignore",
            "'yes' is neither",
            "write true or false",
        ),
        (
            "watcher:\n  gitignore: 1\n",
            "2:14: watcher.gitignore",
            "'1' is neither",
            "write true or false",
        ),
        (
            "watcher:\n  gitignore: 'true'\n",
            "2:14: watcher.gitignore",
            "is neither",
            "write true or false",
        ),
        ("keys: []\n", "1:7: keys", "a list", "write true or false"),
        (
            "command: {run: x}\n",
            "1:10: command",
            "a map is not a command",
            "write a text, or a list",
        ),
        ("command: ''\n", "1:10: command", "is empty", "write something"),
        ("command: '  '\n", "1:10: command", "is blank", "write something"),
        ("command: []\n", "1:10: command", "an empty list", "[go, run, .]"),
        ("command: ['', a]\n", "1:11: command", "an empty item", "write a program"),
        ("command: [go, [run]]\n", "1:15: command", "a list inside the list", "write a program"),
        ("command: \"a\\0b\"\n", "1:10: command", "holds a NUL", "take it out"),
        (
            "on_busy: wait\n",
            "1:10: on_busy",
            "'wait' is not known",
            "restart, queue, ignore or signal",
        ),
        ("on_busy: Restart\n", "1:10: on_busy", "is none of", "did you mean restart?"),
        ("on_crash: retry\n", "1:11: on_crash", "'retry' is not known", "wait, exit or restart"),
        ("stdin: tty\n", "1:8: stdin", "'tty' is not known", "null, open or terminal"),
        ("log_format: jsn\n", "1:13: log_format", "is none of", "did you mean json?"),
        (
            "watcher:\n  backend: inotify\n",
            "2:12: watcher.backend",
            "is not known",
            "auto, native, portable or poll",
        ),
        (
            "stop:\n  signal: SIGTREM\n",
            "2:11: stop.signal",
            "is no signal",
            "did you mean SIGTERM?",
        ),
        ("stop:\n  signal: 99\n", "2:11: stop.signal", "is no signal", "SIGTERM or SIGINT"),
        ("stop:\n  signal: STOP\n", "2:11: stop.signal", "suspends", "SIGTERM or SIGINT"),
        ("name: a/b\n", "1:7: name", "is no name", "letters, digits"),
    ]);
}

#[test]
fn durations_without_sense() {
    refuse_all(&[
        ("watcher:\n  duration: -5\n", "2:13: watcher.duration", "less than nothing", "500ms, 2s"),
        (
            "watcher:\n  duration: soon\n",
            "2:13: watcher.duration",
            "'soon' is not a duration",
            "500ms, 2s",
        ),
        (
            "watcher:\n  duration: 2 parsecs\n",
            "2:13: watcher.duration",
            "'2 parsecs' is not a duration",
            "500ms",
        ),
        ("watcher:\n  duration: .inf\n", "2:13: watcher.duration", "not a duration", "500ms"),
        ("watcher:\n  duration: .nan\n", "2:13: watcher.duration", "not a duration", "500ms"),
        ("watcher:\n  duration: 1e3\n", "2:13: watcher.duration", "not a duration", "500ms"),
        ("watcher:\n  duration: ''\n", "2:13: watcher.duration", "an empty duration", "500ms"),
        ("watcher:\n  duration: true\n", "2:13: watcher.duration", "not a duration", "500ms"),
        ("watcher:\n  duration: auto\n", "2:13: watcher.duration", "not a duration", "500ms"),
        (
            "watcher:\n  duration: 9999999999999999999\n",
            "2:13: watcher.duration",
            "longer than a day",
            "500ms",
        ),
        (
            "watcher:\n  debounce: never\n",
            "2:13: watcher.debounce",
            "not a duration",
            "write auto, 500ms",
        ),
        ("watcher:\n  poll: 0\n", "2:9: watcher.poll", "is no interval", "auto, never, always"),
        (
            "watcher:\n  poll: sometimes\n",
            "2:9: watcher.poll",
            "not a duration",
            "write auto, never, always, 500ms",
        ),
        (
            "watcher:\n  poll: never\n  backend: poll\n",
            "2:9: watcher.poll",
            "watcher.backend is poll",
            "change one",
        ),
        ("stop:\n  timeout: 5 sekunden\n", "2:12: stop.timeout", "not a duration", "500ms"),
    ]);
}

#[test]
fn environment_entries() {
    refuse_all(&[
        ("envs: A=1\n", "1:7: envs", "is not a list", "[NAME=value]"),
        ("envs: [A]\n", "1:8: envs", "'A' has no =", "NAME=value"),
        ("envs:\n- =x\n", "2:3: envs", "an empty name", "NAME=value"),
        ("envs: {'': x}\n", "1:8: envs", "an empty name", "NAME=value"),
        ("envs: [\"A\\0=x\"]\n", "1:8: envs", "holds a NUL", "take it out"),
        ("envs: [\"A=x\\0\"]\n", "1:8: envs", "holds a NUL", "take it out"),
        ("envs: {A: \"x\\0\"}\n", "1:11: envs", "holds a NUL", "take it out"),
        ("envs: {A=B: x}\n", "1:8: envs", "holds a =", "NAME: value"),
        ("envs:\n  A:\n", "2:3: envs", "A has no value", "\"\""),
        ("envs:\n  A: [x]\n", "2:6: envs", "a list is no value of A", "write a text"),
        ("envs:\n- A: x\n", "2:3: envs", "a map inside the list", "NAME=value"),
        ("envs: {A: 1, A: 2}\n", "1:14: envs.A", "duplicate key", "keep one"),
    ]);
}

#[test]
fn no_yaml() {
    refuse_all(&[
        (
            "watcher:\n  duration: 1\n  duration: 2\n",
            "3:3: watcher.duration",
            "duplicate key, first on line 2",
            "keep one",
        ),
        ("command: a\ncommand: b\n", "2:1: command", "duplicate key", "keep one"),
        ("watcher:\n\tduration: 1\n", "2:1:", "a tab in the indentation", "indent with spaces"),
        ("watcher:\n  excluded_regexps:\n  - *.yml\n", "3:5:", "begins with *", "quote it"),
        ("command: @foo\n", "1:10:", "cannot begin with @", "quote it"),
        ("command: `foo`\n", "1:10:", "cannot begin with `", "quote it"),
        ("command: a: b\n", "1:11:", "a colon", "quote a value"),
        ("command: 'a\n", "1:10:", "not valid YAML", "check quotes"),
        ("watcher: [a\n", "2:1:", "not valid YAML", "brackets"),
        ("watcher: {a: 1\n", "2:1:", "not valid YAML", "brackets"),
        ("watcher: }\n", "1:10:", "not valid YAML", "brackets"),
        ("command: \"\\q\"\n", "1:10:", "a backslash begins an escape", "use single quotes"),
        ("a: 1\n---\na: 2\n", "2:1:", "second document", "keep one"),
        ("command: !shell ls\n", "1:10: command", "the tag '!shell'", "write the value alone"),
        ("command: *nothing\n", "1:10:", "alias", "quote it"),
        ("? [a, b]\n: c\n", "1:3:", "where a key belongs", "write a word"),
        ("watcher:\n  duration: 1\n poll: auto\n", "3:2:", "not valid YAML", "indentation"),
        ("command: ls\n  -l: x\n", "2:5:", "", ""),
    ]);
}

#[test]
fn patterns() {
    refuse_all(&[
        (
            "watcher:\n  excluded_regexps:\n  - 'a'\n  - '(b'\n",
            "4:5: watcher.excluded_regexps",
            "'(b'",
            "",
        ),
        (
            "watcher:\n  excluded_regexps: ['[z-a]']\n",
            "2:22: watcher.excluded_regexps",
            "'[z-a]'",
            "",
        ),
        (
            "watcher:\n  excluded_regexps: ['a{2,1}']\n",
            "2:22: watcher.excluded_regexps",
            "'a{2,1}'",
            "",
        ),
        ("excluded_paths:\n- ok\n- 'a[b'\n", "3:3: excluded_paths", "'a[b'", ""),
        ("excluded_paths: ['{a,b']\n", "1:18: excluded_paths", "'{a,b'", ""),
        (
            "watcher:\n  included_filetypes: [go, a/b]\n",
            "2:28: watcher.included_filetypes",
            "'a/b'",
            "",
        ),
    ]);
}

#[test]
fn bytes_that_are_no_text() {
    let utf16 = |big: bool| -> Vec<u8> {
        let pair = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        "\u{feff}watcher:\n".encode_utf16().flat_map(pair).collect()
    };
    refuse(&utf16(true), "1:1", "is UTF-16", "save it as UTF-8");
    refuse(&utf16(false), "1:1", "is UTF-16", "save it as UTF-8");
    refuse(&utf16(false)[2..], "1:1", "is UTF-16", "save it as UTF-8");
    refuse(b"command: caf\xe9\n", "1:13", "byte 0xe9 is not UTF-8", "save the file as UTF-8");
    refuse("a: 1\r\n中: ".as_bytes(), "1:1: a", "unknown key", "known here");
    refuse(b"a: 1\n\xe4\xb8\xad: \xff", "2:4", "byte 0xff", "save the file");
    refuse(b"command: a\0b\n", "1:11", "", "");
    refuse(b"\x80", "1:1", "byte 0x80", "save the file");
}

#[test]
fn files_too_large_or_too_clever() {
    let large = format!("command: {}\n", "x".repeat(1024 * 1024));
    refuse(large.as_bytes(), "", "larger than 1 MiB", "name another file");
    for deep in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000),
        "a: [".to_owned() + &"[".repeat(500_000),
    ] {
        let project = Project::with("config.yml", &deep);
        let start = cpu_time();
        let error = project.bad("-c config.yml");
        assert!((cpu_time() - start) < Duration::from_millis(200), "{:?}", (cpu_time() - start));
        assert!(error.contains("nested more than 32 deep"), "{error}");
    }
    let block: String = (0..1000).map(|depth| " ".repeat(depth) + "a:\n").collect();
    refuse(block.as_bytes(), "33:33", "nested", "flatten");
    let mut bomb = String::from("envs: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, of) in ('b'..'z').zip('a'..) {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(", ")));
    }
    let project = Project::with("config.yml", &bomb);
    let start = cpu_time();
    let error = project.bad("-c config.yml");
    assert!((cpu_time() - start) < Duration::from_millis(200), "{:?}", (cpu_time() - start));
    assert!(error.contains("aliases expand to more than 4 MiB"), "{error}");
    // A megabyte of anything is refused or read in time.
    for unit in [
        "a: 1\n", "- x\n", "'", "\"", "&a ", "*a ", "? ", ": ", "#", "%", "!", "|\n", "\t", "{",
        "[]", ",", "é",
    ] {
        let project = Project::with("config.yml", unit.repeat(1024 * 1024 / unit.len()));
        let start = cpu_time();
        let _ = project.load("-c config.yml");
        assert!(
            (cpu_time() - start) < Duration::from_millis(1500),
            "{unit:?} {:?}",
            (cpu_time() - start)
        );
    }
}

#[test]
fn what_is_no_file() {
    let project = Project::new();
    let path = |name: &str| project.path().join(name);
    std::fs::create_dir(path("directory")).expect("a directory");
    fifo(&path("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
    std::os::unix::fs::symlink("nowhere", path("dangling")).expect("a link");
    std::os::unix::fs::symlink("loop", path("loop")).expect("a link");
    let table = [
        ("directory", "directory: is a directory, not a file"),
        ("fifo", "fifo: is a FIFO, not a file"),
        ("socket", "socket: is a socket, not a file"),
        ("dangling", "dangling: is a link to a file that does not exist"),
        ("loop", "loop: cannot be read: "),
        ("/dev/tty0", "/dev/tty0: "),
        ("/dev/zero", "/dev/zero: is a device, not a file"),
        ("missing.yml", "missing.yml: there is no such file; write one with: go-watcher init"),
        (
            "make",
            "make: there is no such file; -c is --config FILE here; to clear the screen: --clear",
        ),
        ("a/../nowhere/x.yml", "a/../nowhere/x.yml: there is no such file"),
    ];
    for (name, expected) in table {
        let start = cpu_time();
        let error = project.bad(&format!("-c {name}"));
        assert!((cpu_time() - start) < Duration::from_millis(200), "{name}");
        assert!(error.starts_with(expected), "{name}: {error}");
    }
}

proptest::proptest! {
    /// The template with a few places damaged: an answer, whatever it is, and soon.
    #[test]
    fn random_damage_never_panics(
        cuts in proptest::collection::vec((0usize..4000, 0usize..40), 1..8),
        pieces in proptest::collection::vec("[-:?\\[\\]{}&*!|>'\"%@`#, \\n\t\\\\a0\u{e9}\u{feff}\u{85}\r\0]{0,12}", 8),
    ) {
        let mut text: Vec<char> = crate::config::template().chars().collect();
        for ((at, length), piece) in cuts.iter().zip(&pieces) {
            let at = (*at).min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let project = Project::with("watcher.yml", &text);
        let start = cpu_time();
        if let Err(error) = project.load("") {
            let shown = error.to_string();
            proptest::prop_assert!(shown.starts_with("watcher.yml:"), "{}", shown);
            proptest::prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{:?}", shown);
        }
        proptest::prop_assert!((cpu_time() - start) < Duration::from_millis(200));
    }
}
