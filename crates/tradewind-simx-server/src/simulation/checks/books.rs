//! I03 and I22: at rest the desk's books equal the venue's, and its owners have all there is.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_model::Amount;

use super::{DeskBooks, Holding, OpenOrder, VenueBooks, Violation};

/// I03: open orders with what was filled of them, and free and locked balances, are the same on both sides.
#[must_use]
pub fn books_equal(desk: &DeskBooks, venue: &VenueBooks) -> Vec<Violation> {
    let theirs: BTreeSet<OpenOrder> = venue
        .orders
        .iter()
        .filter(|order| order.is_open)
        .map(|order| OpenOrder {
            client_id: order.client_id.clone(),
            filled: order.filled,
        })
        .collect();
    let ours: BTreeSet<OpenOrder> = desk.open_orders.iter().cloned().collect();
    let mut found = Vec::new();
    if ours.len() != desk.open_orders.len() {
        found.push("the desk shows an open order twice".to_owned());
    }
    let missing = theirs.difference(&ours);
    found.extend(missing.map(|order| format!("open at the venue, not at the desk: {order:?}")));
    let ghosts = ours.difference(&theirs);
    found.extend(ghosts.map(|order| format!("open at the desk, not at the venue: {order:?}")));
    for asset in desk
        .balances
        .keys()
        .chain(venue.balances.keys())
        .collect::<BTreeSet<_>>()
    {
        let (ours, theirs) = (held(&desk.balances, asset), held(&venue.balances, asset));
        if ours != theirs {
            found.push(format!(
                "{asset}: the desk shows {ours:?}, the venue has {theirs:?}"
            ));
        }
    }
    found
        .into_iter()
        .map(|found| Violation::new("I03", found))
        .collect()
}

/// I22: per asset the owners' amounts add up to the venue's free and locked.
#[must_use]
pub fn owners_add_up(desk: &DeskBooks, venue: &VenueBooks) -> Vec<Violation> {
    let mut sums: BTreeMap<&str, Amount> = BTreeMap::new();
    for ((asset, _), amount) in &desk.owners {
        *sums.entry(asset).or_default() += *amount;
    }
    let assets: BTreeSet<&str> = sums
        .keys()
        .copied()
        .chain(venue.balances.keys().map(String::as_str))
        .collect();
    let mut violations = Vec::new();
    for asset in assets {
        let owned = sums.get(asset).copied().unwrap_or_default();
        let Holding { free, locked } = held(&venue.balances, asset);
        if owned != free + locked {
            let found =
                format!("{asset}: owners have {owned}, the venue {free} free and {locked} locked");
            violations.push(Violation::new("I22", found));
        }
    }
    violations
}

fn held(balances: &BTreeMap<String, Holding>, asset: &str) -> Holding {
    balances.get(asset).copied().unwrap_or_default()
}
