//! What was typed and what it means.

mod diagnostic;
mod duration;
mod file;
mod keys;
mod outline;
mod shape;
mod signal;
mod source;
