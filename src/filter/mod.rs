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
mod regexps;
mod scope;
mod spec;
mod temporary;
mod types;

pub use asker::{Answer, Asker};
pub use decide::{Filter, Verdict};
pub use ignore_file::{IGNORE_FILES, IgnoreSource, IgnoreText};
pub use scope::{CACHEDIR_SIGNATURE, CACHEDIR_TAG, Entered, Marks, PROJECT_FILES, Scope};
pub use spec::{BadPattern, Legacy, List, Named, Pattern, Spec};
pub use temporary::temporary_among;

#[cfg(test)]
mod tests;
