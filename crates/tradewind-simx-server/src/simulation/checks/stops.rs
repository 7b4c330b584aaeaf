//! I23: what positions with a stop hold rests behind stops at the venue, or is listed as unprotected.

use std::collections::BTreeMap;

use tradewind_model::Amount;

use super::{DeskBooks, VenueBooks, Violation};

/// I23: by instrument, the venue's stops cover what the desk's positions need.
#[must_use]
pub fn stops_cover(desk: &DeskBooks, venue: &VenueBooks) -> Vec<Violation> {
    let mut guarded: BTreeMap<&str, Amount> = BTreeMap::new();
    for order in &venue.orders {
        *guarded.entry(&order.symbol).or_default() += order.guards;
    }
    let mut violations = Vec::new();
    for (symbol, needed) in &desk.to_guard {
        let guarded = guarded.get(symbol.as_str()).copied().unwrap_or_default();
        if guarded < *needed {
            let found = format!(
                "{symbol}: positions hold {needed} that is not listed, the venue's stops cover {guarded}"
            );
            violations.push(Violation::new("I23", found));
        }
    }
    violations
}
