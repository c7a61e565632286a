//! Tables for each rule and each pair of neighbours in the order of precedence.

#[cfg(unix)]
mod git;
mod precedence;
mod random;
mod rules;
mod support;
