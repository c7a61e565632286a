//! What to do about it: one enum for the state of the command, decisions as data. Pure.

mod changes;
mod child;
mod core;
mod crash;
mod pending;
mod processes;
mod record;
mod requests;
mod snapshot;
#[cfg(test)]
mod tests;
mod types;

pub use core::Supervisor;
pub use snapshot::{Face, Session, Snapshot, State};
pub use types::{Action, Cause, Event, Exit, OnBusy, OnCrash, Request, RunId, Settings, Signal};
