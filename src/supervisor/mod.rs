//! What to do about it: one enum for the state of the command, decisions as data. Pure.

mod types;

pub use types::{Action, Cause, Event, Exit, OnBusy, OnCrash, Request, RunId, Settings, Signal};
