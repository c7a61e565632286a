//! Talking to a running instance: where its socket lies, what can be asked, what it answers.
//!
//! One request a connection, one JSON object a line each way. The server lives in the loop of the
//! instance; the clients are the subcommands `status`, `wait`, `restart` and their like.

pub mod client;
pub mod commands;
mod explained;
mod place;
mod protocol;
mod server;
mod waiting;

pub use explained::{
    Branch, Explained, IgnoredTree, MadeByRun, Places, Surveyed, SurveyedRoot, Unreadable, Watches,
    Why,
};
pub use place::{Place, PlaceError};
pub use protocol::{Ask, Ending, Identity, Outcome, PROTOCOL, Reply, Status, WaitAnswer};
pub use server::{Call, Server};
pub use waiting::{Look, Waiters};
