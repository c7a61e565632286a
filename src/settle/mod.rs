//! Is the save complete? Raw changes in, batches out. Pure: time is an argument.

pub mod numbers;
mod stage;
mod state;
mod sweep;
mod table;

#[cfg(test)]
mod tests;

pub use state::{Due, Settings, Settle};
