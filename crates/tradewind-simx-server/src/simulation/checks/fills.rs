//! I02: every execution that the venue reports is in the ledger exactly once.

use std::collections::BTreeMap;

use tradewind_model::Amount;

use super::{BookedFill, DeskBooks, VenueBooks, Violation};

/// Symbol, trade and order.
type FillKey<'a> = (&'a str, u64, u64);

/// I02: both sides have the same executions, each once, and an order's fills add up to what the venue says of it.
#[must_use]
pub fn fills_booked_once(desk: &DeskBooks, venue: &VenueBooks) -> Vec<Violation> {
    let mut found = Vec::new();
    let booked = by_key(&desk.fills, &mut found);
    // The venue's own list has nothing twice; a test that builds one by hand learns it.
    let executed = by_key(&venue.fills, &mut found);
    for (key, fill) in &executed {
        match booked.get(key) {
            None => found.push(format!("the execution {key:?} is not in the ledger")),
            Some(other) if other != fill => {
                found.push(format!("the execution {fill:?} is booked as {other:?}"));
            }
            Some(_) => {}
        }
    }
    let invented = booked.keys().filter(|key| !executed.contains_key(*key));
    found.extend(invented.map(|key| format!("the ledger has {key:?}, which the venue has not")));
    found.extend(sums(desk, venue));
    found
        .into_iter()
        .map(|found| Violation::new("I02", found))
        .collect()
}

fn by_key<'a>(
    fills: &'a [BookedFill],
    found: &mut Vec<String>,
) -> BTreeMap<FillKey<'a>, &'a BookedFill> {
    let mut map = BTreeMap::new();
    for fill in fills {
        let key = (fill.symbol.as_str(), fill.trade_id, fill.order_id);
        if map.insert(key, fill).is_some() {
            found.push(format!("the execution {key:?} is booked more than once"));
        }
    }
    map
}

/// Orders whose fills in the ledger do not add up to the venue's cumulative quantity.
fn sums(desk: &DeskBooks, venue: &VenueBooks) -> Vec<String> {
    let mut sums: BTreeMap<(&str, u64), Amount> = BTreeMap::new();
    for fill in &desk.fills {
        *sums.entry((&fill.symbol, fill.order_id)).or_default() += fill.quantity;
    }
    let sum = |symbol: &str, order| sums.get(&(symbol, order)).copied().unwrap_or_default();
    let wrong = venue
        .orders
        .iter()
        .filter(|order| sum(&order.symbol, order.order_id) != order.filled);
    wrong
        .map(|order| {
            let sum = sum(&order.symbol, order.order_id);
            format!(
                "the fills of {} add up to {sum}, the venue says {}",
                order.client_id, order.filled
            )
        })
        .collect()
}
