//! What the file system did.
//!
//! [`Watch`] is the only owner of what is known about the tree, and routes what its threads send it: the event source
//! ([`native`], [`portable`]), the walker ([`walk`], [`lookers`], [`list`]) and the background reader ([`reader`]).
//! [`tree`] takes in events, and compares looks at directories with its [`table`]: the start, a new directory, a
//! recovery, new rules and a pass of polling are one and the same act. [`looks`] is what the walker was asked for,
//! [`contents`] what the last run saw, [`points`] the single names outside of the tree, [`passes`] what is done by the
//! clock.

mod contents;
mod engine;
mod entries;
mod filesystem;
mod flood;
mod links;
mod list;
mod lookers;
mod looks;
mod message;
mod native;
mod passes;
mod path_map;
mod points;
mod portable;
mod reader;
mod repository;
mod settings;
mod survey;
mod table;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

pub use self::contents::{Comparison, content};
pub use self::engine::Watch;
pub(crate) use self::links::Links;
pub use self::message::{Message, Seen};
pub(crate) use self::repository::Repository;
pub use self::settings::{Poll, Root, Settings, Timestamp};
pub use self::survey::{Glance, Step, Survey};
