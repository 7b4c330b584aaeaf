//! Checks of the desk's own story, which is its journal, against the wire and the exchange.
//!
//! The books at rest may be in order although something was wrong on the way: the desk mends much of what it got wrong. These
//! checks look at the way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tradewind_events::{Configuration, EventKind, Input};
use tradewind_journal::{MemoryStorage, Reader, Record, StoreKind};
use tradewind_model::{Amount, ClientOrderId, OrderStatus, Quantity, Side, Timestamp};
use tradewind_risk::{CauseKind, PositionEffect, Scope, TradingState};
use tradewind_simx_server::simulation::{DeskBooks, VenueBooks, Violation, stops_cover};

use crate::evidence::{JournalEvidence, symbol};
use crate::listener::is_complete;
use crate::world::{JOURNAL, KEY, World};

/// Connections that a desk of one account has open at most: pools of 16 and of 8, streams, and those that are being replaced.
const CONNECTIONS_MAX: usize = 48;

/// I13: what the desk says last of an order is what became of it at the exchange.
pub(crate) fn orders_end_alike(
    events: &[EventKind],
    at_venue: &BTreeMap<String, OrderStatus>,
) -> Vec<Violation> {
    let mut ends: BTreeMap<ClientOrderId, OrderStatus> = BTreeMap::new();
    for kind in events {
        let (id, status) = match kind {
            EventKind::OrderFilled { fill, status, .. } => (fill.client_id, *status),
            EventKind::OrderCancelled { terms, .. } => (terms.client_id, OrderStatus::Cancelled),
            EventKind::OrderRejected { terms, .. } => (terms.client_id, OrderStatus::Rejected),
            EventKind::OrderExpired {
                terms, not_sent, ..
            } => match not_sent {
                Some(_) => (terms.client_id, OrderStatus::NotSent),
                None => (terms.client_id, OrderStatus::Expired),
            },
            _ => continue,
        };
        if !status.is_open() {
            ends.entry(id).or_insert(status);
        }
    }
    let is_alike = |desk: OrderStatus, venue: Option<&OrderStatus>| match desk {
        OrderStatus::Rejected | OrderStatus::NotSent => venue.is_none(),
        OrderStatus::Filled => venue == Some(&OrderStatus::Filled),
        // Of an order that ended long ago the venue does not say how.
        _ => {
            venue.is_none_or(|venue| matches!(venue, OrderStatus::Cancelled | OrderStatus::Expired))
        }
    };
    let ends = ends
        .iter()
        .map(|(id, desk)| (id, desk, at_venue.get(&id.to_string())));
    let other = ends.filter(|(_, desk, venue)| !is_alike(**desk, *venue));
    other
        .map(|(id, desk, venue)| {
            let found = format!("the desk says {desk:?} of order {id}, the exchange {venue:?}");
            Violation::new("I13", found)
        })
        .collect()
}

/// I11: after a start nothing is placed before its account was read and compared.
pub(crate) fn nothing_before_a_reading(disk: &MemoryStorage) -> Option<Violation> {
    let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
    let mut is_read = false;
    for found in reader.records(StoreKind::Truth).ok()?.map_while(Result::ok) {
        match found.record {
            Record::Input(Input::Started(_)) => is_read = false,
            Record::Event(event) => match event.kind {
                EventKind::Reconciled { .. } => is_read = true,
                EventKind::OrderPlaced { terms, .. } if !is_read => {
                    let found = format!("{terms:?} was placed before the account was read");
                    return Some(Violation::new("I11", found));
                }
                _ => {}
            },
            _ => {}
        }
    }
    None
}

/// How long an exit waits for a definite answer on a stop in its way (V21).
const EXIT_WAITS: Duration = Duration::from_secs(10);
/// How much of that is left at least when the answer to the cancel of a stop that the exchange had confirmed is overdue after five seconds.
/// The cancel leaves a moment after the exit began to wait.
const LEFT_OF_IT: Duration = Duration::from_millis(4_900);

/// I16: an exit waits for a definite answer on its position's stop, ten seconds at most. No journal says when it began to wait. In the way of
/// a stop that was never confirmed it did not before that was placed, since nothing is placed for a position whose exit waits. The time from
/// its being UNKNOWN on is no measure there: the order may have left some milliseconds after it was placed (seed 96).
pub(crate) fn exits_wait(dated: &[(Timestamp, EventKind)]) -> Option<Violation> {
    // When each was placed; none once it was confirmed.
    let mut stops: BTreeMap<ClientOrderId, Option<Timestamp>> = BTreeMap::new();
    let mut unknown = BTreeMap::new();
    for (at, kind) in dated {
        match kind {
            EventKind::OrderPlaced {
                terms,
                purpose: PositionEffect::Protect,
                ..
            } => {
                stops.insert(terms.client_id, Some(*at));
            }
            EventKind::OrderUnknown { terms, bot } => {
                if let Some(placed_at) = stops.get(&terms.client_id) {
                    let until =
                        placed_at.map_or(*at + LEFT_OF_IT, |placed_at| placed_at + EXIT_WAITS);
                    unknown.insert(terms.client_id, (*bot, terms.instrument, until));
                }
            }
            EventKind::OrderAccepted { terms, .. } => {
                stops
                    .entry(terms.client_id)
                    .and_modify(|placed_at| *placed_at = None);
                unknown.remove(&terms.client_id);
            }
            EventKind::OrderCancelled { terms, .. }
            | EventKind::OrderRejected { terms, .. }
            | EventKind::OrderExpired { terms, .. } => {
                unknown.remove(&terms.client_id);
            }
            EventKind::OrderFilled { fill, .. } => {
                unknown.remove(&fill.client_id);
            }
            EventKind::OrderPlaced {
                terms,
                bot: bot @ Some(_),
                purpose: PositionEffect::Exit,
            } => {
                let is_in_the_way = |(_, (of, instrument, until)): &(&_, &(_, _, Timestamp))| {
                    (of, instrument) == (bot, &terms.instrument) && at < until
                };
                if let Some((id, _)) = unknown.iter().find(is_in_the_way) {
                    let found = format!("{terms:?} was placed while the stop {id} was UNKNOWN");
                    return Some(Violation::new("I16", found));
                }
            }
            _ => {}
        }
    }
    None
}

/// The reasons that breakers give.
const BREAKERS: [CauseKind; 2] = [CauseKind::BreakerOpen, CauseKind::VenueBreakerOpen];

/// I14: while a breaker waits for the outcome of its probe no other entry is placed.
pub(crate) fn one_probe_at_a_time(events: &[EventKind]) -> Option<Violation> {
    // Breakers that wait, each with its probe once there is one.
    let mut half_open: Vec<(Scope, Option<ClientOrderId>)> = Vec::new();
    for kind in events {
        let answered = match kind {
            EventKind::TradingStateChanged {
                scope,
                cause,
                closed,
                ..
            } => {
                let opened = cause.as_ref().map(|cause| &cause.reason);
                let reason = opened.or(closed.as_ref());
                if reason.is_some_and(|reason| BREAKERS.contains(reason)) {
                    half_open.retain(|(other, _)| other != scope);
                    let waits = cause.as_ref();
                    if waits.is_some_and(|cause| cause.state == TradingState::Active) {
                        half_open.push((*scope, None));
                    }
                }
                continue;
            }
            EventKind::OrderPlaced {
                terms,
                bot,
                purpose: PositionEffect::Entry,
            } => {
                let is_over = |scope: Scope| match scope {
                    Scope::Bot(of) => Some(of) == *bot,
                    Scope::Account(of) => of == terms.account,
                    Scope::Instrument(of) => of == terms.instrument,
                    Scope::Desk | Scope::Venue(_) => false,
                };
                for (scope, probe) in &mut half_open {
                    match probe {
                        _ if !is_over(*scope) => {}
                        None => *probe = Some(terms.client_id),
                        Some(first) => {
                            let found = format!("{scope:?} was probed by {first} and by {terms:?}");
                            return Some(Violation::new("I14", found));
                        }
                    }
                }
                continue;
            }
            EventKind::OrderAccepted { terms, .. }
            | EventKind::OrderUnknown { terms, .. }
            | EventKind::OrderCancelled { terms, .. }
            | EventKind::OrderRejected { terms, .. }
            | EventKind::OrderExpired { terms, .. } => terms.client_id,
            EventKind::OrderFilled { fill, .. } => fill.client_id,
            _ => continue,
        };
        for (_, probe) in &mut half_open {
            probe.take_if(|probe| *probe == answered);
        }
    }
    None
}

/// I03: what the desk says came in or went out is what did, by the exchange's balances and executions.
pub(crate) fn transfers_add_up(
    events: &[EventKind],
    configuration: &Configuration,
    venue: &VenueBooks,
    (asset, began_with): (&str, Amount),
) -> Vec<Violation> {
    let mut left: BTreeMap<String, Amount> = BTreeMap::new();
    for (asset, held) in &venue.balances {
        *left.entry(asset.clone()).or_default() += held.free + held.locked;
    }
    *left.entry(asset.to_owned()).or_default() -= began_with;
    for fill in &venue.fills {
        let pair = configuration.instruments.iter();
        let mut pair = pair.filter(|one| symbol(one) == fill.symbol);
        let Some(instrument) = pair.next() else {
            continue;
        };
        let name = |asset| configuration.assets.name(asset).to_owned();
        let value = fill.price.mul_div(fill.quantity.0, Amount::ONE.0);
        let value = value.unwrap_or_default();
        let (base, quote) = match fill.side {
            Side::Buy => (fill.quantity, -value),
            Side::Sell => (-fill.quantity, value),
        };
        *left.entry(name(instrument.base)).or_default() -= base;
        *left.entry(name(instrument.quote)).or_default() -= quote;
        *left.entry(fill.fee_asset.clone()).or_default() += fill.fee;
    }
    for kind in events {
        if let EventKind::TransferReported { asset, amount, .. } = kind {
            let name = configuration.assets.name(*asset).to_owned();
            *left.entry(name).or_default() -= *amount;
        }
    }
    let other = left.iter().filter(|(_, amount)| !amount.is_zero());
    other
        .map(|(asset, amount)| {
            let found = format!("{asset}: {amount} came in that was not reported");
            Violation::new("I03", found)
        })
        .collect()
}

/// I15: connections do not pile up.
pub(crate) fn connections_are_bounded(connections: usize) -> Option<Violation> {
    let found = format!("{connections} connections are open");
    (connections > CONNECTIONS_MAX).then(|| Violation::new("I15", found))
}

/// I23 while things go wrong: by symbol, what neither stops at the exchange cover nor those that it has confirmed to the desk.
/// News of a stop that has ended may be late; the desk cannot know then.
pub(crate) fn covered_by_nothing(
    desk: &DeskBooks,
    venue: &VenueBooks,
    confirmed: &BTreeMap<String, Amount>,
) -> BTreeMap<String, Violation> {
    let mut bare = BTreeMap::new();
    for (symbol, needed) in &desk.to_guard {
        let alone = DeskBooks {
            to_guard: BTreeMap::from([(symbol.clone(), *needed)]),
            ..DeskBooks::default()
        };
        let is_confirmed = confirmed.get(symbol).is_some_and(|known| known >= needed);
        if let Some(found) = stops_cover(&alone, venue).pop().filter(|_| !is_confirmed) {
            bare.insert(symbol.clone(), found);
        }
    }
    bare
}

impl World {
    /// I23 at this moment, by symbol.
    pub(crate) fn bare(&mut self) -> BTreeMap<String, Violation> {
        let Some(view) = self.look() else {
            return BTreeMap::new();
        };
        let configuration = self.configuration();
        let desk = JournalEvidence::default().books(&view, &configuration);
        if desk.to_guard.is_empty() {
            return BTreeMap::new();
        }
        let mut confirmed: BTreeMap<String, Amount> = BTreeMap::new();
        for order in &view.orders {
            let is_known = matches!(
                order.status,
                OrderStatus::Accepted | OrderStatus::PartiallyFilled
            );
            if is_known && order.terms.kind.trigger().is_some() {
                let instrument = configuration.instrument(order.terms.instrument);
                let left = Quantity(order.terms.quantity.0 - order.filled.0);
                *confirmed.entry(symbol(instrument)).or_default() +=
                    instrument.quantity_amount(left);
            }
        }
        covered_by_nothing(&desk, &self.venue_books(), &confirmed)
    }

    /// What is wrong with the way that the desk took so far, and stays wrong.
    pub(crate) fn story(&mut self) -> Vec<Violation> {
        let events = self.events();
        let (at_venue, connections) = self.network.with(|network, _| {
            let server = network.server();
            let exchange = server.exchange();
            let account = server.account(KEY).unwrap();
            let open = exchange.open_orders(account);
            let orders = open.chain(exchange.finished_orders(account));
            let status =
                |order: &tradewind_simx::Order| (order.client_id.as_str().to_owned(), order.status);
            let at_venue: BTreeMap<_, _> = orders.map(status).collect();
            (at_venue, network.connections().count())
        });
        let mut violations = orders_end_alike(&events, &at_venue);
        violations.extend(one_probe_at_a_time(&events));
        violations.extend(exits_wait(&self.dated_events()));
        violations.extend(nothing_before_a_reading(&self.storage));
        violations.extend(connections_are_bounded(connections));
        violations.extend(is_complete(&self.listened, &self.storage));
        violations
    }

    /// What the desk says came in or went out, once its books are the exchange's.
    pub(crate) fn transfers(&mut self) -> Vec<Violation> {
        let (events, configuration) = (self.events(), self.running().configuration());
        let venue = self.venue_books();
        let began_with = ("USDT", Amount::ONE.mul_div(100_000, 1).unwrap());
        transfers_add_up(&events, &configuration, &venue, began_with)
    }
}

#[cfg(test)]
mod tests;
