//! Broken configuration files: status 2, the right line, what is wrong, no panic, at once.

use std::fs;
use std::time::Duration;

use crate::harness::*;

/// What the file holds, the line (0: the error belongs to the whole file), and what the message names.
type Row = (&'static str, u32, &'static [&'static str]);

const UNKNOWN_KEYS: &[Row] = &[
    (
        "additional_paths: []\nwatcher:\n  duration: 0\n  # 文件类型\n  include_filetypes: [.go]   # 文件类型\n",
        5,
        &[
            ":5:3: watcher.include_filetypes: unknown key; did you mean included_filetypes?",
            "  5 |   include_filetypes: [.go]   # 文件类型",
            "    |   ^^^^^^^^^^^^^^^^^",
        ],
    ),
    (
        "additional_paths: []\nwatchr:\n  duration: 1\n",
        2,
        &[":2:1:", "watchr", "did you mean watcher"],
    ),
    ("watcher: {}\ncomand: go run .\n", 2, &["comand", "did you mean command"]),
    ("watcher: {}\non_bsy: queue\n", 2, &["on_bsy", "did you mean on_busy"]),
    ("watcher: {}\nstop:\n  signl: INT\n", 3, &["stop.signl", "did you mean signal"]),
    (
        "excluded_paths: []\nexcluded_path: [a]\n",
        2,
        &["excluded_path", "did you mean excluded_paths"],
    ),
    ("watcher:\n  polll: never\n", 2, &["watcher.polll", "did you mean poll"]),
    ("watcher: {duration: 1, 键: 2}\n", 1, &[":1:24:", "键", "unknown key"]),
    ("watcher: {}\nqwertzuiopasdfgh: 1\n", 2, &["qwertzuiopasdfgh", "unknown key"]),
];

const WRONG_TYPES: &[Row] = &[
    ("watcher:\n- a\n", 1, &["watcher"]),
    ("watcher: text\n", 1, &["watcher"]),
    ("excluded_paths: []\nenvs: 5\n", 2, &["envs"]),
    ("watcher:\n  included_filetypes:\n    a: b\n", 2, &["watcher.included_filetypes"]),
    ("watcher:\n  included_filetypes:\n  - .go\n  - [.html]\n", 4, &["included_filetypes"]),
    ("watcher:\n  excluded_regexps: {a: b}\n", 2, &["watcher.excluded_regexps"]),
    ("watcher: {}\nadditional_paths: {a: b}\n", 2, &["additional_paths"]),
    ("watcher: {}\nadditional_paths:\n- ok\n- [x]\n", 4, &["additional_paths"]),
    ("watcher: {}\nexcluded_paths: {x: y}\n", 2, &["excluded_paths"]),
    ("watcher: {}\ncommand: {a: b}\n", 2, &["command"]),
    ("watcher: {}\ncommand:\n- go\n- [run]\n", 4, &["command"]),
    ("watcher: {}\nstop: 5s\n", 2, &["stop"]),
    ("watcher:\n  gitignore: maybe\n", 2, &["watcher.gitignore", "true"]),
    ("watcher:\n  exclude_unchanged: 3\n", 2, &["watcher.exclude_unchanged", "true"]),
    ("watcher:\n  duration: [1]\n", 2, &["watcher.duration"]),
    ("watcher:\n  debounce: {a: b}\n", 2, &["watcher.debounce"]),
    ("watcher: {}\nenvs:\n- A=1\n- 5\n", 4, &["envs"]),
    ("watcher: {}\nenvs:\n  A: [1]\n", 3, &["envs"]),
];

const WRONG_VALUES: &[Row] = &[
    ("watcher:\n  duration: fast\n", 2, &[":2:13:", "watcher.duration", "fast"]),
    ("watcher:\n  duration: -5\n", 2, &["watcher.duration", "-5"]),
    ("watcher:\n  duration: 5 parsecs\n", 2, &["watcher.duration", "parsecs"]),
    ("watcher:\n  duration: .nan\n", 2, &["watcher.duration"]),
    ("watcher:\n  duration: .inf\n", 2, &["watcher.duration"]),
    ("watcher:\n  duration: 99999999999999999999999\n", 2, &["watcher.duration"]),
    ("watcher:\n  debounce: soon\n", 2, &["watcher.debounce", "soon", "auto"]),
    ("watcher:\n  debounce: -1\n", 2, &["watcher.debounce"]),
    ("watcher: {}\nstop:\n  timeout: whenever\n", 3, &["stop.timeout", "whenever"]),
    ("watcher: {}\nstop:\n  signal: SIGFOO\n", 3, &["stop.signal", "SIGFOO"]),
    ("watcher: {}\nstop:\n  signal: 4711\n", 3, &["stop.signal", "4711"]),
    ("watcher: {}\non_busy: sometimes\n", 2, &["on_busy", "sometimes", "restart", "queue"]),
    ("watcher:\n  excluded_regexps:\n  - ok\n  - '('\n", 4, &["excluded_regexps", "("]),
    ("watcher:\n  excluded_regexps: ['[a-']\n", 2, &["excluded_regexps", "[a-"]),
    ("watcher:\n  excluded_regexps: ['(?P<x']\n", 2, &["excluded_regexps", "(?P<x"]),
    ("watcher: {}\nexcluded_paths:\n- ok\n- 'a['\n", 4, &["excluded_paths", "a["]),
    ("watcher: {}\nexcluded_paths: ['x{a']\n", 2, &["excluded_paths", "x{a"]),
    ("watcher: {}\nenvs: ['=x']\n", 2, &["envs"]),
    ("watcher: {}\nenvs: [\"A\\0B=x\"]\n", 2, &["envs"]),
    ("watcher: {}\nenvs: ['NOTHING']\n", 2, &["envs", "NOTHING"]),
    ("watcher: {}\nenvs: {'': x}\n", 2, &["envs"]),
    ("watcher: {}\ncommand: []\n", 2, &["command"]),
    ("watcher: {}\ncommand: ''\n", 2, &["command"]),
    ("watcher: {}\r\n\r\non_busy: never\r\n", 3, &["on_busy", "never"]),
    ("\u{feff}watcher:\n  duraton: 1\n", 2, &[":2:3:", "did you mean duration"]),
];

const PATTERNS_AS_PATHS: &[Row] = &[
    (
        "additional_paths:\n- lib\n- 'web/**/*.ts'\n",
        3,
        &[":3:3:", "'web/**/*.ts' is a pattern, not a path", "-w web --ext ts"],
    ),
    ("watcher: {paths: ['*.{html,css}']}\n", 1, &["is a pattern", "-w . --ext html,css"]),
];

const WRONG_YAML: &[Row] = &[
    ("watcher:\n\tduration: 1\n", 2, &[]),
    ("watcher:\n  duration: 1\n  duration: 2\n", 3, &["duration", "duplicate"]),
    ("watcher: {}\nenvs: []\nenvs: []\n", 3, &["envs", "duplicate"]),
    ("excluded_paths: ['a\n\n\n", 0, &[]),
    ("excluded_paths: [a\nwatcher: {}\n", 0, &[]),
    ("watcher:\n    duration: 1\n  gitignore: true\n", 3, &[]),
    ("watcher: *nowhere\n", 1, &["nowhere"]),
    ("watcher: {}\n}\n", 2, &[]),
    ("- a\n- b\n", 0, &[]),
    ("just text\n", 0, &[]),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    [UNKNOWN_KEYS, WRONG_TYPES, WRONG_VALUES, PATTERNS_AS_PATHS, WRONG_YAML].into_iter().flatten()
}

/// The complaint about one run of the program; `None` when all is as it should be.
fn complaint(done: &Finished, name: &str, line: u32, names: &[&str]) -> Option<String> {
    let mut wrong = Vec::new();
    if done.code() != Some(2) {
        wrong.push(format!("status {:?}", done.status));
    }
    if done.stderr.contains("panicked") {
        wrong.push("it panicked".into());
    }
    let place = if line == 0 { name.to_owned() } else { format!("{name}:{line}:") };
    for part in [place.as_str()].iter().chain(names) {
        if !done.stderr.contains(part) {
            wrong.push(format!("no {part:?}"));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

/// Runs it up to twelve times until one took under 200 ms: the machine may be busy, we may not be slow.
fn at_once(project: &Project, args: &[&str]) -> (Finished, bool) {
    let mut done = project.go_watcher(args);
    for _ in 0..11 {
        if done.took < Duration::from_millis(200) {
            break;
        }
        done = project.go_watcher(args);
    }
    let limit = Duration::from_millis(if is_busy() { 1000 } else { 200 });
    let quick = done.took < limit;
    (done, quick)
}

#[test]
fn each_broken_file_is_status_2_with_its_line() {
    let project = Project::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (number, (text, line, names)) in rows().enumerate() {
        let name = format!("bad{number}.yml");
        project.save(&name, text);
        for command in ["check", "run"] {
            let (done, quick) = at_once(&project, &[command, "-c", &name]);
            if let Some(complaint) = complaint(&done, &name, *line, names) {
                wrong.push(format!("{command} {text:?}\n   {complaint}\n   said: {}", done.stderr));
            }
            if !quick {
                wrong.push(format!("{command} {text:?} took {:?}", done.took));
            }
        }
        count += 1;
    }
    assert!(count >= 60, "{count} rows");
    assert!(wrong.is_empty(), "{} of {count} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn files_that_are_no_text_or_too_much_of_it() {
    let project = Project::new();
    let utf16 = |little: bool| -> Vec<u8> {
        let units = "\u{feff}watcher:\n  duration: 0\n".encode_utf16();
        units
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    };
    let mut bomb =
        String::from("watcher: {}\nadditional_paths: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("k{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
    }
    let deep = format!("watcher: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let deep_maps = format!("watcher: {}1{}\n", "{a: ".repeat(10_000), "}".repeat(10_000));
    let rows: Vec<(&str, Vec<u8>, u32, &[&str])> = vec![
        ("utf16le.yml", utf16(true), 0, &["UTF-16"]),
        ("utf16be.yml", utf16(false), 0, &["UTF-16"]),
        (
            "latin1.yml",
            b"watcher:\n  duration: 0\n# caf\xe9\nexcluded_paths: [caf\xe9]\n".to_vec(),
            3,
            &["UTF-8"],
        ),
        ("nul.yml", b"watcher:\n  duration: \0\n".to_vec(), 0, &[]),
        ("big.yml", vec![b'#'; 1024 * 1024 + 1], 0, &["1 MiB"]),
        ("bomb.yml", bomb.into_bytes(), 0, &[]),
        ("deep.yml", deep.into_bytes(), 0, &[]),
        ("deep-maps.yml", deep_maps.into_bytes(), 0, &[]),
    ];
    fs::create_dir(project.path("directory.yml")).unwrap();
    let fifo = project.in_tree("mkfifo").arg("fifo.yml").status().unwrap();
    assert!(fifo.success());
    let mut wrong = Vec::new();
    let mut check = |name: &str, line: u32, names: &[&str]| {
        let (done, quick) = at_once(&project, &["check", "-c", name]);
        if let Some(complaint) = complaint(&done, name, line, names) {
            let said: String = done.stderr.chars().take(600).collect();
            wrong.push(format!("{name}: {complaint}\n   said: {said}"));
        }
        if !quick || done.stderr.len() > 4000 {
            wrong.push(format!("{name} took {:?}, {} bytes said", done.took, done.stderr.len()));
        }
    };
    for (name, bytes, line, names) in &rows {
        project.save(name, bytes);
        check(name, *line, names);
    }
    check("directory.yml", 0, &["directory"]);
    check("fifo.yml", 0, &[]);
    check("missing.yml", 0, &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn odd_but_good_files() {
    let project = Project::new();
    let rows: &[(&str, &str)] = &[
        ("empty", ""),
        ("blank", "\n\n  \n"),
        ("comments only", "# nothing\n# at all\n"),
        ("a byte order mark", "\u{feff}watcher:\n  duration: 0\n"),
        ("CRLF", "watcher:\r\n  duration: 0\r\n  included_filetypes:\r\n  - .go\r\n"),
        ("nulls", "watcher:\nadditional_paths:\nexcluded_paths:\nenvs:\n"),
        ("a document mark", "---\nwatcher:\n  duration: 0\n"),
        (
            "units",
            "watcher: {duration: 1.5s, debounce: 30ms}\nstop: {timeout: 2s, signal: SIGINT}\n",
        ),
        (
            "bare numbers",
            "watcher: {duration: 2000, debounce: 30}\nstop: {timeout: 2000, signal: INT}\n",
        ),
        ("auto", "watcher: {debounce: auto, gitignore: false, exclude_unchanged: false}\n"),
        ("aliases", "excluded_paths: &them [a, b]\nadditional_paths: *them\n"),
        ("envs as a map", "envs: {A: 1, B: text, C: true}\n"),
        ("an equals sign in a value", "envs: ['A=b=c', 'B=']\n"),
    ];
    for (what, text) in rows {
        project.save("good.yml", text);
        let done = project.go_watcher(["check", "-c", "good.yml"]);
        assert_eq!(done.code(), Some(0), "{what}: {}", done.stderr);
    }
}

#[test]
fn errors_of_flags_are_status_2_too() {
    let project = Project::new();
    let rows: &[(&[&str], &str)] = &[
        (&["-d", "soon"], "soon"),
        (&["-i", "a["], "a["),
        (&["-E", "=x"], "-E"),
        (&["-E", "NOTHING"], "NOTHING"),
        (&["--stop-signal", "SIGFOO"], "SIGFOO"),
        (&["--stop-timeout", "whenever"], "whenever"),
    ];
    for (flags, named) in rows {
        let args: Vec<&str> =
            ["run"].into_iter().chain(flags.iter().copied()).chain(["-e", "true"]).collect();
        project.go_watcher(args).ended_with(2).says(&[named]);
    }
}

#[test]
fn the_message_shows_no_raw_control_bytes() {
    let project = Project::new();
    project.save("bad.yml", "watcher: {}\n\"evil\\e[31m\\u202e\": 1\n");
    let done = project.go_watcher(["check", "-c", "bad.yml"]).ended_with(2);
    assert!(
        !done.stderr.contains('\u{1b}') && !done.stderr.contains('\u{202e}'),
        "{:?}",
        done.stderr
    );
}
