//! What is known about paths and trees: what goes over the socket, and what `explain --json` prints.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::{Origin, Rule, RuleKind};
use crate::outputs::Output;
use crate::report::{JsonName, JsonRule};

/// A path or a name, byte by byte: a string, or `{"bytes": "2f61ff"}` when it is no UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub Vec<u8>);

/// What is known about one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Whether changes of the path count.
    pub watched: bool,
    /// What decides.
    #[serde(flatten)]
    pub why: Why,
    /// It is compared on a timer instead of by events, for this reason (`9p`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled: Option<String>,
    /// The runs make it themselves: it causes nothing when they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<MadeByRun>,
}

impl Explained {
    /// A verdict that no rule gives: it does not count.
    #[must_use]
    pub fn ignored(why: Why) -> Self {
        Self { watched: false, why, polled: None, output: None }
    }
}

/// What decides about a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Why {
    /// A rule.
    Rule {
        /// The rule.
        #[serde(with = "sent")]
        rule: Rule,
        /// The directory above the path that the rule is about, when it is not about the path itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Name>,
    },
    /// It lies outside of everything that is watched.
    Outside,
    /// It is one of go-watcher's own files.
    Own,
    /// It lies behind this link, which is not followed.
    Link {
        /// The link.
        at: Name,
    },
    /// This directory, or one above it, cannot be read.
    Unreadable(Unreadable),
}

/// What the runs of an instance make themselves: it causes nothing at its moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeByRun {
    /// The path; for names that differ in one part, with `*` for that part.
    pub path: Name,
    /// When it changes, after the start of a run, in milliseconds.
    pub after_ms: u64,
    /// The runs by which that became certain.
    pub runs: Vec<u64>,
}

impl From<&Output> for MadeByRun {
    fn from(output: &Output) -> Self {
        Self {
            path: Name::from(&*output.made.pattern()),
            after_ms: u64::try_from(output.after.as_millis()).unwrap_or(u64::MAX),
            runs: output.runs.iter().map(|run| run.0).collect(),
        }
    }
}

/// A directory that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The directory.
    pub at: Name,
    /// The system's error.
    pub error: String,
}

/// What a configuration watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surveyed {
    /// Where it came from, as it is shown.
    pub configuration: String,
    /// Each root.
    pub roots: Vec<SurveyedRoot>,
    /// What the runs of the instance make themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<MadeByRun>,
    /// The watches; nothing where the system has no such limit.
    pub watches: Option<Watches>,
}

/// How many watches there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watches {
    /// Held by the instance that answers; without one, those that would be needed.
    pub here: u64,
    /// Allowed by the system.
    pub allowed: u64,
}

/// What is watched below one root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyedRoot {
    /// The root.
    pub path: Name,
    /// Nothing is there.
    pub missing: bool,
    /// Directories that are watched; 0 when the root is a single file.
    pub directories: usize,
    /// Files that count.
    pub files: usize,
    /// The files by type, the most frequent first; an empty one for names without an ending.
    pub types: Vec<(String, usize)>,
    /// Directories that are polled, by reason.
    pub polled: Vec<(String, usize)>,
    /// Ignored trees, the largest first.
    pub ignored: Vec<IgnoredTree>,
    /// Directories that cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// Everything by name, when that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tree: Vec<Branch>,
}

/// An ignored tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredTree {
    /// Where it is.
    pub path: Name,
    /// The rule that ignores it.
    #[serde(with = "sent")]
    pub rule: Rule,
    /// Directories in it, itself too.
    pub directories: usize,
    /// Files in it.
    pub files: usize,
    /// All of it was counted; else there are at least so many.
    pub counted: bool,
}

/// A watched directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Where it is.
    pub path: Name,
    /// The files in it that count.
    pub files: Vec<Name>,
    /// Why it is polled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled: Option<String>,
}

impl Name {
    /// As a path.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Self {
        Self(path.as_os_str().as_bytes().to_vec())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonName(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or {\"bytes\": hexadecimal}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
        Ok(Name(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Name, A::Error> {
        let entry: Option<(String, String)> = map.next_entry()?;
        let hex = entry.filter(|(key, _)| key == "bytes").map(|(_, hex)| hex).unwrap_or_default();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
        bytes.map(Name).ok_or_else(|| de::Error::custom("not hexadecimal"))
    }
}

/// A rule as [`JsonRule`] writes it.
mod sent {
    use super::*;

    #[derive(Deserialize)]
    struct Fields {
        kind: RuleKind,
        text: String,
        flag: Option<String>,
        file: Option<Name>,
        #[serde(default)]
        line: u32,
    }

    pub(super) fn serialize<S: Serializer>(rule: &Rule, to: S) -> Result<S::Ok, S::Error> {
        JsonRule(rule).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Rule, D::Error> {
        let Fields { kind, text, flag, file, line } = Fields::deserialize(from)?;
        let origin = match (flag, file) {
            (Some(flag), _) => Origin::Flag(known_flag(&flag)),
            (None, Some(file)) => {
                let file = Arc::new(PathBuf::from(OsStr::from_bytes(&file.0)));
                Origin::File { file, line }
            }
            (None, None) => Origin::BuiltIn,
        };
        Ok(Rule { kind, text: text.into(), origin })
    }

    /// The flags that rules are written with.
    fn known_flag(flag: &str) -> &'static str {
        ["-i", "-w", "--ext"].into_iter().find(|known| *known == flag).unwrap_or("a flag")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_as_it_was_sent() {
        let file = Origin::File { file: Arc::new(PathBuf::from("sub/.gitignore")), line: 12 };
        let rule = |origin| Rule { kind: RuleKind::IgnoreFile, text: "dist/".into(), origin };
        let whys = [
            Why::Rule { rule: rule(file), at: Some(Name(b"/w/\xff".to_vec())) },
            Why::Rule { rule: rule(Origin::Flag("-i")), at: None },
            Why::Rule { rule: rule(Origin::BuiltIn), at: None },
            Why::Outside,
            Why::Own,
            Why::Link { at: Name(b"/w/l".to_vec()) },
            Why::Unreadable(Unreadable { at: Name(vec![]), error: "no".into() }),
        ];
        let output =
            Some(MadeByRun { path: Name(b"/w/\xff".to_vec()), after_ms: 105, runs: vec![4, 6, 7] });
        for why in whys {
            let (polled, output) = (Some("9p".into()), output.clone());
            let sent = Explained { watched: false, why, polled, output };
            let text = serde_json::to_string(&sent).unwrap();
            let received: Explained = serde_json::from_str(&text).unwrap();
            assert_eq!(received, sent, "{text}");
        }
        assert!(serde_json::from_str::<Name>("{\"bytes\": \"0g\"}").is_err());
    }
}
