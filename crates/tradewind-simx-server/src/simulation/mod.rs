//! A virtual network between clients and a [`VirtualServer`](crate::VirtualServer), and a record of the orders that were sent over it.
//!
//! For tests of whole desks under a virtual clock. [`VirtualNetwork`] delays, cuts, loses and partitions from a seed;
//! `docs/faults.md` describes what the exchange's own fault scripts add above it.

mod link;
mod network;
mod tap;

pub use link::{Direction, LinkFault, LinkState};
pub use network::{NetworkOptions, Occasion, Rule, VirtualNetwork};
pub use tap::SentOrder;
