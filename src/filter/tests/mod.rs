//! Tables for each rule and each pair of neighbours in the order of precedence.

mod git;
mod support;
