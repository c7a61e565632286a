//! A rule, and where it was written: what a verdict names.

use std::path::PathBuf;
use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::json;

/// A rule that decided about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What kind of rule it is.
    pub kind: RuleKind,
    /// The rule as it was written (`dist/`, `*_gen.go`, `.go`).
    pub text: Arc<str>,
    /// Where it was written.
    pub origin: Origin,
}

/// `{"kind": "ignore_file", "text": "dist/", "file": "/src/app/.gitignore", "line": 3}`; `flag` in place of `file`
/// for one from the command line, neither for a built-in one.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a>(#[serde(serialize_with = "json::name")] &'a PathBuf);
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("text", &*self.text)?;
        match &self.origin {
            Origin::BuiltIn => {}
            Origin::Flag(flag) => map.serialize_entry("flag", flag)?,
            Origin::File { file, line } => {
                map.serialize_entry("file", &Named(file))?;
                if *line > 0 {
                    map.serialize_entry("line", line)?;
                }
            }
        }
        map.end()
    }
}

/// The kinds of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// `excluded_paths` or `-i`.
    ExcludedPath,
    /// `excluded_regexps`.
    ExcludedRegexp,
    /// `included_filetypes` or `--ext`: by it a file is watched, or for want of it ignored.
    Filetype,
    /// A line of `.gitignore`, `.ignore`, `info/exclude` or `core.excludesFile`.
    IgnoreFile,
    /// A built-in ignore.
    BuiltIn,
    /// A path that was named (`additional_paths`, `-w`): always watched.
    Named,
    /// No rule speaks against the path.
    Default,
}

/// Where a rule was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the program.
    BuiltIn,
    /// By this flag (`-i`, `--ext`, `-w`), or by this variable of the environment.
    Flag(&'static str),
    /// In a file, at a line from 1.
    File {
        /// The file as it is to be shown.
        file: Arc<PathBuf>,
        /// The line; 0 when unknown.
        line: u32,
    },
}
