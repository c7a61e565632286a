//! JSON for programs: one object on one line. `v` is [`VERSION`]; it grows when a field changes its meaning or goes,
//! not when one is added.
//!
//! Every notice has `v`, `time` (RFC 3339, local, milliseconds), `level` (`detail`, `info`, `warning`,
//! `error`), `event`, and last `message` (the words of the text format, continuation lines after `\n`).
//! The fields between depend on `event`; [`Notice`] is the table.
//!
//! - A path is absolute and exact, as [`JsonName`] has it.
//! - A duration ends in `_ms` and is a number of milliseconds, with a fraction where it is short.
//! - Invisible and bidirectional characters are written as `\u` escapes: they arrive, but no terminal
//!   that shows the line is fooled.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use super::escape::hidden;
use crate::model::{Level, Notice, json};
use crate::sys::bytes::os_str;

/// The version of the format.
const VERSION: u32 = 1;

/// A line of the log.
#[derive(Serialize)]
struct Logged<'a, E> {
    v: u32,
    time: &'a str,
    level: Level,
    /// The fields of the event, `event` first.
    #[serde(flatten)]
    event: E,
    #[serde(skip_serializing_if = "is_zero")]
    swallowed: u64,
    message: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The line of a notice, with its newline. `swallowed` counts like notices that were not printed.
pub(super) fn notice(notice: &Notice, time: &str, words: &str, swallowed: u64) -> String {
    let level = notice.level();
    line(&Logged { v: VERSION, time, level, event: notice, swallowed, message: words })
}

/// The line that stands where lines had to be dropped because nobody read them.
pub(super) fn dropped(time: &str, lines: u64, words: &str) -> String {
    #[derive(Serialize)]
    #[serde(tag = "event", rename = "dropped")]
    struct Dropped {
        lines: u64,
    }
    let (level, event) = (Level::Warning, Dropped { lines });
    line(&Logged { v: VERSION, time, level, event, swallowed: 0, message: words })
}

/// A value on a line of its own. Nothing invisible is written as itself.
pub(crate) fn line<T: Serialize + ?Sized>(value: &T) -> String {
    let mut line = Vec::new();
    // Writing to memory can't fail, and no value here has a key that is no string.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Visible));
    line.push(b'\n');
    String::from_utf8(line).unwrap_or_default()
}

/// A path or a name, byte by byte: a string, or `{"bytes": "2f61ff"}` where it is no UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonName(pub Vec<u8>);

impl JsonName {
    /// The name as a path.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(os_str(&self.0))
    }
}

impl From<&Path> for JsonName {
    fn from(path: &Path) -> Self {
        Self(path.as_os_str().as_encoded_bytes().to_vec())
    }
}

impl Serialize for JsonName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        json::name(self.path(), to)
    }
}

impl<'de> Deserialize<'de> for JsonName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NameReader)
    }
}

struct NameReader;

impl<'de> Visitor<'de> for NameReader {
    type Value = JsonName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or {\"bytes\": hexadecimal}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<JsonName, E> {
        Ok(JsonName(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonName, A::Error> {
        let entry: Option<(String, String)> = map.next_entry()?;
        let hex = entry.filter(|(key, _)| key == "bytes").map(|(_, hex)| hex).unwrap_or_default();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
        bytes.map(JsonName).ok_or_else(|| de::Error::custom("not hexadecimal"))
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

#[cfg(test)]
mod tests;
