//! Which paths count. Pure: the texts of ignore files are handed in.
//!
//! The order of precedence, highest first:
//! 1. a path that was named (`additional_paths`, `-w`) counts;
//! 2. `excluded_paths` and `-i`: the last line that matches the path or a directory above it. A line
//!    with `!` takes the path back from 3 and 4, not from 5 and 6, and makes the walk pass through
//!    ignored directories above it; everything else in those stays ignored. What it takes back from
//!    ignore files holds for all that is below (`!dist` means what is in `dist`); a built-in ignore
//!    holds again below it (`dist/node_modules`), unless the line matches that path itself;
//! 3. ignore files: the nearest directory wins, `.ignore` over `.gitignore` in one directory, then
//!    `info/exclude`, then `core.excludesFile`. A `!` in them lifts only ignore files of lower precedence;
//! 4. the built-in ignores; a type of 6 that says the same as one (`.log`, `*.log`) lifts it;
//! 5. `excluded_regexps`, for files;
//! 6. `included_filetypes`, for files.

mod asker;
mod builtin;
mod decide;
mod excluded;
mod glob;
mod ignore_file;
mod index;
mod lines;
mod named;
mod regexps;
mod scope;
mod spec;
mod temporary;
mod types;

use std::ffi::OsStr;
use std::sync::Arc;

use crate::model::{Origin, Rule, RuleKind};

pub use asker::{Answer, Asker, Found};
pub use decide::Verdict;
pub use scope::{
    CACHEDIR_SIGNATURE, CACHEDIR_TAG, Entered, EntryKind, IGNORE_FILES, IgnoreSource, IgnoreText,
    Listing, PROJECT_FILES, Scope,
};
pub use spec::{BadPattern, Legacy, List, Named, Pattern, Spec};
pub use temporary::{looks_temporary, temporary_among, temporary_among_bytes, temporary_of};

/// The compiled rules. Shared by all threads; a verdict allocates nothing.
#[derive(Debug)]
pub struct Filter {
    spec: Spec,
    warnings: Vec<Legacy>,
    named: named::NamedPaths,
    excluded: excluded::Excluded,
    built_ins: builtin::BuiltIns,
    regexps: regexps::Regexps,
    types: Option<types::Types>,
    default: Rule,
}

impl Filter {
    /// Compiles the rules; the first pattern that cannot be understood is the error.
    pub fn new(spec: Spec) -> Result<Self, BadPattern> {
        let directory = excluded::normal(&spec.working_directory);
        let (regexps, warnings) = regexps::Regexps::new(&spec.regexps)?;
        Ok(Self {
            warnings,
            named: named::NamedPaths::new(spec.named.iter().chain(&spec.files)),
            excluded: excluded::Excluded::new(&spec.excluded, &directory)?,
            built_ins: builtin::BuiltIns::new(&spec.types),
            regexps,
            types: types::Types::new(&spec.types)?,
            default: Rule { kind: RuleKind::Default, text: Arc::from(""), origin: Origin::BuiltIn },
            spec,
        })
    }

    /// What it was compiled from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The entries of `excluded_regexps` that were read as globs.
    pub fn warnings(&self) -> &[Legacy] {
        &self.warnings
    }

    /// The type of `included_filetypes` that a file name has; `None` also when there are no types.
    pub fn included_type(&self, name: &OsStr) -> Option<&Rule> {
        self.types.as_ref()?.of(name.as_encoded_bytes())
    }
}

#[cfg(test)]
mod tests;
