//! The event stream.
//!
//! One [`Hub`] listens to the desk and writes each event out once, as the bytes of an SSE message; every client is handed
//! the same bytes. Events go into a ring that all clients read at their own pace: one that falls behind misses nothing
//! lossless, since it continues from the log, and gets a `gap` for other missed events. Prices are a slot per instrument, handed
//! out every 100 ms. So the cost to the desk is one subscriber, however many browsers there are and however slow.

mod client;
mod frame;
mod hub;
mod prices;

pub(crate) use client::{Client, Start};
pub(crate) use frame::Types;
pub(crate) use hub::Hub;
