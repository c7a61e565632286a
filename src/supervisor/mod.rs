//! What to do about it: one enum for the state of the command, decisions as data. Pure.

mod core;
mod snapshot;
mod types;

pub use core::Supervisor;
pub use snapshot::{Face, Session, Snapshot, State};
pub use types::{Action, Cause, Event, Exit, OnBusy, OnCrash, Request, RunId, Settings, Signal};
