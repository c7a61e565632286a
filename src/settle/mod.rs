//! Is the save complete? Raw changes in, batches out. Pure: time is an argument.

mod batch;
mod core;
pub mod numbers;
mod settings;
mod table;

#[cfg(test)]
mod tests;

pub use batch::{Batch, BatchChange};
pub use core::{Due, Settle};
pub use settings::Settings;
