//! What runs make themselves.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::json;

/// What a run makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// One path.
    Path(Arc<Path>),
    /// Names that differ in one part, a new one each time.
    Names(Family),
}

impl Made {
    /// The path, or the directory and a name with `*` for the part that differs.
    #[must_use]
    pub fn pattern(&self) -> Arc<Path> {
        match self {
            Made::Path(path) => path.clone(),
            Made::Names(family) => family.with("*"),
        }
    }

    /// A path that stands for all of it.
    #[must_use]
    pub fn example(&self) -> Arc<Path> {
        match self {
            Made::Path(path) => path.clone(),
            Made::Names(family) => family.with("000000"),
        }
    }
}

/// The path, or the pattern.
impl Serialize for Made {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        json::name(&self.pattern(), to)
    }
}

/// Names in one directory that differ in one part only, as runs make them: `report-1700000000.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The directory of the names.
    pub directory: Arc<Path>,
    /// What the names have in common before the part that differs.
    pub before: OsString,
    /// What the names have in common after it.
    pub after: OsString,
}

impl Family {
    /// A path of this family, or a pattern for it, with this for the part that differs.
    fn with(&self, part: &str) -> Arc<Path> {
        let mut name = self.before.clone();
        name.push(part);
        name.push(&self.after);
        Arc::from(self.directory.join(name))
    }

    /// What the names have in common, before and after the part that differs.
    #[must_use]
    pub fn ends(&self) -> (&OsStr, &OsStr) {
        (&self.before, &self.after)
    }
}
