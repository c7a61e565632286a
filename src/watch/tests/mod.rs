//! The engine on real files, driven the way the loop drives it.

#![expect(clippy::disallowed_methods, reason = "tests work on real files and a real clock")]

mod backends;
mod baseline;
mod random;
mod rig;
mod roots;
mod rules;
mod saves;
mod scale;
mod tree;

pub(super) use rig::{Rig, filter_for};
