//! What holds inside one directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ignore_file::Chain;
pub use crate::model::EntryKind;
use crate::model::Rule;

/// The text of one ignore file, handed in by whoever may read files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreText {
    /// The file's absolute path.
    pub path: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
    /// The directory its patterns are relative to.
    pub base: PathBuf,
    /// Which kind of file it is: it decides the precedence.
    pub source: IgnoreSource,
}

/// The kinds of ignore files, lowest precedence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoreSource {
    /// git's `core.excludesFile`.
    Global,
    /// `info/exclude` of the repository.
    Exclude,
    /// A `.gitignore`: nearer directories win.
    Gitignore,
    /// An `.ignore`: wins over the `.gitignore` of its directory, not over one of a nearer directory.
    Ignore,
}

impl IgnoreText {
    /// A `.gitignore` or `.ignore` (by its name) that speaks about the directory it lies in.
    pub fn in_directory(path: PathBuf, text: Vec<u8>) -> Self {
        let source = match path.file_name() {
            Some(name) if name == ".ignore" => IgnoreSource::Ignore,
            _ => IgnoreSource::Gitignore,
        };
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { path, text, base, source }
    }

    /// `info/exclude` of the repository whose work tree begins at `top`.
    pub fn exclude(path: PathBuf, text: Vec<u8>, top: PathBuf) -> Self {
        Self { path, text, base: top, source: IgnoreSource::Exclude }
    }

    /// git's `core.excludesFile`, as it holds in the repository at `top` (without one: in the root).
    pub fn global(path: PathBuf, text: Vec<u8>, top: PathBuf) -> Self {
        Self { path, text, base: top, source: IgnoreSource::Global }
    }
}

/// What a look into one directory found that matters to rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'l> {
    /// Its `.gitignore` and `.ignore`.
    pub ignore_files: &'l [IgnoreText],
    /// It holds one of [`PROJECT_FILES`], so that `target` in it is a build directory.
    pub project_file: bool,
    /// It holds a `CACHEDIR.TAG` that begins with [`CACHEDIR_SIGNATURE`].
    pub cachedir_tag: bool,
}

/// Names of ignore files inside watched trees.
pub const IGNORE_FILES: [&str; 2] = [".gitignore", ".ignore"];

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
    /// This is what holds around the root, not yet inside it.
    pub(super) around: bool,
    pub(super) chain: Option<Arc<Chain>>,
    /// It holds one of [`PROJECT_FILES`].
    pub(super) project: bool,
    /// The last line of `excluded_paths` that matches this directory or one above it.
    pub(super) line: Option<LineAbove>,
    pub(super) state: State,
}

/// A line of `excluded_paths` that covers everything inside a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineAbove {
    pub(super) order: u32,
    pub(super) negated: bool,
}

/// How the walk came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No rule spoke against it.
    Plain,
    /// This line took it back from whatever ignore files say.
    TakenBack(Rule),
    /// This rule ignores it: only what is taken back counts inside.
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
        match &self.state {
            State::Passing(rule) => Some(rule),
            State::Plain | State::TakenBack(_) => None,
        }
    }

    /// Whether a directory inside that would get `new` can share this scope.
    pub(super) fn same(&self, new: &Self) -> bool {
        let chain = |scope: &Self| scope.chain.as_ref().map(Arc::as_ptr);
        !self.around
            && self.project == new.project
            && self.line == new.line
            && chain(self) == chain(new)
            && self.state == new.state
    }
}

/// What [`super::Filter::enter`] says about a directory.
#[derive(Clone, Debug)]
pub enum Entered<'a> {
    /// It is watched and walked, and this holds inside.
    Scope(Arc<Scope>),
    /// It is ignored: neither watched nor walked.
    Ignored(&'a Rule),
}
