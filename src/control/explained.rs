//! Verdicts on paths and counts of trees, as they go over the socket and as `explain --json` prints them; the words of
//! a verdict.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{Origin, Rule, RuleKind, RunId};
use crate::outputs::Output;
use crate::report::{self, JsonName, escape_text, made_by, shown};

/// The verdict on one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Whether changes of the path count.
    pub watched: bool,
    /// The reason.
    #[serde(flatten)]
    pub why: Why,
    /// The reason (`9p`) for which the path is compared on a timer instead of by events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled: Option<String>,
    /// Set when the runs make the path themselves: it causes nothing when they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<MadeByRun>,
}

impl Explained {
    /// A verdict that no rule gives: changes do not count.
    #[must_use]
    pub fn ignored(why: Why) -> Self {
        Self { watched: false, why, polled: None, output: None }
    }

    /// The words that follow the path and `: `.
    #[must_use]
    pub fn words(&self, path: &Path, places: Places<'_>) -> String {
        let show = |name: &JsonName| shown(name.path(), places.asked_in);
        let verdict = match &self.why {
            Why::Rule { rule, .. } => {
                let rule = &places.placed(rule);
                report::verdict(path, self.watched, rule, self.polled.as_deref(), places.asked_in)
            }
            Why::Outside => "ignored: outside of what is watched".to_owned(),
            Why::Own => "ignored: go-watcher's own file".to_owned(),
            Why::Link { at } => format!("ignored: {} is a link, which is not followed", show(at)),
            Why::Unreadable(place) => {
                let error = escape_text(&place.error);
                format!("ignored: {} cannot be read: {error}", show(&place.at))
            }
        };
        match &self.output {
            Some(output) => format!("{verdict}; {}", output.words()),
            None => verdict,
        }
    }
}

/// The directories that shown names are relative to.
#[derive(Clone, Copy, Debug)]
pub struct Places<'p> {
    /// The working directory in which the question was asked, for paths.
    pub asked_in: &'p Path,
    /// The working directory of the instance, for the files that rules were written in.
    pub written_for: &'p Path,
}

impl Places<'_> {
    /// A rule with its file as it is to be shown where the question was asked.
    #[must_use]
    pub fn placed(&self, rule: &Rule) -> Rule {
        let mut rule = rule.clone();
        if let Origin::File { file, .. } = &mut rule.origin
            && self.asked_in != self.written_for
        {
            *file = Arc::new(self.written_for.join(file.as_path()));
        }
        rule
    }
}

/// The reason of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Why {
    /// A rule.
    Rule {
        /// The rule.
        #[serde(deserialize_with = "rule")]
        rule: Rule,
        /// The directory above the path that the rule is about, when it is not about the path itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<JsonName>,
    },
    /// The path lies outside of everything that is watched.
    Outside,
    /// The path is one of go-watcher's own files.
    Own,
    /// The path lies behind a link, which is not followed.
    Link {
        /// The link.
        at: JsonName,
    },
    /// The directory of the path, or one above it, cannot be read.
    Unreadable(Unreadable),
}

/// A path that the runs of an instance make themselves: it causes nothing at its moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeByRun {
    /// The path; for names that differ in one part, with `*` for that part.
    pub path: JsonName,
    /// The moment of the change after the start of a run, in milliseconds.
    pub after_ms: u64,
    /// The runs by which that became certain.
    pub runs: Vec<u64>,
}

impl MadeByRun {
    /// `made by the command itself (0.1s after the start of runs 4, 6 and 7): no change then`.
    #[must_use]
    pub fn words(&self) -> String {
        let runs: Vec<RunId> = self.runs.iter().map(|run| RunId(*run)).collect();
        format!("{}: no change then", made_by(Duration::from_millis(self.after_ms), &runs))
    }
}

impl From<&Output> for MadeByRun {
    fn from(output: &Output) -> Self {
        Self {
            path: JsonName::from(&*output.made.pattern()),
            after_ms: u64::try_from(output.after.as_millis()).unwrap_or(u64::MAX),
            runs: output.runs.iter().map(|run| run.0).collect(),
        }
    }
}

/// A directory that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The directory.
    pub at: JsonName,
    /// The system's error.
    pub error: String,
}

/// The trees that a configuration watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surveyed {
    /// The origin of the configuration, as it is shown.
    pub configuration: String,
    /// Each root.
    pub roots: Vec<SurveyedRoot>,
    /// The paths that the runs of the instance make themselves.
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

/// The part of a tree that is watched below one root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyedRoot {
    /// The root.
    pub path: JsonName,
    /// Set when nothing is at the root.
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
    /// All directories and files by name, when that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tree: Vec<Branch>,
}

/// An ignored tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredTree {
    /// The top of the tree.
    pub path: JsonName,
    /// The rule that ignores it.
    #[serde(deserialize_with = "rule")]
    pub rule: Rule,
    /// Directories in the tree, its top included.
    pub directories: usize,
    /// Files in the tree.
    pub files: usize,
    /// Whether all of the tree was counted; if not, it has at least these.
    pub counted: bool,
}

/// A watched directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The directory.
    pub path: JsonName,
    /// The files in the directory that count.
    pub files: Vec<JsonName>,
    /// The reason for which the directory is polled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled: Option<String>,
}

/// A rule as it was sent.
fn rule<'de, D: Deserializer<'de>>(from: D) -> Result<Rule, D::Error> {
    #[derive(Deserialize)]
    struct Fields {
        kind: RuleKind,
        text: String,
        flag: Option<String>,
        file: Option<JsonName>,
        #[serde(default)]
        line: u32,
    }
    let Fields { kind, text, flag, file, line } = Fields::deserialize(from)?;
    let origin = match (flag, file) {
        (Some(flag), _) => Origin::Flag(known_flag(&flag)),
        (None, Some(file)) => Origin::File { file: Arc::new(file.path().to_path_buf()), line },
        (None, None) => Origin::BuiltIn,
    };
    Ok(Rule { kind, text: text.into(), origin })
}

/// The flags that rules are written with.
fn known_flag(flag: &str) -> &'static str {
    ["-i", "-w", "--ext"].into_iter().find(|known| *known == flag).unwrap_or("a flag")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn everything_arrives_as_it_was_sent() {
        let file = Origin::File { file: Arc::new(PathBuf::from("sub/.gitignore")), line: 12 };
        let rule = |origin| Rule { kind: RuleKind::IgnoreFile, text: "dist/".into(), origin };
        let whys = [
            Why::Rule { rule: rule(file), at: Some(JsonName(b"/w/\xff".to_vec())) },
            Why::Rule { rule: rule(Origin::Flag("-i")), at: None },
            Why::Rule { rule: rule(Origin::BuiltIn), at: None },
            Why::Outside,
            Why::Own,
            Why::Link { at: JsonName(b"/w/l".to_vec()) },
            Why::Unreadable(Unreadable { at: JsonName(vec![]), error: "no".into() }),
        ];
        let output = Some(MadeByRun {
            path: JsonName(b"/w/\xff".to_vec()),
            after_ms: 105,
            runs: vec![4, 6, 7],
        });
        for why in whys {
            let (polled, output) = (Some("9p".into()), output.clone());
            let sent = Explained { watched: false, why, polled, output };
            let text = serde_json::to_string(&sent).unwrap();
            let received: Explained = serde_json::from_str(&text).unwrap();
            assert_eq!(received, sent, "{text}");
        }
        assert!(serde_json::from_str::<JsonName>("{\"bytes\": \"0g\"}").is_err());
    }
}
