//! Which files the runs themselves write, so that they would cause one another for ever. Pure.
//!
//! It stands between "the engine saw a change" and settling, and once more at the moment of firing. Two
//! runs in a row caused by a path make it *suspected*; only evidence that a process of the run changed it
//! *convicts* it, and a writer from elsewhere *acquits* it at once. What is convicted is as ignored until
//! it is *released*. The evidence comes from the process room; this room only weighs it.

mod chain;
mod state;
#[cfg(test)]
mod tests;

pub use state::{Breaker, Follow, Guilt, Judgement, Times, becomes};
