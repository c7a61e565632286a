//! Which paths count. Pure: the texts of ignore files are handed in.

mod rule;

pub use rule::{Origin, Rule, RuleKind, Verdict};
