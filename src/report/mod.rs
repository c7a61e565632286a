//! The only printer.

mod notice;

pub use notice::{Level, Notice, Summary, Watching};
