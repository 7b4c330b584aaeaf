//! Carrying out orders at any venue: no socket, no clock, no task, no venue's own words.

mod order_queue;
mod records;

pub use order_queue::{Next, OrderQueue};
pub use records::{CandleRange, OrderQuery, OrderRecord};
