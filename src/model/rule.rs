//! A rule, and where it was written: what a verdict names.

use std::path::PathBuf;
use std::sync::Arc;

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

/// The kinds of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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
