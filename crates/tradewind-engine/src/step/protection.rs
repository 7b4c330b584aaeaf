//! Stops at the venue: those that rest are compared with what the positions need, and one difference each is removed.
//!
//! A position with a stop in its exit plan gets a stop at the venue, farther away than the one the engine watches. It
//! matters only while the desk cannot exit. At every moment the exits and the stops of a position together are no larger
//! than the position.

use tradewind_events::{AlarmKind, EventKind, Outputs, Timer};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, ClientOrderId, ExecutionReport, InstrumentId, OrderKind, OrderStatus, OrderTerms,
    Ppm, Price, Quantity, ReportKind, Side,
};
use tradewind_risk::PositionEffect;

use super::alarms::raise_about;
use super::exit_way::{resume, waited_for, waiting_in};
use super::positions::closable;
use super::stop_orders::{Stop, largest, place_stop};
use super::take_profit;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::{Order, Step};
use crate::parts::protection::{TRAIL_EVERY, UNCOVERED_MAX};
use crate::parts::stop_shares::StopShares;

/// After a partial fill of an order that still works, how long its further fills are awaited.
pub(super) const FILLS_AWAITED: std::time::Duration = std::time::Duration::from_secs(1);

/// An account's stops in one instrument.
pub(super) type Key = (AccountId, InstrumentId);

/// What a position needs at the venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) place: BotInstrument,
    /// What is to be covered: all that can be sold, or nothing where the exit plan has no stop.
    pub(super) held: Quantity,
    /// What stops may cover: the same less exits at work.
    pub(super) quantity: Quantity,
    pub(super) side: Side,
    /// Where its stop belongs; `None` if there is no such price.
    pub(super) trigger: Option<Price>,
    /// How far the trigger may be from there.
    pub(super) tolerance: i64,
    pub(super) trails: bool,
}

/// Brings the stops of an account in one instrument towards what its positions need.
pub(crate) fn cover(parts: &mut Parts, key: Key, out: &mut Outputs) {
    let Some(factor) = parts.config.venue_stop_distance else {
        return;
    };
    let needs = needs(parts, key, factor);
    for need in &needs {
        if need.held.is_zero() {
            parts.protection.end_wait(need.place);
        }
        let reason = adjust(parts, key, need, &needs, out).err();
        note(parts, key, need, reason, out);
    }
    set_timer(parts, key, &needs, out);
}

fn needs(parts: &Parts, key: Key, factor: Ppm) -> Vec<Need> {
    let monitored = parts.market.monitored(key.1).iter().copied();
    let of_account = |place: &BotInstrument| parts.bots.bot(place.bot()).config().account == key.0;
    let covered = parts.orders.protecting(key.0, key.1);
    let covered = covered.flat_map(|order| order.shares().places());
    // A position that was closed leaves the list.
    let listed = parts.protection.uncovered().map(|(place, _)| place);
    let listed = listed.filter(|place| parts.bots.at(*place).instrument() == key.1);
    let candidates = monitored.chain(listed).filter(of_account);
    let mut places: Vec<_> = candidates.chain(covered).collect();
    places.sort_unstable();
    places.dedup();
    let need = |place| need(parts, place, factor);
    places.into_iter().map(need).collect()
}

fn need(parts: &Parts, place: BotInstrument, factor: Ppm) -> Need {
    let state = parts.bots.at(place);
    let instrument = parts.config.instrument(state.instrument());
    let level = state.monitor().and_then(|monitor| monitor.stop_level());
    let held = level.map_or(Quantity::ZERO, |_| closable(parts, place));
    let held = match is_on(Mutation::PartialFillUnprotected) && is_entering(parts, place) {
        true => Quantity::ZERO,
        false => held,
    };
    let quantity = (held - exiting(parts, place)).max(Quantity::ZERO);
    Need {
        place,
        held,
        quantity,
        side: state.closing_side(),
        trigger: level.and_then(|level| level.trigger(factor, instrument)),
        tolerance: level.map_or(0, |level| level.distance / 4),
        trails: level.is_some_and(|level| level.trails),
    }
}

/// Whether an entry of a position is at work.
fn is_entering(parts: &Parts, place: BotInstrument) -> bool {
    let working = parts.bots.at(place).working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    working.is_some_and(|order| order.effect() == PositionEffect::Entry)
}

/// What exits at work may still sell of a position.
fn exiting(parts: &Parts, place: BotInstrument) -> Quantity {
    let working = parts.bots.at(place).working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    let exit = working.filter(|order| order.effect() == PositionEffect::Exit);
    exit.map_or(Quantity::ZERO, Order::remaining)
}

/// Removes one difference between a position and its stops.
///
/// # Errors
/// Why some of the position stays uncovered.
fn adjust(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    needs: &[Need],
    out: &mut Outputs,
) -> Result<(), String> {
    if parts.protection.waits(need.place) {
        return Err("an exit waits for the answer on its stop".to_owned());
    }
    if let Some(level) = take_profit::level(parts, need.place)
        && !take_profit::stays_alone(parts, key, need, level)
    {
        return take_profit::adjust(parts, key, need, level, out);
    }
    let covered = covered(parts, need.place);
    if covered > need.quantity {
        shrink(parts, key, need, covered - need.quantity, out)
    } else if covered < need.quantity {
        grow(parts, key, need, need.quantity - covered, out)
    } else {
        follow_level(parts, key, need, needs, out)
    }
}

/// How much of a position stops cover that are at the venue or on their way there.
pub(super) fn covered(parts: &Parts, place: BotInstrument) -> Quantity {
    let stops = parts.orders.stops_of(place);
    stops.fold(Quantity::ZERO, |sum, stop| sum + stop.shares().of(place))
}

/// Takes what a position has lost out of a stop that rests. One of a pair cannot be replaced.
pub(super) fn shrink(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    excess: Quantity,
    out: &mut Outputs,
) -> Result<(), String> {
    let can_shrink = |stop: &&Order| stop.rests() && stop.pair().is_none();
    let resting = parts.orders.stops_of(need.place).find(can_shrink);
    let Some((id, shares, trigger)) = resting.map(terms_of) else {
        return Ok(());
    };
    let part = shares.of(need.place);
    let shares = shares.with(need.place, part - excess.min(part));
    if shares.total().is_zero() {
        parts.orders.cancel(id, out);
        return Ok(());
    }
    let stop = Stop {
        shares,
        trigger,
        side: need.side,
        replaces: Some(id),
        take_profit: None,
    };
    place_stop(parts, key, stop, out)
}

/// Covers more of a position: by a stop of its own or, where that is too small or one too many, by a larger one.
pub(super) fn grow(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    missing: Quantity,
    out: &mut Outputs,
) -> Result<(), String> {
    let trigger = need.trigger.ok_or("its stop is below the lowest price")?;
    let instrument = parts.config.instrument(key.1);
    let largest = largest(instrument);
    let missing = missing.min(largest);
    let is_enough = instrument.check(missing, None, Some(trigger)).is_ok();
    let count = parts.orders.stops(key.0, key.1).count();
    let cap = instrument.algo_orders_max as usize;
    let has_room = cap == 0 || count < cap;
    if is_enough && has_room {
        let stop = Stop {
            shares: [(need.place, missing)].into_iter().collect(),
            trigger,
            side: need.side,
            replaces: None,
            take_profit: None,
        };
        return place_stop(parts, key, stop, out);
    }
    let Some(stop) = merged(parts, key, need, (trigger, missing), largest) else {
        return Err(match (is_enough, count > 0) {
            (_, true) if parts.orders.stops(key.0, key.1).any(|stop| !stop.rests()) => {
                "another stop is not confirmed yet".to_owned()
            }
            (true, _) => format!("the venue takes {cap} stop orders in the instrument"),
            (false, _) => "it is below the least order of the venue".to_owned(),
        });
    };
    place_stop(parts, key, stop, out)
}

/// A stop that covers more in place of one that rests: the position's own, else the one with the nearest trigger.
///
/// Its trigger is the farther one, so that it never fires before a stop of its own would have.
fn merged(
    parts: &Parts,
    key: Key,
    need: &Need,
    (trigger, missing): (Price, Quantity),
    largest: Quantity,
) -> Option<Stop> {
    let resting = parts.orders.stops(key.0, key.1);
    // A stop of a pair cannot be replaced: its venue ends both.
    let resting = resting.filter(|stop| stop.rests() && stop.pair().is_none());
    let resting = resting.filter(|stop| stop.terms().side == need.side);
    let fits = resting.filter(|stop| stop.shares().total() + missing <= largest);
    let (id, shares, other) = fits.map(terms_of).min_by_key(|(id, shares, other)| {
        let is_others = shares.of(need.place).is_zero();
        (is_others, (other.0 - trigger.0).abs(), *id)
    })?;
    let part = shares.of(need.place) + missing;
    let shares = match is_on(Mutation::SharesForgotten) {
        true => StopShares::default(),
        false => shares,
    };
    Some(Stop {
        shares: shares.with(need.place, part),
        trigger: farther(need.side, trigger, other),
        side: need.side,
        replaces: Some(id),
        take_profit: None,
    })
}

/// Moves a stop whose position's level has moved.
fn follow_level(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    needs: &[Need],
    out: &mut Outputs,
) -> Result<(), String> {
    let stops = parts.orders.stops_of(need.place);
    let mut resting = stops.filter(|stop| stop.rests()).map(terms_of);
    let moved = resting.find_map(|(id, shares, trigger)| {
        let wanted = wanted_trigger(needs, need.side, &shares)?;
        let is_far = (wanted.0 - trigger.0).abs() > need.tolerance;
        is_far.then_some((id, shares, wanted))
    });
    drop(resting);
    let Some((id, shares, trigger)) = moved else {
        return Ok(());
    };
    let now = parts.now();
    if !parts.protection.may_move(key, now) {
        return Ok(());
    }
    let stop = Stop {
        shares,
        trigger,
        side: need.side,
        replaces: Some(id),
        take_profit: None,
    };
    // The stop that is there covers the position, whatever becomes of this.
    place_stop(parts, key, stop, out).ok();
    Ok(())
}

/// Where a stop over these positions belongs: at the farthest of their triggers.
fn wanted_trigger(needs: &[Need], side: Side, shares: &StopShares) -> Option<Price> {
    let covered = needs.iter().filter(|need| shares.of(need.place).0 > 0);
    let triggers = covered.filter_map(|need| need.trigger);
    triggers.reduce(|one, other| farther(side, one, other))
}

fn farther(closing_side: Side, one: Price, other: Price) -> Price {
    match closing_side {
        Side::Sell => one.min(other),
        Side::Buy => one.max(other),
    }
}

fn terms_of(stop: &Order) -> (ClientOrderId, StopShares, Price) {
    let terms = stop.terms();
    let trigger = terms.kind.trigger().unwrap_or_default();
    (terms.client_id, stop.shares().clone(), trigger)
}

/// Notes how much of a position stops at the venue cover. Announces a position that is uncovered for too long (I23).
fn note(parts: &mut Parts, key: Key, need: &Need, reason: Option<String>, out: &mut Outputs) {
    let missing = need.held - protected(parts, need.place);
    if missing.0 <= 0 {
        return parts.protection.note_covered(need.place);
    }
    // A stop that the venue takes and then ends would take the position off the list at each try, for as long as a new one may take.
    let has_failed = parts.protection.failure(key).is_some();
    let is_certain = has_failed || reason.as_deref() == Some(take_profit::PLACED_ANEW);
    let reason = reason.unwrap_or_else(|| {
        let exits = !exiting(parts, need.place).is_zero();
        let words = if exits {
            "an exit is at work"
        } else {
            "its stop is not confirmed yet"
        };
        words.to_owned()
    });
    let when = (parts.now(), parts.deadline(UNCOVERED_MAX));
    let is_due = parts
        .protection
        .note_uncovered(need.place, missing, reason.clone(), when);
    if is_certain {
        parts.protection.note_certain(need.place);
    }
    if is_due {
        let unprotected = EventKind::PositionUnprotected {
            account: key.0,
            bot: need.place.bot(),
            instrument: key.1,
            quantity: missing,
            reason,
        };
        parts.emit(None, unprotected, out);
    }
}

/// How much of a position stops cover that the venue has confirmed and that are not being cancelled. One whose limit the market has passed
/// covers nothing.
pub(crate) fn protected(parts: &Parts, place: BotInstrument) -> Quantity {
    let instrument = parts.bots.at(place).instrument();
    let suspect = parts.market.suspect(instrument).map(|(quote, _)| quote);
    let last = suspect.or_else(|| parts.market.quotes().get(instrument.index()).copied()?);
    let is_left_behind = |stop: &Order| {
        let side = stop.terms().side;
        let touch = last.map(|quote| quote.opposite_side(side));
        match (stop.terms().kind, side) {
            (OrderKind::StopLimit { price, .. }, Side::Sell) => touch.is_some_and(|at| at < price),
            (OrderKind::StopLimit { price, .. }, Side::Buy) => touch.is_some_and(|at| at > price),
            _ => false,
        }
    };
    let stops = parts.orders.stops_of(place);
    let stops = stops.filter(|stop| stop.guards() && !is_left_behind(stop));
    stops.fold(Quantity::ZERO, |sum, stop| sum + stop.shares().of(place))
}

/// When to compare again: after a failure, when a position is to be announced, and while a stop trails.
fn set_timer(parts: &mut Parts, key: Key, needs: &[Need], out: &mut Outputs) {
    let now = parts.now();
    let later = |at| (at > now).then_some(at);
    let retry = parts.protection.failure(key).and_then(|(at, _)| later(at));
    let patience = parts.deadline(UNCOVERED_MAX);
    let announced = needs.iter();
    let announced =
        announced.filter_map(|need| parts.protection.announced_at(need.place, patience));
    let moves = |need: &Need| {
        need.trails
            || take_profit::awaits_pair(parts, need.place)
            || take_profit::is_split(parts, need.place)
            || take_profit::is_late(parts, need)
    };
    let trails = needs.iter().any(|need| need.held.0 > 0 && moves(need));
    let trails = trails.then(|| now + TRAIL_EVERY);
    if let Some(at) = announced.chain(retry).chain(trails).min() {
        let timer = Timer::Protection(key.0, key.1);
        parts.timers.set_earlier(at, timer, out);
    }
}

/// Notes what a report on an order means for the stops.
pub(super) fn note_outcome(
    parts: &mut Parts,
    (order, step): (&Order, Step),
    kind: &ReportKind,
    out: &mut Outputs,
) {
    if let Some(stop) = order.replaces() {
        follow_replacement(parts, order, stop, out);
    }
    if order.effect() == PositionEffect::Protect {
        note_fate(parts, (order, step), kind, out);
    }
}

/// Decides what follows from a report on an order: exits that waited for it go on, and stops are compared with positions.
pub(super) fn follow(parts: &mut Parts, report: &ExecutionReport, out: &mut Outputs) {
    let Some(order) = parts
        .orders
        .get_mut(report.client_id)
        .map(|order| order.clone())
    else {
        return;
    };
    let terms = order.terms();
    let key = (terms.account, terms.instrument);
    if order.effect() == PositionEffect::Protect {
        cover(parts, key, out);
        let waited = waited_for(parts, report.client_id);
        resume(parts, waited, out);
    } else if order.place().is_none() {
    } else if !order.status().is_open() {
        cover(parts, key, out);
    } else if matches!(report.kind, ReportKind::Filled(_))
        && parts.config.venue_stop_distance.is_some()
    {
        let at = parts.now() + parts.deadline(FILLS_AWAITED);
        let timer = Timer::Protection(key.0, key.1);
        parts.timers.set_earlier(at, timer, out);
    }
}

/// What became of an order whose request cancels a stop first.
fn follow_replacement(parts: &mut Parts, order: &Order, stop: ClientOrderId, out: &mut Outputs) {
    match order.status() {
        OrderStatus::Rejected | OrderStatus::NotSent => parts.orders.keep(stop),
        // The same answer would have said what became of the stop.
        OrderStatus::Unknown => out.extend(parts.orders.open_order(stop).map(Order::query)),
        _ => {}
    }
}

fn note_fate(
    parts: &mut Parts,
    (stop, step): (&Order, Step),
    kind: &ReportKind,
    out: &mut Outputs,
) {
    let key = (stop.terms().account, stop.terms().instrument);
    if stop.is_on_book() {
        return parts.protection.note_success(key);
    }
    if stop.status().is_open() || stop.ended_as_meant() || take_profit::ends_pair(parts, stop) {
        return;
    }
    if let (Some(place), Some(_), ReportKind::Rejected(_)) = (stop.place(), stop.pair(), kind) {
        // The next try is another order, the stop alone: no position has to wait for it.
        return parts.protection.refuse_pairs(place);
    }
    let reason = match kind {
        ReportKind::Rejected(reason) => {
            format!(
                "the venue refused its stop: {} ({})",
                reason.text, reason.code
            )
        }
        ReportKind::NotSent(reason) => format!("its stop was not sent: {reason:?}"),
        _ => format!("the venue ended its stop: {}", stop.status().name()),
    };
    if *kind == ReportKind::Expired && matches!(step, Step::To(_)) {
        raise_about(parts, (AlarmKind::StopExpired, stop), &reason, out);
    }
    let now = parts.now();
    parts.protection.note_failure(key, reason, now);
}

/// The desk starts: positions that no stop covers, as far as it has recorded, are on the list at once. Until their account is read no stop
/// can be placed, and the two seconds since their fills are over.
pub(crate) fn list_uncovered(parts: &mut Parts, out: &mut Outputs) {
    let Some(factor) = parts.config.venue_stop_distance else {
        return;
    };
    for account in 0..parts.config.accounts.len() {
        for instrument in 0..parts.config.instruments.len() {
            let account = parts.config.accounts[account].id;
            let key = (account, parts.config.instruments[instrument].id);
            let needs = needs(parts, key, factor);
            for need in &needs {
                let reason = "its account is not read yet".to_owned();
                note(parts, key, need, Some(reason), out);
                parts.protection.note_certain(need.place);
            }
            set_timer(parts, key, &needs, out);
        }
    }
}

/// An account was read: exits that waited go on, and its stops are compared with its positions.
pub(crate) fn cover_account(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    if !parts.accounts.contains(account) || !parts.accounts.get(account).is_reconciled() {
        return;
    }
    resume(parts, waiting_in(parts, account), out);
    for index in 0..parts.config.instruments.len() {
        let instrument = parts.config.instruments[index].id;
        cover(parts, (account, instrument), out);
    }
}

/// Whose an aggregated stop is that was found at the venue: the positions without cover, in bot order.
pub(super) fn shares_of_found(
    parts: &Parts,
    terms: &OrderTerms,
    of: Option<BotInstrument>,
    quantity: Quantity,
) -> StopShares {
    if let Some(place) = of {
        return [(place, quantity)].into_iter().collect();
    }
    let mut left = quantity;
    let places = parts.bots.ids();
    let places = places.filter_map(|bot| parts.bots.place(bot, terms.instrument));
    let mine = places.filter(|place| parts.bots.bot(place.bot()).config().account == terms.account);
    let shares = mine.map(|place| {
        let part = (closable(parts, place) - covered(parts, place))
            .max(Quantity::ZERO)
            .min(left);
        left -= part;
        (place, part)
    });
    shares.collect()
}
