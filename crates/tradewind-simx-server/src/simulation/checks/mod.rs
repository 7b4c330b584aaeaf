//! Checks of invariants on evidence: the wire's bytes, the exchange's books, and the books that a desk shows.
//!
//! Each check gives the violations that it finds, and none for evidence that is in order. All evidence is plain data, so that
//! a check can be shown to fail. Quantities and prices are amounts, which compare digit for digit whatever an instrument's
//! decimals are.

mod books;
mod evidence;
mod fills;
mod orders;
mod stops;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use tradewind_model::Timestamp;

pub use books::{books_equal, owners_add_up};
pub use evidence::{BookedFill, DeskBooks, Holding, Intent, OpenOrder, VenueBooks, VenueOrder};
pub use fills::fills_booked_once;
pub use orders::{intents_durable_first, orders_placed_once};
pub use stops::stops_cover;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which: `I01`.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

impl Violation {
    /// A violation of `invariant`.
    #[must_use]
    pub const fn new(invariant: &'static str, found: String) -> Self {
        Self { invariant, found }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.found)
    }
}

/// I11: a desk that was killed is in order again within `goal` of its restart. `settled_at` is the first time at which the
/// checks of I01, I02 and I03 found nothing; `None` when that never came.
#[must_use]
pub fn recovered_in_time(
    restarted_at: Timestamp,
    settled_at: Option<Timestamp>,
    goal: Duration,
) -> Option<Violation> {
    let found = match settled_at {
        None => format!("restarted at {restarted_at} and never in order again"),
        Some(at) if at.since(restarted_at) > goal => {
            format!(
                "in order {:?} after the restart; the goal is {goal:?}",
                at.since(restarted_at)
            )
        }
        Some(_) => return None,
    };
    Some(Violation::new("I11", found))
}
