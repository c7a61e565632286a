//! What a filter is made of, as the configuration hands it over, and what can be wrong with it.

use std::fmt;
use std::path::PathBuf;

use crate::model::Origin;

/// Everything that decides which paths count. Paths are absolute; patterns are as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// The directory that relative patterns of `excluded` start from: absolute.
    pub working_directory: PathBuf,
    /// `excluded_paths` of the file, then `-i` in the order of the command line; the last line that
    /// matches a path decides. A leading `!` takes a path back from ignore files and built-ins.
    pub excluded: Vec<Pattern>,
    /// `excluded_regexps`.
    pub regexps: Vec<Pattern>,
    /// `included_filetypes` or `--ext`, one entry each; empty for every file.
    pub types: Vec<Pattern>,
    /// Directories named by `additional_paths` or `-w`: watched although a rule ignores them.
    pub named: Vec<Named>,
    /// Single files named by `additional_paths` or `-w`: they always count.
    pub files: Vec<Named>,
    /// Whether `.gitignore`, `.ignore` and git's other ignore files are honoured.
    pub gitignore: bool,
    /// Whether the built-in ignores hold.
    pub default_ignores: bool,
}

/// One entry of a list of patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The entry as it was written.
    pub text: String,
    /// Where it was written.
    pub origin: Origin,
    /// Whether an entry of `excluded` without a slash matches a name at any depth (`-i`), or only
    /// in the working directory (`excluded_paths`). Of no meaning in the other lists.
    pub any_depth: bool,
}

/// A path that a person named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The absolute path, without `.` and `..`.
    pub path: PathBuf,
    /// The path as it was written, for the rule's text.
    pub shown: String,
    /// Where it was written.
    pub origin: Origin,
}

/// One of the lists of a [`Spec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// `excluded_paths` or `-i`.
    Excluded,
    /// `excluded_regexps`.
    Regexps,
    /// `included_filetypes` or `--ext`.
    Types,
}

/// A pattern that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern {
    /// The list it is in.
    pub list: List,
    /// The index in that list of the [`Spec`].
    pub index: usize,
    /// The pattern as it was written.
    pub pattern: String,
    /// What is wrong with it, in one line, and what to write instead where that is known.
    pub message: String,
    /// Where it was written.
    pub origin: Origin,
}

impl BadPattern {
    pub(super) fn new(list: List, index: usize, pattern: &Pattern, message: &str) -> Self {
        let (text, origin) = (pattern.text.clone(), pattern.origin.clone());
        Self { list, index, pattern: text, message: message.to_owned(), origin }
    }
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.pattern, self.message)
    }
}

impl std::error::Error for BadPattern {}

/// An entry of `excluded_regexps` that is no regular expression and was read as the glob that was
/// meant (`*.yml$` as `*.yml`): the LEGACY line is said once for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Legacy {
    /// The index in [`Spec::regexps`].
    pub index: usize,
    /// The entry as it was written.
    pub pattern: String,
    /// The glob it was read as.
    pub read_as: String,
    /// Where it was written.
    pub origin: Origin,
}
