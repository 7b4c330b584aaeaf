//! What stands in the way of an exit: stops lock what it sells.
//!
//! An exit takes the place of one stop that rests. All others are cancelled first, or queried until the venue's answer is
//! definite, for ten seconds at most (V21).

use tradewind_events::{Outputs, Timer};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{AccountId, ClientOrderId, OrderStatus};

use super::take_profit;
use super::target::{reconcile_next, sells_beside};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::Order;
use crate::parts::protection::EXIT_WAIT;

/// Whether an exit of a position may be sent now: nothing locks what it sells but a stop that it can take the place of.
///
/// Otherwise the stops in its way are cancelled, or queried until the venue's answer is definite. After ten seconds the
/// exit goes all the same (V21).
pub(super) fn clear_way(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) -> bool {
    let in_the_way: Vec<Order> = in_the_way(parts, place).cloned().collect();
    if in_the_way.is_empty() || is_on(Mutation::ExitNotWaiting) {
        parts.protection.end_wait(place);
        return true;
    }
    for stop in &in_the_way {
        let may_end = stop.rests() || stop.status() == OrderStatus::Unknown;
        if may_end && !take_profit::ends_with_its_stop(parts, stop) {
            parts.orders.cancel(stop.terms().client_id, out);
        }
        if stop.status() == OrderStatus::Unknown {
            out.push(stop.query());
        }
    }
    let now = parts.now();
    let until = parts.protection.wait(place, now) + parts.deadline(EXIT_WAIT);
    if now >= until {
        parts.protection.end_wait(place);
        return true;
    }
    let timer = Timer::ExitRetry(place.bot(), parts.bots.at(place).instrument());
    parts.timers.set(until, timer, out);
    false
}

/// Whether a stop locks what an exit of a position sells.
pub(super) fn is_locked(parts: &Parts, place: BotInstrument) -> bool {
    in_the_way(parts, place).next().is_some()
}

/// The stops of a position but the one whose place its exit takes.
fn in_the_way(parts: &Parts, place: BotInstrument) -> impl Iterator<Item = &Order> {
    let keep = replaceable(parts, place);
    let stops = parts.orders.stops_of(place);
    let stops = stops.chain(parts.orders.take_profits_of(place));
    stops.filter(move |stop| Some(stop.terms().client_id) != keep)
}

/// The stop whose place an exit of a position takes: the largest one that rests.
pub(super) fn replaceable(parts: &Parts, place: BotInstrument) -> Option<ClientOrderId> {
    let resting = parts.orders.stops_of(place);
    let resting = resting.filter(|stop| stop.rests() && stop.pair().is_none());
    let largest = resting.max_by_key(|stop| (stop.shares().of(place), stop.terms().client_id));
    largest.map(|stop| stop.terms().client_id)
}

/// Continues exits that waited for an answer on a stop.
pub(super) fn resume(parts: &mut Parts, places: Vec<BotInstrument>, out: &mut Outputs) {
    for place in places {
        if !parts.bots.at(place).has_next() {
            parts.protection.end_wait(place);
        }
        reconcile_next(parts, place, out);
    }
}

/// Positions whose exits wait for the answer on a stop and may go on now.
pub(crate) fn waited_for(parts: &mut Parts, stop: ClientOrderId) -> Vec<BotInstrument> {
    let stop = parts.orders.get_mut(stop);
    let places: Vec<_> = stop.map_or_else(Vec::new, |stop| stop.shares().places().collect());
    let waits = |place: &BotInstrument| parts.protection.waits(*place) && is_free(parts, *place);
    places.into_iter().filter(waits).collect()
}

/// Positions of an account whose exits wait for the answer on a stop and may go on now.
pub(crate) fn waiting_in(parts: &Parts, account: AccountId) -> Vec<BotInstrument> {
    if !parts.accounts.contains(account) || !parts.accounts.get(account).is_reconciled() {
        return Vec::new();
    }
    let waiting = parts.protection.waiting();
    let of_account =
        waiting.filter(|place| parts.bots.bot(place.bot()).config().account == account);
    of_account.filter(|place| is_free(parts, *place)).collect()
}

/// Whether an exit of a position may go: no order is at work, or one beside which it may.
pub(crate) fn is_free(parts: &Parts, place: BotInstrument) -> bool {
    parts.bots.at(place).working().is_none() || sells_beside(parts, place)
}
