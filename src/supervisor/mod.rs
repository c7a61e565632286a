//! What to do about it: one enum for the state of the command, decisions as data. Pure.

mod child;
mod crash;
mod decide;
mod pending;
mod record;
mod snapshot;
#[cfg(test)]
mod tests;
mod types;

pub use decide::Supervisor;
pub use snapshot::{Face, Snapshot, State, Tally};
pub use types::{Action, Event, Exit, Order, Request, Settings};
