//! Checks of the wire against the journal and the times of kills, and of the journal's own order; what they compare is bytes and
//! records, never what the engine holds.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_events::EventKind;
use tradewind_model::{
    Amount, ClientOrderId, Instrument, InstrumentId, OrderKind, OrderTerms, Quantity, Side, Timestamp,
};
use tradewind_risk::PositionEffect;
use tradewind_simx_server::simulation::{SentOrder, Violation};

/// A time in which nothing new may leave: from the moment at which a kill was done until the reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Killed {
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
    /// Whether orders that shrink positions may.
    pub(crate) flattens: bool,
}

/// What an intent lets leave, as texts of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    symbol: String,
    side: &'static str,
    quantity: String,
    price: Option<String>,
    trigger: Option<String>,
}

impl Passed {
    pub(crate) fn new(terms: &OrderTerms, symbol: String, instrument: &Instrument) -> Self {
        let price = match terms.kind {
            OrderKind::Market | OrderKind::Stop { .. } => None,
            OrderKind::Limit { price, .. }
            | OrderKind::PostOnly { price }
            | OrderKind::StopLimit { price, .. } => Some(price),
        };
        Self {
            symbol,
            side: match terms.side {
                Side::Buy => "BUY",
                Side::Sell => "SELL",
            },
            quantity: instrument.quantity_text(terms.quantity),
            price: price.map(|price| instrument.price_text(price)),
            trigger: terms.kind.trigger().map(|price| instrument.price_text(price)),
        }
    }
}

/// A parameter of a request.
fn param<'a>(order: &'a SentOrder, name: &str) -> Option<&'a str> {
    let params = order.request.params.iter();
    let found = params.filter(|(found, _)| found == name).map(|(_, value)| &**value);
    found.last()
}

/// The same number, however it is written.
fn is_same(left: Option<&str>, right: Option<&str>) -> bool {
    let number = |text: Option<&str>| text.map(|text| text.parse::<Amount>().ok());
    number(left) == number(right)
}

/// I04: while the desk is killed nothing new leaves, and while it flattens nothing is bought.
pub(crate) fn killed_sends_nothing(sent: &[SentOrder], kills: &[Killed]) -> Vec<Violation> {
    let is_new = |order: &&SentOrder| order.request.client_ids().next().is_some();
    let mut violations = Vec::new();
    for order in sent.iter().filter(is_new) {
        let at = order.first_byte_at;
        let is_within = |killed: &&Killed| {
            killed.from < at && killed.until.is_none_or(|until| at < until)
        };
        let mut kills = kills.iter().filter(is_within);
        let sells = param(order, "side") == Some("SELL");
        if let Some(killed) = kills.find(|killed| !(killed.flattens && sells)) {
            let found = format!("killed since {}, {:?} left at {at}", killed.from, order.request);
            violations.push(Violation::new("I04", found));
        }
    }
    violations
}

/// I06: what leaves has exactly the fields that were passed; of a pair, side, symbol and quantity are compared.
pub(crate) fn sent_as_passed(
    sent: &[SentOrder],
    passed: &BTreeMap<String, Passed>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for order in sent {
        for id in order.request.client_ids() {
            let Some(passed) = passed.get(id) else {
                violations.push(Violation::new("I06", format!("{id} left and was not passed")));
                continue;
            };
            let is_alone = param(order, "newClientOrderId") == Some(id);
            let same = param(order, "symbol") == Some(&passed.symbol)
                && param(order, "side") == Some(passed.side)
                && is_same(param(order, "quantity"), Some(&passed.quantity))
                && (!is_alone || is_same(param(order, "price"), passed.price.as_deref()))
                && (!is_alone || is_same(param(order, "stopPrice"), passed.trigger.as_deref()));
            if !same {
                let found = format!("{passed:?} was passed, {:?} left", order.request.params);
                violations.push(Violation::new("I06", found));
            }
        }
    }
    violations
}

/// I13: what is filled of an order never falls, and what was cancelled or filled is never open again.
pub(crate) fn states_move_forward(events: &[EventKind]) -> Vec<Violation> {
    let mut filled: BTreeMap<ClientOrderId, Quantity> = BTreeMap::new();
    let mut ended: BTreeSet<ClientOrderId> = BTreeSet::new();
    let mut violations = Vec::new();
    let mut broken = |found| violations.push(Violation::new("I13", found));
    for event in events {
        match event {
            EventKind::OrderAccepted { terms, .. } if ended.contains(&terms.client_id) => {
                broken(format!("{} is open after its end", terms.client_id));
            }
            EventKind::OrderFilled {
                fill, cumulative, ..
            } => {
                let id = fill.client_id;
                let before = filled.insert(id, *cumulative).unwrap_or(Quantity::ZERO);
                if *cumulative < before {
                    broken(format!("{id} was filled by {before:?}, then by {cumulative:?}"));
                }
            }
            EventKind::OrderCancelled {
                terms, cumulative, ..
            } => {
                ended.insert(terms.client_id);
                let before = filled.get(&terms.client_id).copied();
                if before.is_some_and(|before| *cumulative < before) {
                    broken(format!("{} was filled by {before:?}, then by {cumulative:?}", terms.client_id));
                }
            }
            _ => {}
        }
    }
    violations
}

/// I16: while an order's fate is unknown, nothing is entered in its instrument.
pub(crate) fn unknown_blocks_entries(events: &[EventKind]) -> Vec<Violation> {
    let mut unknown: BTreeMap<ClientOrderId, InstrumentId> = BTreeMap::new();
    let mut violations = Vec::new();
    for event in events {
        match event {
            EventKind::OrderUnknown { terms, .. } => {
                unknown.insert(terms.client_id, terms.instrument);
            }
            EventKind::OrderAccepted { terms, .. }
            | EventKind::OrderCancelled { terms, .. }
            | EventKind::OrderRejected { terms, .. }
            | EventKind::OrderExpired { terms, .. } => {
                unknown.remove(&terms.client_id);
            }
            EventKind::OrderFilled { fill, .. } => {
                unknown.remove(&fill.client_id);
            }
            EventKind::OrderPlaced { terms, purpose, .. } if *purpose == PositionEffect::Entry => {
                let blocks = unknown.iter().find(|(_, instrument)| **instrument == terms.instrument);
                if let Some((id, _)) = blocks {
                    let found = format!("{} enters while {id} is unknown", terms.client_id);
                    violations.push(Violation::new("I16", found));
                }
            }
            _ => {}
        }
    }
    violations
}
