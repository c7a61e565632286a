//! Is the save complete? Raw changes in, batches out. Pure: time is an argument.

mod hand_out;
pub mod numbers;
mod row;
mod settings;
mod stage;
mod state;
mod table;
mod timing;

#[cfg(test)]
mod tests;

pub use settings::Settings;
pub use state::{Due, Settle};
