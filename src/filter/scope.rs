//! What holds inside one directory.

use std::path::Path;
use std::sync::Arc;

use super::ignore_file::{Chain, IgnoreText};
use crate::model::Rule;

/// What a look into one directory found that matters to rules.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The directory's `.gitignore` and `.ignore`.
    pub ignore_files: Vec<IgnoreText>,
    /// The directory holds one of [`PROJECT_FILES`], so that `target` in it is a build directory.
    pub project_file: bool,
    /// The directory holds a `CACHEDIR.TAG` that begins with [`CACHEDIR_SIGNATURE`].
    pub cachedir_tag: bool,
}

/// A directory `target` beside one of these is a build directory.
pub const PROJECT_FILES: [&str; 3] = ["Cargo.toml", "pom.xml", "build.sbt"];

/// The name of the file that marks a cache directory.
pub const CACHEDIR_TAG: &str = "CACHEDIR.TAG";

/// What a valid `CACHEDIR.TAG` begins with (<https://bford.info/cachedir/>).
pub const CACHEDIR_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// What holds inside one directory: which ignore files speak about it, whether `target` in it is a
/// build directory, and whether the walk only passes through it on the way to a path that was taken
/// back. Directories with nothing new share their parent's.
#[derive(Debug)]
pub struct Scope {
    /// The root that paths are relative to.
    pub(super) root: Arc<Path>,
    /// Whether this is what holds around the root, not yet inside it.
    pub(super) around: bool,
    pub(super) chain: Option<Arc<Chain>>,
    /// Whether the directory holds one of [`PROJECT_FILES`].
    pub(super) project: bool,
    /// The last line of `excluded_paths` that matches this directory or one above it.
    pub(super) line: Option<LineAbove>,
    pub(super) approach: Approach,
}

/// A line of `excluded_paths` that covers everything inside a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineAbove {
    pub(super) order: u32,
    pub(super) negated: bool,
}

/// How the walk came into a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Approach {
    /// No rule spoke against it.
    Plain,
    /// This line took the directory back, whatever ignore files say.
    TakenBack(Rule),
    /// This rule ignores the directory: only what is taken back counts inside.
    Passing(Rule),
}

impl Scope {
    /// The root that this directory belongs to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The rule that ignores everything inside, except for what was taken back: the walk is here only
    /// on its way.
    pub fn passing(&self) -> Option<&Rule> {
        match &self.approach {
            Approach::Passing(rule) => Some(rule),
            Approach::Plain | Approach::TakenBack(_) => None,
        }
    }

    /// Whether a directory inside that would get `new` can share this scope.
    pub(super) fn same(&self, new: &Self) -> bool {
        let chain = |scope: &Self| scope.chain.as_ref().map(Arc::as_ptr);
        !self.around
            && self.project == new.project
            && self.line == new.line
            && chain(self) == chain(new)
            && self.approach == new.approach
    }
}

/// What [`super::Filter::enter`] says about a directory.
#[derive(Clone, Debug)]
pub enum Entered<'a> {
    /// The directory is watched and walked, and this holds inside.
    Scope(Arc<Scope>),
    /// The directory is ignored: neither watched nor walked.
    Ignored(&'a Rule),
}
