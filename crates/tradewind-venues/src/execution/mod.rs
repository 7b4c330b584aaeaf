//! Carrying out an account's orders at any venue: no socket, no clock, no task, no names of a single venue.
//!
//! [`Executor`] decides; [`ExecutionVenue`] is what it needs of a venue, and its requests and answers are in `request.rs`
//! and `records.rs`. What else a desk needs of a venue is in [`Venue`](crate::Venue).

mod absence;
mod account_reading;
mod cancels;
mod candle_reads;
mod executor;
mod fault;
mod in_flight;
mod io;
mod order_queries;
mod order_queue;
mod outstanding;
mod records;
mod request;
mod venue;
mod waits;

#[cfg(test)]
pub(crate) mod orders_for_tests;

pub use account_reading::{AccountSnapshot, TradeCursor};
pub use cancels::{CANCELS_AT_ONCE, CANCELS_MAX};
pub use candle_reads::{CANDLE_READS_AT_ONCE, CANDLE_READS_MAX};
pub use executor::{ABSENT_AFTER, Executor};
pub use fault::ExecutorFault;
pub use in_flight::{IN_FLIGHT_MAX, REMEMBERED_MAX, RESERVED_FOR_EXITS};
pub use io::{ExecutorInput, ExecutorOutput, ExecutorSettings};
pub use order_queries::{QUERIES_AT_ONCE, QUERIES_MAX};
pub use order_queue::QUEUED_MAX;
pub use outstanding::OVERDUE_MAX;
pub use records::{CandleRange, OrderQuery, OrderRecord};
pub use request::{RequestId, VenueRequest, VenueResponse};
pub use venue::{ExecutionVenue, ResponseSink};
pub use waits::Waits;

/// Requests that one executor waits for at once, overdue ones included.
pub const RESPONSES_MAX: usize =
    IN_FLIGHT_MAX + CANCELS_AT_ONCE + QUERIES_AT_ONCE + CANDLE_READS_AT_ONCE + OVERDUE_MAX + 1;
