//! A take profit that rests at the venue, as a pair with its position's stop: one cancels the other.
//!
//! Only a position whose stop covers nothing else gets a pair. The venue takes a pair and ends it as a whole, so a pair is never
//! replaced by one request: it is cancelled, and a new one is placed once both of its orders have ended. In between, for the time of two
//! requests, the position has the desk's own stop only, and is listed. So a pair stays while an entry works: what that adds gets a stop
//! alone, and one pair for all of it takes their place when the entry has ended, or sooner if its stop belongs elsewhere by then. Where
//! no pair can rest, the desk takes the profit at market.

use std::cmp::Ordering;

use tradewind_events::{Configuration, Outputs, Timer};
use tradewind_model::{ClientOrderId, Instrument, OrderStatus, OwnerId, Price, Quantity, Side};
use tradewind_portfolio::Portfolio;
use tradewind_risk::PositionEffect;

use super::positions::closable;
use super::protection::{FILLS_AWAITED, Key, Need, covered, grow, shrink};
use super::stop_orders::{Stop, largest, may_place, place_stop};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::bots::Bots;
use crate::parts::order::Order;
use crate::parts::orders::Orders;

/// Why a position has no stop while one pair takes the place of another.
pub(super) const PLACED_ANEW: &str = "its stop and its take profit are placed anew";

/// Where a position's take profit is to rest; `None` if its plan wants none there, or it cannot be paired with its stop.
pub(super) fn level(parts: &Parts, place: BotInstrument) -> Option<Price> {
    // A pair that is there is looked after, whatever the plan says by now.
    let resting = parts.orders.take_profits_of(place).next();
    let resting = resting.and_then(|order| order.terms().kind.limit());
    wanted(parts, place).or(resting)
}

fn wanted(parts: &Parts, place: BotInstrument) -> Option<Price> {
    let state = parts.bots.at(place);
    let level = state.monitor()?.resting_take_profit()?;
    let instrument = parts.config.instrument(state.instrument());
    let quantity = closable(parts, place);
    let price = instrument.round_price(level, state.closing_side());
    let mut stops = parts.orders.stops_of(place);
    let is_shared = stops.any(|stop| stop.shares().only() != Some(place));
    let may_rest = instrument.takes_pairs
        && !is_shared
        && !parts.protection.refuses_pairs(place)
        && fits(parts, place, instrument)
        && quantity <= largest(instrument)
        && instrument.check(quantity, Some(price), None).is_ok();
    may_rest.then_some(price)
}

/// Whether the venue's cap of stops leaves room for a position's pair. The last place is for a stop alone: one of a pair cannot be
/// merged, and positions beyond the cap would have none.
fn fits(parts: &Parts, place: BotInstrument, instrument: &Instrument) -> bool {
    let account = parts.bots.bot(place.bot()).config().account;
    let pairs = parts.orders.stops(account, instrument.id);
    let pairs = pairs.filter(|stop| stop.pair().is_some());
    // By client id, so the youngest is the one too many.
    let before = pairs.take_while(|stop| stop.shares().only() != Some(place));
    let cap = instrument.algo_orders_max as usize;
    cap == 0 || before.count() + 1 < cap
}

/// What tells whether a take profit rests: all but the market, which may be at work on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting<'a> {
    pub(super) config: &'a Configuration,
    pub(super) bots: &'a Bots,
    pub(super) orders: &'a Orders,
    pub(super) portfolio: &'a Portfolio,
}

/// Whether an order at the venue, or on its way there, takes the profit of all of a position at `level` or sooner.
pub(super) fn rests(parts: &Parts, place: BotInstrument, level: Price) -> bool {
    Resting::of(parts).takes(place, level)
}

impl<'a> Resting<'a> {
    pub(super) const fn of(parts: &'a Parts) -> Self {
        Self {
            config: &parts.config,
            bots: &parts.bots,
            orders: &parts.orders,
            portfolio: &parts.portfolio,
        }
    }

    /// As [`rests`].
    pub(super) fn takes(self, place: BotInstrument, level: Price) -> bool {
        let state = self.bots.at(place);
        let side = state.closing_side();
        let instrument = self.config.instrument(state.instrument());
        let level = instrument.round_price(level, side);
        let is_reached = |price: Price| match side {
            Side::Sell => price <= level,
            Side::Buy => price >= level,
        };
        let mut orders = self.orders.take_profits_of(place);
        let account = self.bots.bot(place.bot()).config().account;
        let key = (account, OwnerId::Bot(place.bot()), state.instrument());
        let held = self.portfolio.closable(instrument, &key);
        let is_there = |order: &Order| order.rests() || order.status() == OrderStatus::Pending;
        orders.any(|order| {
            is_there(order)
                && order.shares().of(place) >= held
                && order.terms().kind.limit().is_some_and(is_reached)
        })
    }
}

/// Whether a position's stop was placed alone although its profit is to be taken at the venue.
pub(super) fn awaits_pair(parts: &Parts, place: BotInstrument) -> bool {
    let mut stops = parts.orders.stops_of(place);
    let is_alone = stops.next().is_some_and(|stop| stop.pair().is_none())
        && stops.all(|stop| stop.pair().is_none());
    is_alone && wanted(parts, place).is_some()
}

/// Whether a position has a pair and other stops beside it: they become one pair when nothing speaks against it.
pub(super) fn is_split(parts: &Parts, place: BotInstrument) -> bool {
    let has_take_profit = parts.orders.take_profits_of(place).next().is_some();
    let is_own = |stop: &Order| stop.shares().only() == Some(place);
    has_take_profit
        && parts.orders.stops_of(place).nth(1).is_some()
        && parts.orders.stops_of(place).all(is_own)
}

/// Whether the stop of a pair is farther from where it belongs than is tolerated, or the plan wants no order there that takes the profit.
pub(super) fn is_late(parts: &Parts, need: &Need) -> bool {
    let monitor = parts.bots.at(need.place).monitor();
    let is_wanted = monitor.is_some_and(|monitor| monitor.resting_take_profit().is_some());
    let mut stops = parts.orders.stops_of(need.place);
    stops.any(|stop| stop.pair().is_some() && (!is_wanted || is_far(need, stop)))
}

fn is_far(need: &Need, stop: &Order) -> bool {
    let trigger = stop.terms().kind.trigger().unwrap_or_default();
    let distance = |wanted: Price| (wanted.0 - trigger.0).abs();
    need.trigger.map(distance) > Some(need.tolerance)
}

/// Whether an entry works that may add to a position.
fn is_entering(parts: &Parts, place: BotInstrument) -> bool {
    let working = parts.bots.at(place).working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    working.is_some_and(|order| order.effect() == PositionEffect::Entry)
}

/// Whether a position's stops are alone, and no pair can take their place now: they are moved as any stop.
pub(super) fn stays_alone(parts: &mut Parts, key: Key, need: &Need, level: Price) -> bool {
    let has_take_profit = parts.orders.take_profits_of(need.place).next().is_some();
    let are_ending = parts.orders.stops_of(need.place).all(Order::is_ending);
    if has_take_profit || are_ending || !awaits_pair(parts, need.place) {
        return false;
    }
    if is_entering(parts, need.place) {
        return true;
    }
    let stops = parts.orders.stops_of(need.place);
    let ids: Vec<_> = stops.map(|stop| stop.terms().client_id).collect();
    let are_settled = parts.orders.stops_of(need.place).all(is_settled);
    let pair = of_its_own(parts, key, need, level, &ids);
    let pair = pair.filter(|pair| are_settled && pair.take_profit.is_some());
    let may_rest = pair.is_some_and(|pair| may_place(parts, key, &pair, &ids).is_ok());
    let now = parts.now();
    !may_rest || !parts.protection.may_move(key, now)
}

/// Whether a stop rests untouched. One that was triggered is left to trade.
fn is_settled(stop: &Order) -> bool {
    stop.rests() && stop.filled().is_zero()
}

/// Brings a position's pair towards what it needs.
///
/// # Errors
/// Why some of the position stays uncovered.
pub(super) fn adjust(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    level: Price,
    out: &mut Outputs,
) -> Result<(), String> {
    let orders: Vec<Order> = parts.orders.take_profits_of(need.place).cloned().collect();
    let has_ended = |order: &&Order| !is_paired(parts, order) || !order.filled().is_zero();
    if let Some(order) = orders.iter().find(has_ended) {
        return take_back(parts, key, need, order, out);
    }
    let stops: Vec<Order> = parts.orders.stops_of(need.place).cloned().collect();
    if stops.is_empty() {
        return place_pair(parts, key, need, level, out);
    }
    if !need.quantity.is_zero() && stops.iter().all(Order::is_ending) {
        // One pair takes their place when the last of them has ended.
        return Err(PLACED_ANEW.to_owned());
    }
    let is_shared = |stop: &Order| stop.shares().only() != Some(need.place);
    let is_late = is_late(parts, need);
    if is_entering(parts, need.place) || stops.iter().any(is_shared) {
        let can_shrink = stops
            .iter()
            .any(|stop| stop.rests() && stop.pair().is_none());
        match covered(parts, need.place).cmp(&need.quantity) {
            Ordering::Equal => {
                let may_move = is_late && stops.iter().all(is_settled);
                let now = parts.now();
                if !may_move || !parts.protection.may_move(key, now) {
                    return Ok(());
                }
            }
            Ordering::Less => {
                let missing = need.quantity - covered(parts, need.place);
                return grow(parts, key, need, missing, out);
            }
            Ordering::Greater if can_shrink => {
                let excess = covered(parts, need.place) - need.quantity;
                return shrink(parts, key, need, excess, out);
            }
            Ordering::Greater => {}
        }
    }
    if !stops.iter().all(is_settled) {
        // What the last fill has added does not wait for an answer on another stop.
        let missing = need.quantity - covered(parts, need.place);
        return if missing.0 > 0 {
            grow(parts, key, need, missing, out)
        } else {
            Ok(())
        };
    }
    if let [stop] = &stops[..]
        && stop.shares().of(need.place) == need.quantity
        && !awaits_pair(parts, need.place)
        && !differs(parts, need, stop, level)
    {
        return Ok(());
    }
    let is_covered = covered(parts, need.place) == need.quantity;
    let makes_none = is_covered && wanted(parts, need.place).is_none();
    let stays = |stop: &&Order| is_shared(stop) || makes_none && stop.pair().is_none();
    let (stay, go): (Vec<_>, Vec<_>) = stops.iter().partition(stays);
    let ids: Vec<_> = go.iter().map(|stop| stop.terms().client_id).collect();
    if !need.quantity.is_zero() {
        // The stop that is there is better than none.
        let stay = stay.iter().map(|stop| stop.shares().of(need.place));
        let quantity = need.quantity - stay.fold(Quantity::ZERO, |sum, part| sum + part);
        let stop = of_its_own(parts, key, &Need { quantity, ..*need }, level, &ids);
        let stop = stop.ok_or("no other stop can take its place")?;
        let is_split = is_split(parts, need.place) && !is_late;
        if is_split && is_covered && stop.take_profit.is_none() {
            return Ok(());
        }
        may_place(parts, key, &stop, &ids)?;
    }
    for id in ids {
        parts.orders.cancel(id, out);
    }
    Err(PLACED_ANEW.to_owned())
}

/// Cancels what is left of a take profit whose first fill has ended its stop, so that the remainder gets a new pair.
fn take_back(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    order: &Order,
    out: &mut Outputs,
) -> Result<(), String> {
    let now = parts.now();
    let since = parts.protection.uncovered_since(need.place);
    let until = since.unwrap_or(now) + parts.deadline(FILLS_AWAITED);
    if !need.held.is_zero() && order.filled().is_zero() && now < until {
        let timer = Timer::Protection(key.0, key.1);
        parts.timers.set_earlier(until, timer, out);
        return Err("its stop has ended, and its take profit is about to trade".to_owned());
    }
    if order.rests() {
        parts.orders.cancel(order.terms().client_id, out);
        out.push(order.query());
        let stop = order.pair().and_then(|id| parts.orders.open_order(id));
        out.extend(stop.map(Order::query));
    }
    Err("what is left of its take profit is cancelled".to_owned())
}

/// Whether a pair is to be moved. A stop whose take profit has ended stays: it was triggered, or never was of a pair.
fn differs(parts: &Parts, need: &Need, stop: &Order, level: Price) -> bool {
    let pair = stop.pair().and_then(|id| parts.orders.open_order(id));
    let Some(rests_at) = pair.map(|order| order.terms().kind.limit()) else {
        return false;
    };
    wanted(parts, need.place).is_none() || rests_at != Some(level) || is_far(need, stop)
}

fn place_pair(
    parts: &mut Parts,
    key: Key,
    need: &Need,
    level: Price,
    out: &mut Outputs,
) -> Result<(), String> {
    if need.quantity.is_zero() {
        return Ok(());
    }
    match of_its_own(parts, key, need, level, &[]) {
        Some(stop) => place_stop(parts, key, stop, out),
        None => grow(parts, key, need, need.quantity, out),
    }
}

/// The stop of a position alone, with the order that takes the profit if that can rest now, once those of `ended` have ended.
fn of_its_own(
    parts: &Parts,
    key: Key,
    need: &Need,
    level: Price,
    ended: &[ClientOrderId],
) -> Option<Stop> {
    let instrument = parts.config.instrument(key.1);
    let quantity = need.quantity.min(largest(instrument));
    let trigger = need.trigger?;
    instrument.check(quantity, None, Some(trigger)).ok()?;
    let cap = instrument.algo_orders_max as usize;
    let others = parts.orders.stops(key.0, key.1);
    let others = others.filter(|stop| !ended.contains(&stop.terms().client_id));
    let has_room = cap == 0 || others.count() < cap;
    let may_rest = |_: &Price| wanted(parts, need.place).is_some();
    has_room.then(|| Stop {
        shares: [(need.place, quantity)].into_iter().collect(),
        trigger,
        side: need.side,
        replaces: None,
        take_profit: Some(level)
            .filter(may_rest)
            .filter(|level| is_ahead(parts, need, *level)),
    })
}

/// Whether the market has yet to reach the level. If it is beyond, the desk takes the profit at once.
fn is_ahead(parts: &Parts, need: &Need, level: Price) -> bool {
    let instrument = parts.bots.at(need.place).instrument();
    let quote = parts.market.live_quote(instrument);
    quote.is_some_and(|quote| {
        let touch = quote.same_side(need.side);
        match need.side {
            Side::Sell => touch < level,
            Side::Buy => touch > level,
        }
    })
}

/// Whether the other order of a pair is open.
fn is_paired(parts: &Parts, order: &Order) -> bool {
    let other = order.pair().and_then(|id| parts.orders.open_order(id));
    other.is_some()
}

/// Whether the venue ends an order that takes a profit with its stop.
pub(super) fn ends_with_its_stop(parts: &Parts, order: &Order) -> bool {
    order.takes_profit() && is_paired(parts, order)
}

/// Whether the end of an order is no failure because of the other order of its pair, which is open, traded, or was cancelled.
pub(super) fn ends_pair(parts: &mut Parts, order: &Order) -> bool {
    let other = order.pair().and_then(|id| parts.orders.get_mut(id));
    other.is_some_and(|other| {
        other.status().is_open()
            || other.status() == OrderStatus::Filled
            || other.filled() > Quantity::ZERO
            || other.ended_as_meant()
    })
}
