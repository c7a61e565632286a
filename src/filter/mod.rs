//! Which paths count. Pure: the texts of ignore files are handed in.

mod rule;
mod scope;
mod spec;
mod temporary;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

pub use rule::{Origin, Rule, RuleKind, Verdict};
pub use scope::{
    CACHEDIR_SIGNATURE, CACHEDIR_TAG, Entered, EntryKind, IGNORE_FILES, IgnoreSource, IgnoreText,
    Listing, PROJECT_FILES, Scope,
};
pub use spec::{BadPattern, Legacy, List, Named, Pattern, Spec};
pub use temporary::{looks_temporary, temporary_among, temporary_of};

/// The compiled rules. Shared by all threads; a verdict allocates nothing.
#[derive(Debug)]
pub struct Filter {
    spec: Spec,
    warnings: Vec<Legacy>,
    default: Rule,
}

impl Filter {
    /// Compiles the rules; the first pattern that cannot be understood is the error.
    pub fn new(spec: Spec) -> Result<Self, BadPattern> {
        let default =
            Rule { kind: RuleKind::Default, text: Arc::from(""), origin: Origin::BuiltIn };
        Ok(Self { spec, warnings: Vec::new(), default })
    }

    /// What it was compiled from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The entries of `excluded_regexps` that were read as globs.
    pub fn warnings(&self) -> &[Legacy] {
        &self.warnings
    }

    /// What holds *around* a root: hand in the ignore files above it (up to the repository's top,
    /// `info/exclude`, `core.excludesFile`), then [`enter`](Self::enter) the root itself like any
    /// directory. A root is never ignored.
    pub fn root_scope(&self, root: &Path, _above: &[IgnoreText]) -> Arc<Scope> {
        Arc::new(Scope { root: Arc::from(root) })
    }

    /// The whole decision about a directory once it has been listed, and what holds inside it.
    /// Returns the parent's scope when the directory brings nothing new.
    pub fn enter<'a>(
        &'a self,
        parent: &'a Arc<Scope>,
        _dir: &Path,
        _listing: Listing<'_>,
    ) -> Entered<'a> {
        Entered::Scope(Arc::clone(parent))
    }

    /// Whether changes of one path count. `scope` is that of the directory it lies in; parents need
    /// no look, because an ignored directory is never entered. `path` is absolute.
    pub fn verdict<'a>(&'a self, _scope: &'a Scope, _path: &Path, _kind: EntryKind) -> Verdict<'a> {
        Verdict::Watch(&self.default)
    }

    /// The type of `included_filetypes` that a file name has; `None` also when there are no types.
    pub fn included_type(&self, _name: &OsStr) -> Option<&Rule> {
        None
    }
}
