//! Talking to a running instance: the directory of the sockets, the questions and the answers.
//!
//! A connection carries one question and one answer, each a JSON object on a line. The server lives in the loop of the
//! instance; the clients are the subcommands `status`, `wait`, `restart` and the orders.

pub mod client;
pub mod commands;
mod directory;
mod explained;
mod protocol;
mod server;
mod waiting;

pub use directory::{SocketDirectory, SocketDirectoryError};
pub use explained::{
    Branch, Explained, IgnoredTree, MadeByRun, Places, Surveyed, SurveyedRoot, Unreadable, Watches,
    Why,
};
pub use protocol::{Ask, Ending, Identity, Outcome, PROTOCOL, Reply, Status, WaitAnswer};
pub use server::{Call, Server};
pub use waiting::{Look, Waiters};
