//! Whole outputs: levels, colours, floods, standing warnings, progress, and ten thousand hostile names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Outside, Screen, Terminal};
use crate::model::{
    Cause, Color, Ended, Format, Level, Notice, Origin, Rule, RuleKind, RunEnd, RunId,
};
use crate::report::escape::hidden;
use crate::report::{Settings, Verbosity, samples};

#[derive(Debug)]
struct Fixed;

impl Outside for Fixed {
    fn now(&self) -> Timestamp {
        "2026-11-23T13:02:11.042Z".parse().unwrap()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(1))
    }

    fn columns(&self) -> usize {
        80
    }
}

const TERMINAL: Terminal = Terminal { is: true, no_color: false, dumb: false };
const FILE: Terminal = Terminal { is: false, no_color: false, dumb: false };

const SHOWN: &str = "\x1b[?25h";

fn screen(terminal: Terminal, change: impl FnOnce(&mut Settings)) -> Screen {
    let mut settings = Settings { directory: PathBuf::from("/src/app"), ..Settings::default() };
    settings.keys = true;
    change(&mut settings);
    Screen::new(settings, terminal, Box::new(Fixed))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "an origin for virtual time")]
fn origin() -> Instant {
    Instant::now()
}

fn path(name: &str) -> Arc<Path> {
    Arc::from(Path::new("/src/app").join(name))
}

fn reload(run: u64) -> Notice {
    Notice::Run {
        run: RunId(run),
        cause: Cause::Changes(vec![path("a.go")]),
        command: "true".to_owned(),
        configuration: None,
        keys: false,
    }
}

fn same(name: &str) -> Notice {
    Notice::SameBytes { path: path(name), more: 0 }
}

fn polling() -> Notice {
    Notice::Polling {
        path: Arc::from(Path::new("/src/app")),
        reason: "watcher.poll: 2s".to_owned(),
        files: 2,
        interval: Duration::from_secs(2),
        advice: None,
    }
}

#[test]
fn colours_are_for_terminals() {
    let now = origin();
    let failed = Notice::Ended {
        run: RunId(2),
        end: RunEnd { ended: Ended::Exit(1), shell: true },
        after: Duration::from_millis(2_300),
        waiting: true,
    };
    let words = "run 2: exit 1 in 2.3s; waiting for a change (r runs again)";
    let mut on_terminal = screen(TERMINAL, |_| {});
    let said = text(on_terminal.say(&failed, now));
    assert_eq!(said, format!("{SHOWN}\x1b[31m[ERROR]\x1b[0m {words}\n"));
    let said = text(on_terminal.say(&reload(2), now));
    let bold = "\x1b[1m14:02:11 changed a.go: run 2\x1b[0m";
    assert_eq!(said, format!("{SHOWN}\x1b[2m[INFO]\x1b[0m {bold}\n"));
    for mut plain in [
        screen(FILE, |_| {}),
        screen(TERMINAL, |s| s.color = Color::Never),
        screen(Terminal { no_color: true, ..TERMINAL }, |_| {}),
    ] {
        let said = text(plain.say(&failed, now));
        assert_eq!(said.trim_start_matches(SHOWN), format!("[ERROR] {words}\n"));
    }
}

#[test]
fn verbosity_decides_what_is_said() {
    let now = origin();
    let table = [
        (Verbosity::Quiet, [false, false, true]),
        (Verbosity::Normal, [false, true, true]),
        (Verbosity::Verbose, [true, true, true]),
    ];
    for (verbosity, expected) in table {
        let mut screen = screen(FILE, |s| s.verbosity = verbosity);
        let notices = [
            Notice::Directory { path: path("a") },
            reload(2),
            Notice::RootMissing { path: path("a") },
        ];
        let said = notices.map(|notice| !screen.say(&notice, now).is_empty());
        assert_eq!(said, expected, "{verbosity:?}");
        let levels = [Level::Detail, Level::Info, Level::Warning];
        assert_eq!(levels.map(|level| screen.wants(level)), expected);
        assert!(!screen.say(&Notice::KeyHelp, now).is_empty(), "a pressed ? is answered");
    }
}

#[test]
fn same_bytes_are_said_once_a_second_and_none_is_forgotten() {
    let start = origin();
    let at = |ms| start + Duration::from_millis(ms);
    let mut screen = screen(FILE, |_| {});
    let line = "[INFO] saved a.go, same bytes: nothing to do (r runs again)\n";
    assert_eq!(text(screen.say(&same("a.go"), at(0))), line);
    assert_eq!(screen.deadline(), None);
    for ms in [100, 200, 300] {
        assert!(screen.say(&same("b.go"), at(ms)).is_empty());
    }
    assert_eq!(screen.deadline(), Some(at(1_000)));
    assert!(screen.due(Some(at(999))).is_empty());
    assert_eq!(
        text(screen.due(Some(at(1_000)))),
        "[INFO] saved b.go, same bytes: nothing to do; 2 more such saves in the last second \
         (r runs again)\n"
    );
    assert_eq!(screen.deadline(), None);
    assert!(screen.say(&same("c.go"), at(1_500)).is_empty(), "the gate stays shut for a second");
    assert_eq!(
        text(screen.due(None)),
        "[INFO] saved c.go, same bytes: nothing to do (r runs again)\n"
    );
    assert!(screen.due(None).is_empty());
    assert_eq!(text(screen.say(&same("a.go"), at(9_000))), line);
}

#[test]
fn a_save_of_an_ignored_file_is_one_line_however_many_events_it_is() {
    let skipped = |name: &str, surprise| Notice::Ignored {
        path: path(name),
        rule: Rule { kind: RuleKind::BuiltIn, text: "*.log".into(), origin: Origin::BuiltIn },
        surprise,
    };
    let start = origin();
    let mut screen = screen(FILE, |s| s.verbosity = Verbosity::Verbose);
    let mut said = |name: &str, surprise, ms| {
        let now = start + Duration::from_millis(ms);
        !screen.say(&skipped(name, surprise), now).is_empty()
    };
    assert!(said("a.log", false, 0));
    // Its other events, and a program that goes on writing.
    for n in 0..20 {
        assert!(!said("a.log", false, n * 900), "{n}");
    }
    assert!(said("b.log", false, 17_200));
    assert!(said("a.log", false, 17_300));
    assert!(said("a.log", true, 17_301), "what surprises is always said");
    assert!(said("a.log", false, 18_400), "another save");
}

#[test]
fn standing_warnings_survive_a_clearing() {
    let now = origin();
    let mut screen = screen(TERMINAL, |s| {
        s.clear = true;
        s.color = Color::Never;
    });
    let missing = Notice::RootMissing { path: path("lib") };
    let limit = "[INFO] /src/app is polled (watcher.poll: 2s): 2 files every 2s.\n";
    assert_eq!(text(screen.say(&polling(), now)), limit);
    screen.say(&missing, now);
    let missing = "[WARN] lib is missing: it is watched as soon as it is there\n";
    assert_eq!(
        text(screen.say(&reload(2), now)),
        format!("{SHOWN}\x1b[H\x1b[2J{limit}{missing}[INFO] 14:02:11 changed a.go: run 2\n")
    );
    screen.say(&Notice::RootBack { path: path("lib") }, now);
    screen.say(&polling(), now);
    assert_eq!(text(screen.clear()), format!("\x1b[H\x1b[2J{limit}"));
}

/// A spinner that is killed leaves the cursor hidden.
#[test]
fn the_cursor_is_shown_again_after_a_run_on_a_terminal() {
    let now = origin();
    let mut quiet = screen(TERMINAL, |s| s.verbosity = Verbosity::Quiet);
    assert_eq!(text(quiet.say(&reload(2), now)), SHOWN);
    assert!(quiet.say(&polling(), now).is_empty());
    for mut other in [
        screen(FILE, |_| {}),
        screen(Terminal { dumb: true, ..TERMINAL }, |_| {}),
        screen(TERMINAL, |s| s.format = Format::Json),
    ] {
        assert!(!text(other.say(&reload(2), now)).contains(SHOWN));
    }
}

#[test]
fn nothing_is_cleared_but_a_terminal() {
    let mut file = screen(FILE, |s| s.clear = true);
    assert_eq!(text(file.say(&reload(2), origin())), "[INFO] 14:02:11 changed a.go: run 2\n");
    assert!(file.clear().is_empty());
    let mut json = screen(TERMINAL, |s| s.format = Format::Json);
    assert!(json.clear().is_empty() && json.blank().is_empty());
}

#[test]
fn a_progress_line_leaves_no_trace() {
    let start = origin();
    let at = |ms| start + Duration::from_millis(ms);
    let progress = |n| Notice::Progress { directories: n, elapsed: Duration::from_secs(1) };
    let mut screen = screen(TERMINAL, |s| s.color = Color::Never);
    assert_eq!(
        text(screen.say(&progress(1_200), at(0))),
        "[INFO] looking at the tree: 1,200 directories so far (1,200 a second)\x1b[K\r"
    );
    assert!(screen.say(&progress(1_300), at(50)).is_empty(), "not more than ten a second");
    assert!(!screen.say(&progress(1_400), at(100)).is_empty());
    assert_eq!(
        text(screen.say(&reload(2), at(200))),
        format!("{SHOWN}\x1b[K[INFO] 14:02:11 changed a.go: run 2\n")
    );
    let said = text(screen.say(&reload(3), at(200)));
    assert_eq!(said, format!("{SHOWN}[INFO] 14:02:11 changed a.go: run 3\n"));
    assert!(!screen.say(&progress(1_500), at(300)).is_empty());
    let watching = samples::all(OsStr::new("a")).into_iter();
    let watching = watching.filter(|notice| matches!(notice, Notice::Watching(_)));
    for notice in watching {
        assert!(text(screen.say(&notice, at(400))).starts_with("\x1b[K[INFO] watching"));
    }
    let mut file = self::screen(FILE, |_| {});
    assert!(file.say(&progress(1), at(0)).is_empty());
    let mut json = self::screen(FILE, |s| s.format = Format::Json);
    assert!(text(json.say(&progress(1), at(0))).contains("\"event\":\"progress\""));
    assert!(json.say(&progress(1), at(900)).is_empty());
}

/// Pieces that terminals, parsers and eyes fall for.
const PIECES: &[&[u8]] = &[
    b"a",
    b" ",
    b".go",
    b"\\",
    b"\"",
    b"'",
    b"\n",
    b"\r",
    b"\t",
    b"\x1b[2J",
    b"\x1b]0;x\x07",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xc2\x9b",
    b"\xc2\x85",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    b"\xfe\xff",
    "\u{202e}".as_bytes(),
    "\u{2066}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{200d}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{ad}".as_bytes(),
    "\u{e0041}".as_bytes(),
    "\u{fe0f}".as_bytes(),
    "文件".as_bytes(),
    "👩".as_bytes(),
    "💻".as_bytes(),
    "é".as_bytes(),
    b"[ERROR] run 1: forged",
    b"{\"v\":1}",
];

/// A small generator (SplitMix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        for _ in 0..=self.below(12) {
            match self.below(4) {
                0 => name.push(self.below(255) as u8 + 1),
                _ => name.extend_from_slice(PIECES[self.below(PIECES.len())]),
            }
        }
        name
    }
}

/// What may be invisible in a line: only what shapes an emoji.
fn harmless(line: &str) -> bool {
    line.chars().all(|c| !hidden(c) || matches!(c, '\u{200d}' | '\u{fe0f}'))
}

#[test]
fn ten_thousand_hostile_names_put_no_raw_byte_on_any_output() {
    let now = origin();
    let mut lines = screen(FILE, |s| s.verbosity = Verbosity::Verbose);
    let mut json = screen(FILE, |s| {
        s.verbosity = Verbosity::Verbose;
        s.format = Format::Json;
    });
    let mut random = Random(7);
    for round in 0..10_000 {
        let name = random.name();
        let name = OsStr::from_bytes(&name);
        let all = samples::all(name);
        let notice = &all[round % all.len()];
        let free_lines =
            matches!(notice, Notice::Configuration { .. } | Notice::ConfigurationRejected { .. });
        for said in [lines.say(notice, now), json.say(notice, now)] {
            let said = text(said);
            let Some(said) = said.strip_suffix('\n') else { continue };
            for (number, line) in said.split('\n').enumerate() {
                assert!(harmless(line), "{name:?}: {line:?}");
                let forged = number > 0 && !line.starts_with("       ");
                assert!(!forged, "{name:?}: {line:?}");
            }
            let expected = said.split('\n').count();
            assert!(free_lines || expected <= 6, "{name:?}: {said:?}");
        }
    }
}

#[test]
fn every_kind_of_notice_has_words_and_an_object() {
    let now = origin();
    let all = samples::all(OsStr::new("a.go"));
    let mut events = std::collections::BTreeSet::new();
    for notice in &all {
        for (format, terminal) in [(Format::Text, TERMINAL), (Format::Json, FILE)] {
            let mut screen = screen(terminal, |s| {
                s.verbosity = Verbosity::Verbose;
                s.format = format;
            });
            let said = text(screen.say(notice, now));
            assert!(!said.is_empty(), "{notice:?}");
            if format == Format::Json {
                let object: serde_json::Value = serde_json::from_str(&said).unwrap();
                assert_ne!(object["message"], "", "{notice:?}");
                assert_eq!(object["time"], "2026-11-23T14:02:11.042+01:00");
                events.insert(object["event"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(events.len(), 42, "{events:?}");
    events.insert("dropped".to_owned());
    // The table of README: `name` or several of them in the first cell.
    for readme in [include_str!("../../../README.md"), include_str!("../../../README.zh-CN.md")] {
        let table = readme.split_once("\n| `run` |").unwrap().1.split("\n\n").next().unwrap();
        let cells = table.lines().skip(1).filter_map(|line| line.split('|').nth(1));
        let names = cells.flat_map(|cell| cell.split(',')).map(|n| n.trim().trim_matches('`'));
        let mut listed: std::collections::BTreeSet<String> = names.map(str::to_owned).collect();
        listed.insert("run".to_owned());
        assert_eq!(listed, events);
    }
}
