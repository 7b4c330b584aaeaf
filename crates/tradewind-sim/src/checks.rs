//! Checks of the wire against the journal and the times of kills, and of the journal's own order; what they compare is bytes and
//! records, never what the engine holds.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_events::{EventKind, OrderView};
use tradewind_model::{
    Amount, BotId, ClientOrderId, FeedHealth, Instrument, InstrumentId, OrderKind, OrderStatus,
    OrderTerms, Quantity, Side, Timestamp,
};
use tradewind_risk::PositionEffect;
use tradewind_simx_server::simulation::{Ban, SentOrder, Violation};

/// A time in which nothing new may leave: from the moment at which a kill was done until the reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Killed {
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
    /// Whether orders that shrink positions may.
    pub(crate) flattens: bool,
    /// Whether it is on the disk: one that is not ends with its process, as its answer said.
    pub(crate) is_durable: bool,
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
            trigger: terms
                .kind
                .trigger()
                .map(|price| instrument.price_text(price)),
        }
    }
}

/// A parameter of a request.
fn param<'a>(order: &'a SentOrder, name: &str) -> Option<&'a str> {
    let params = order.request.params.iter();
    let mut found = params
        .filter(|(found, _)| found == name)
        .map(|(_, value)| &**value);
    found.next_back()
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
        let is_within =
            |killed: &&Killed| killed.from < at && killed.until.is_none_or(|until| at < until);
        let mut kills = kills.iter().filter(is_within);
        let sells = param(order, "side") == Some("SELL");
        if let Some(killed) = kills.find(|killed| !(killed.flattens && sells)) {
            let found = format!(
                "killed since {}, {:?} left at {at}",
                killed.from, order.request
            );
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
                violations.push(Violation::new(
                    "I06",
                    format!("{id} left and was not passed"),
                ));
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
                    broken(format!(
                        "{id} was filled by {before:?}, then by {cumulative:?}"
                    ));
                }
            }
            EventKind::OrderCancelled {
                terms, cumulative, ..
            } => {
                ended.insert(terms.client_id);
                let before = filled.get(&terms.client_id).copied();
                if before.is_some_and(|before| *cumulative < before) {
                    broken(format!(
                        "{} was filled by {before:?}, then by {cumulative:?}",
                        terms.client_id
                    ));
                }
            }
            _ => {}
        }
    }
    violations
}

/// I16: while an order's fate is unknown, its bot enters nothing in its instrument, and beside a stop of several bots none does.
pub(crate) fn unknown_blocks_entries(events: &[EventKind]) -> Vec<Violation> {
    let mut unknown: BTreeMap<ClientOrderId, (InstrumentId, Option<BotId>)> = BTreeMap::new();
    let mut violations = Vec::new();
    for event in events {
        match event {
            EventKind::OrderUnknown { terms, bot } => {
                unknown.insert(terms.client_id, (terms.instrument, *bot));
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
            EventKind::OrderPlaced {
                terms,
                bot,
                purpose: PositionEffect::Entry,
            } => {
                let blocks = unknown.iter().find(|(_, (instrument, of))| {
                    *instrument == terms.instrument && (of.is_none() || of == bot)
                });
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

/// I12: nothing is entered in an instrument whose data was last announced as anything but live.
pub(crate) fn enters_on_live_data(events: &[EventKind]) -> Vec<Violation> {
    let mut health: BTreeMap<InstrumentId, FeedHealth> = BTreeMap::new();
    let mut violations = Vec::new();
    for event in events {
        match event {
            EventKind::FeedHealthChanged {
                instrument,
                health: now,
            } => {
                health.insert(*instrument, *now);
            }
            EventKind::OrderPlaced {
                terms,
                bot: Some(_),
                purpose: PositionEffect::Entry,
            } => {
                let last = health.get(&terms.instrument);
                if let Some(last) = last.filter(|last| **last != FeedHealth::Live) {
                    let found = format!("{} enters on data that is {last:?}", terms.client_id);
                    violations.push(Violation::new("I12", found));
                }
            }
            _ => {}
        }
    }
    violations
}

/// I14: no request leaves before the end of a `Retry-After`.
pub(crate) fn keeps_to_bans(requests: &[(Timestamp, String)], bans: &[Ban]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for ban in bans {
        let is_early =
            |request: &&(Timestamp, String)| ban.from < request.0 && request.0 < ban.until;
        if let Some((at, line)) = requests.iter().find(is_early) {
            let found = format!(
                "banned from {} to {}, {line} left at {at}",
                ban.from, ban.until
            );
            violations.push(Violation::new("I14", found));
        }
    }
    violations
}

/// I20: no more orders and cancels left than may, and no order is of unknown fate.
pub(crate) fn is_quiet((sent, most): (usize, usize), open: &[OrderView]) -> Option<Violation> {
    let found = if sent > most {
        format!("{sent} orders and cancels left, {most} may")
    } else {
        let mut open = open.iter();
        let stuck = open.find(|order| order.status == OrderStatus::Unknown)?;
        format!("{stuck:?} is of unknown fate")
    };
    Some(Violation::new("I20", found))
}
