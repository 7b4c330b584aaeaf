//! I01 and I05: each intent makes at most one order, and is durable before the order's first byte leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::{Intent, VenueBooks, Violation};
use crate::simulation::SentOrder;

/// I01: no client id is sent twice, is at the exchange twice, or belongs to two intents.
#[must_use]
pub fn orders_placed_once(
    sent: &[SentOrder],
    intents: &[Intent],
    venue: &VenueBooks,
) -> Vec<Violation> {
    let on_wire = sent.iter().flat_map(|order| order.request.client_ids());
    let at_venue = venue.orders.iter().map(|order| order.client_id.as_str());
    let in_journal = intents.iter().map(|intent| intent.client_id.as_str());
    let places = [
        ("was sent", repeated(on_wire)),
        ("is at the exchange", repeated(at_venue)),
        ("is in the journal", repeated(in_journal)),
    ];
    let violation = |(how, id): (&str, &str)| {
        Violation::new("I01", format!("the client id {id} {how} more than once"))
    };
    places
        .into_iter()
        .flat_map(|(how, ids)| ids.into_iter().map(move |id| (how, id)))
        .map(violation)
        .collect()
}

/// I05: the intent of each order that was sent was durable when the order's first byte left.
#[must_use]
pub fn intents_durable_first(sent: &[SentOrder], intents: &[Intent]) -> Vec<Violation> {
    let ends: BTreeMap<&str, u64> = intents
        .iter()
        .map(|intent| (intent.client_id.as_str(), intent.ends))
        .collect();
    let mut violations = Vec::new();
    for order in sent {
        let (at, mark) = (order.first_byte_at, order.mark);
        let mut broken = |found| violations.push(Violation::new("I05", found));
        let mut ids = order.request.client_ids().peekable();
        if ids.peek().is_none() && !order.request.call.contains("/amend/") {
            broken(format!("an order without a client id left at {at}"));
        }
        for id in ids {
            match ends.get(id) {
                None => broken(format!("the order {id} left at {at} and has no intent")),
                Some(ends) if *ends > mark => broken(format!(
                    "the order {id} left at {at} when {mark} of the journal were durable; its intent ends at {ends}"
                )),
                Some(_) => {}
            }
        }
    }
    violations
}

/// The ids that are there more than once, in order.
fn repeated<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| !seen.insert(*id)).collect()
}
