//! The format as programs see it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::notice as line;
use crate::model::{Cause, Ended, Notice, RunEnd, RunId};

const TIME: &str = "2026-11-23T14:02:11.042+01:00";

fn object(notice: &Notice) -> String {
    line(notice, TIME, "words", 0)
}

fn path(bytes: &[u8]) -> Arc<Path> {
    Arc::from(Path::new(OsStr::from_bytes(bytes)))
}

#[test]
fn an_object_is_one_line_with_its_fields_in_order() {
    let ended = Notice::Ended {
        run: RunId(3),
        end: RunEnd { ended: Ended::Exit(139), shell: true },
        after: Duration::from_micros(2_345_678),
        waiting: true,
    };
    assert_eq!(
        object(&ended),
        "{\"v\":1,\"time\":\"2026-11-23T14:02:11.042+01:00\",\"level\":\"error\",\"event\":\"ended\",\
         \"run\":3,\"exit\":139,\"signal_name\":\"SIGSEGV\",\"after_ms\":2346,\"waiting\":true,\
         \"message\":\"words\"}\n"
    );
    let same = Notice::SameBytes { path: path(b"/a"), more: 0 };
    let said = line(&same, TIME, "words", 4);
    assert!(said.ends_with("\"path\":\"/a\",\"more\":0,\"swallowed\":4,\"message\":\"words\"}\n"));
}

/// The fields of each notice, their order and how they are written are a promise to programs.
#[test]
fn every_notice_looks_as_it_always_did() {
    let all = crate::report::samples::all(OsStr::new("a b.go"));
    let said: String = all.iter().map(object).collect();
    assert_eq!(said, include_str!("every_notice.jsonl"));
}

#[test]
fn names_arrive_without_loss() {
    let names: &[&[u8]] = &[
        b"/a b",
        b"/\xff\n",
        "/文件👩\u{200d}💻".as_bytes(),
        b"/\x1b[2J",
        "/\u{202e}\u{e0041}".as_bytes(),
    ];
    for name in names {
        let said = object(&Notice::Directory { path: path(name) });
        let value: serde_json::Value = serde_json::from_str(&said).unwrap();
        let bytes = match &value["path"] {
            serde_json::Value::String(name) => name.clone().into_bytes(),
            other => {
                let hex = other["bytes"].as_str().unwrap();
                (0..hex.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                    .collect()
            }
        };
        assert_eq!(bytes, *name, "{said}");
    }
}

#[test]
fn a_long_list_is_cut_and_the_rest_counted() {
    let run = Notice::Run {
        run: RunId(2),
        cause: Cause::Changes(vec![path(b"/a"); 1_234]),
        command: "true".to_owned(),
        configuration: None,
        keys: false,
    };
    let value: serde_json::Value = serde_json::from_str(&object(&run)).unwrap();
    assert_eq!(value["paths"].as_array().unwrap().len(), 1_000);
    assert_eq!(value["more"], 234);
    assert_eq!(value["cause"], "changes");
}

#[test]
fn short_times_keep_their_fraction() {
    let took = |micros| Notice::Restarted { run: RunId(2), took: Duration::from_micros(micros) };
    assert!(object(&took(1_250)).contains("\"took_ms\":1.25,"));
    assert!(object(&took(84_400)).contains("\"took_ms\":84,"));
}
