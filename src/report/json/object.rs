//! A JSON object that keeps the order of its fields and can carry any name.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use crate::model::{Ended, Learnt, LeftOver, Origin, Rule, RunId};
use crate::report::escape::hidden;

/// An object under construction.
pub(super) struct Object(Vec<u8>);

impl Object {
    pub(super) fn new() -> Self {
        Self(vec![b'{'])
    }

    /// Adds a field. Writing to memory can't fail, and no value here has a key that is no string.
    pub(super) fn put<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        let mut out = serde_json::Serializer::with_formatter(&mut self.0, Visible);
        let _ = key.serialize(&mut out);
        self.0.push(b':');
        let start = self.0.len();
        let mut out = serde_json::Serializer::with_formatter(&mut self.0, Visible);
        if value.serialize(&mut out).is_err() {
            self.0.truncate(start);
            self.0.extend_from_slice(b"null");
        }
    }

    pub(super) fn put_some<T: Serialize>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.put(key, &value);
        }
    }

    pub(super) fn path(&mut self, key: &str, path: &Path) {
        self.put(key, &Name(path.as_os_str().as_encoded_bytes()));
    }

    pub(super) fn millis(&mut self, key: &str, duration: Duration) {
        let micros = duration.as_micros() as u64;
        if micros >= 10_000 {
            self.put(key, &((micros + 500) / 1_000));
        } else {
            self.put(key, &(micros as f64 / 1_000.0));
        }
    }

    /// `exit` or `signal`.
    pub(super) fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Exit(status) => self.put("exit", &status),
            Ended::Signal(number) => self.put("signal", &number),
        }
    }

    pub(super) fn rule(&mut self, rule: &Rule) {
        self.put("rule", &RuleValue(rule));
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}

/// A value on a line of its own. Nothing invisible is written as itself.
pub(crate) fn line<T: Serialize + ?Sized>(value: &T) -> String {
    let mut line = Vec::new();
    // Writing to memory can't fail, and no value here has a key that is no string.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Visible));
    line.push(b'\n');
    String::from_utf8(line).unwrap_or_default()
}

/// A name: a string, or `{"bytes": "…"}` in hexadecimal.
pub(crate) struct Name<'a>(pub(crate) &'a [u8]);

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        match std::str::from_utf8(self.0) {
            Ok(name) => serializer.serialize_str(name),
            Err(_) => {
                let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("bytes", &hex)?;
                map.end()
            }
        }
    }
}

/// Several paths.
pub(super) struct Paths<'a, P>(pub(super) &'a [P]);

impl<P: AsRef<Path>> Serialize for Paths<'_, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for path in self.0 {
            list.serialize_element(&Name(path.as_ref().as_os_str().as_encoded_bytes()))?;
        }
        list.end()
    }
}

/// `{"pid": 4242, "name": "app"}`.
pub(super) struct Process<'a>(pub(super) &'a LeftOver);

impl Serialize for Process<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("pid", &self.0.pid)?;
        map.serialize_entry("name", &Name(self.0.name.as_encoded_bytes()))?;
        map.end()
    }
}

/// `{"path": "/src/app/gen.go", "after_ms": 105, "runs": [4, 6, 7]}`; a path may be a pattern.
#[derive(Serialize)]
pub(super) struct Output<'a> {
    path: OwnedName,
    after_ms: u64,
    runs: &'a [RunId],
}

impl<'a> Output<'a> {
    pub(super) fn of((proposal, after, runs): &'a Learnt) -> Self {
        let path = OwnedName(proposal.made.pattern());
        Self { path, after_ms: after.as_millis() as u64, runs }
    }
}

/// A path as a [`Name`].
struct OwnedName(Arc<Path>);

impl Serialize for OwnedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Name(self.0.as_os_str().as_encoded_bytes()).serialize(serializer)
    }
}

/// `{"kind": "ignore_file", "text": "dist/", "file": "/src/app/.gitignore", "line": 3}`; `flag` in place
/// of `file` for one from the command line, neither for a built-in one.
pub(crate) struct RuleValue<'a>(pub(crate) &'a Rule);

impl Serialize for RuleValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.0.kind)?;
        map.serialize_entry("text", &*self.0.text)?;
        match &self.0.origin {
            Origin::BuiltIn => {}
            Origin::Flag(flag) => map.serialize_entry("flag", flag)?,
            Origin::File { file, line } => {
                map.serialize_entry("file", &Name(file.as_os_str().as_encoded_bytes()))?;
                if *line > 0 {
                    map.serialize_entry("line", line)?;
                }
            }
        }
        map.end()
    }
}

/// An ignored tree: `{"path": "/src/app/dist", "rule": {…}}`.
pub(super) struct Tree<'a>(pub(super) &'a Path, pub(super) &'a Rule);

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("path", &Name(self.0.as_os_str().as_encoded_bytes()))?;
        map.serialize_entry("rule", &RuleValue(self.1))?;
        map.end()
    }
}

/// Compact JSON in which nothing invisible is written as itself.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|&(_, c)| hidden(c)) {
            CompactFormatter.write_string_fragment(writer, &fragment[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, &fragment[plain..])
    }
}
