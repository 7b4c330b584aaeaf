//! A virtual network between clients and a [`VirtualServer`](crate::VirtualServer), and checks of what passed over it.
//!
//! For tests of whole desks under a virtual clock. [`VirtualNetwork`] delays, cuts, loses and partitions from a seed;
//! `docs/faults.md` describes what the exchange's own fault scripts add above it. The checks read the wire's bytes, the
//! exchange's books and the books that a desk shows. They know nothing of how a desk works.

mod checks;
mod link;
mod network;
mod rule;
mod tap;

pub use checks::{
    BookedFill, DeskBooks, Holding, Intent, OpenOrder, VenueBooks, VenueOrder, Violation,
    books_equal, fills_booked_once, intents_durable_first, orders_placed_once, owners_add_up,
    recovered_in_time, stops_cover,
};
pub use link::{Direction, LinkFault, LinkState};
pub use network::{Ban, NetworkOptions, Segment, VirtualNetwork};
pub use rule::{Occasion, Rule};
pub use tap::SentOrder;
