//! Is the save complete? Raw changes in, batches out. Pure: time is an argument.

mod batch;

pub use batch::{Batch, BatchChange};
