//! Exit plans at work: every monitored position is checked on each quote, the same in a backtest as live.

use std::time::Duration;

use tradewind_events::{BookRead, EventKind, Output, Outputs, SignalDetails, SignalSource, Timer};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, InstrumentId, OrderKind, Ppm, Price, Quote, Reason, Side,
    Timestamp,
};
use tradewind_risk::PositionEffect;

use super::exit_way::clear_way;
use super::positions::closing_quantity;
use super::submission::{OrderRequest, submit};
use super::take_profit::{self, Resting};
use super::target::{flat, reconcile_next, sells_beside};
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::exit_monitor::ExitCause;
use crate::parts::market::Market;
use crate::parts::order::Order;

/// Until a position is looked at again whose entry is being cancelled.
const AGAIN: Duration = Duration::from_secs(1);
/// After a jump whose book cannot be read, until the one quote counts: to hold a position through a crash costs more than to sell on a
/// wrong quote from a venue that answers nothing.
const UNREAD_MAX: Duration = Duration::from_secs(10);

/// Checks every monitored position in the instrument of a quote.
#[inline]
pub(crate) fn watch_exits(parts: &mut Parts, quote: &Quote, out: &mut Outputs) {
    if !parts.market.monitored(quote.instrument).is_empty() {
        watch_monitored(parts, quote, out);
    }
}

fn watch_monitored(parts: &mut Parts, quote: &Quote, out: &mut Outputs) {
    // Backwards, since a position that is written off leaves the list.
    for index in (0..parts.market.monitored(quote.instrument).len()).rev() {
        let place = parts.market.monitored(quote.instrument).get(index);
        if let Some(&place) = place {
            watch(parts, place, quote, out);
        }
    }
}

/// Closes a position if the quote reaches one of its levels. Most quotes reach none.
#[inline]
fn watch(parts: &mut Parts, place: BotInstrument, quote: &Quote, out: &mut Outputs) {
    let now = parts.now();
    if let Some((cause, level)) = parts.bots.at_mut(place).watch(quote, now)
        && !(cause == ExitCause::TakeProfit && take_profit::rests(parts, place, level))
    {
        on_level(parts, place, quote, (cause, level), out);
    }
}

fn on_level(
    parts: &mut Parts,
    place: BotInstrument,
    quote: &Quote,
    (cause, level): (ExitCause, Price),
    out: &mut Outputs,
) {
    let state = parts.bots.at(place);
    let working = state.working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    if parts.now() < state.refusals().not_before() {
        return;
    }
    match working.map(|order| (order.effect(), order.terms().client_id)) {
        // A protective stop is never the order at work.
        Some((PositionEffect::Exit | PositionEffect::Protect, _)) => {}
        Some((PositionEffect::Entry, working)) if sells_beside(parts, place) => {
            let reason = reason(parts, place, cause, quote, level);
            parts.orders.cancel(working, out);
            leave(parts, place, reason, out);
        }
        Some((PositionEffect::Entry, _)) if state.waits_to_be_flat() => {}
        Some((PositionEffect::Entry, working)) => {
            let reason = reason(parts, place, cause, quote, level);
            wait_to_leave(parts, place, working, reason, out);
        }
        None => {
            let reason = reason(parts, place, cause, quote, level);
            leave(parts, place, reason, out);
        }
    }
}

/// Whether a sound quote jumped, and nothing confirms it yet. The last one came at `before`.
#[inline]
pub(crate) fn is_suspect(parts: &mut Parts, quote: &Quote, before: Timestamp) -> bool {
    let (now, jump_max) = (parts.now(), parts.config.limits.quote_jump_max);
    let resting = Resting {
        config: &parts.config,
        bots: &parts.bots,
        orders: &parts.orders,
        portfolio: &parts.portfolio,
    };
    let market = &mut parts.market;
    market.is_suspect(quote, (before, now), jump_max, |monitored| {
        monitored.iter().any(|place| {
            let rests = |level| resting.takes(*place, level);
            let monitor = resting.bots.at(*place).monitor();
            monitor.is_some_and(|monitor| {
                monitor.passes_stop(quote)
                    || monitor.moves_stop(quote)
                    || monitor.takes_profit(quote, now, rests)
            })
        })
    })
}

/// A quote jumped. The next one decides about it. Where a level is passed and a quiet instrument may have no next one for long, the
/// venue's book decides, too: it is read now.
#[cold]
pub(crate) fn await_second_quote(parts: &mut Parts, instrument: InstrumentId, out: &mut Outputs) {
    for index in 0..parts.config.accounts.len() {
        let key = (parts.config.accounts[index].id, instrument);
        if !passed(parts, key, Levels::All).is_empty() {
            read_jump(parts, key, AGAIN, out);
        }
    }
}

/// Reads the book that confirms or contradicts a jump, and `again` after a while until it does.
fn read_jump(
    parts: &mut Parts,
    key: (AccountId, InstrumentId),
    again: Duration,
    out: &mut Outputs,
) {
    let now = parts.now();
    if parts.market.doubt_jump(key.1, now) {
        out.push(Output::ReadBook {
            account: key.0,
            instrument: key.1,
        });
    }
    let timer = Timer::Protection(key.0, key.1);
    parts.timers.set_earlier(now + again, timer, out);
}

/// The answer to the reading of a book decides about a quote that jumped beyond levels. If the book's price passes one, too, the positions
/// are sold. If it passes none, the quote was wrong: nothing is sold for it. An empty book decides nothing.
pub(super) fn decide_jump(parts: &mut Parts, read: &BookRead, out: &mut Outputs) {
    let instrument = read.instrument;
    let touch = read.depth.as_ref();
    let touch = touch.and_then(|depth| {
        let (bid, ask) = (*depth.bids.first()?, *depth.asks.first()?);
        Some((bid, ask, depth.received_at))
    });
    let resting = Resting {
        config: &parts.config,
        bots: &parts.bots,
        orders: &parts.orders,
        portfolio: &parts.portfolio,
    };
    let accounts = parts.config.accounts.iter();
    let accounts: Vec<AccountId> = accounts.map(|account| account.id).collect();
    let is_passed = |market: &Market, quote: &Quote| {
        let key = |account: &AccountId| (*account, instrument);
        let mut accounts = accounts.iter().map(key);
        accounts.any(|key| !passed_by(market, resting, key, (quote, Levels::All)).is_empty())
    };
    if !parts.market.decide_jump(instrument, touch, is_passed) {
        return;
    }
    for account in accounts {
        leave_passed(parts, (account, instrument), out);
    }
}

/// Sells what is behind stops that the market has passed, unless the venue sells it: there a stop with a limit waits for a market that may
/// not come back. One quote alone is no proof: a book must have confirmed it, or cannot have been read for [`UNREAD_MAX`]. A profit that
/// may not be there is worth no sale that cannot be confirmed: it waits for a quote or a book.
pub(crate) fn leave_passed(parts: &mut Parts, key: (AccountId, InstrumentId), out: &mut Outputs) {
    let mut places = passed(parts, key, Levels::All);
    let Some((quote, since)) = parts.market.suspect(key.1).filter(|_| !places.is_empty()) else {
        return;
    };
    let now = parts.now();
    if !parts.market.is_jump_confirmed(key.1) {
        if now < since + parts.deadline(UNREAD_MAX) {
            return read_jump(parts, key, AGAIN, out);
        }
        let stops = passed(parts, key, Levels::Stops);
        if stops.len() < places.len() {
            read_jump(parts, key, UNREAD_MAX, out);
        }
        places = stops;
    }
    parts.context.set_trigger(Trigger::Quote(quote, None));
    for place in places {
        match parts.bots.at(place).working() {
            // It is left once its entry has ended.
            Some(working) if !sells_beside(parts, place) => {
                parts.orders.cancel_if_entry(working, out);
                let timer = Timer::Protection(key.0, key.1);
                parts.timers.set_earlier(now + AGAIN, timer, out);
            }
            _ => watch(parts, place, &quote, out),
        }
    }
}

/// Which levels of positions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Levels {
    Stops,
    /// Those at which the desk takes a profit, too.
    All,
}

/// Positions of an account one of whose levels a quote has passed that jumped.
fn passed(parts: &Parts, key: (AccountId, InstrumentId), levels: Levels) -> Vec<BotInstrument> {
    let Some((quote, _)) = parts.market.suspect(key.1) else {
        return Vec::new();
    };
    let resting = Resting::of(parts);
    passed_by(&parts.market, resting, key, (&quote, levels))
}

/// Positions of an account whose stop this quote passes, be it at the venue or the desk's own, less those that the venue sells at market,
/// and those whose profit the desk is to take.
fn passed_by(
    market: &Market,
    resting: Resting<'_>,
    (account, instrument): (AccountId, InstrumentId),
    (quote, levels): (&Quote, Levels),
) -> Vec<BotInstrument> {
    let Resting { bots, orders, .. } = resting;
    let is_passed = |place: &BotInstrument| {
        let side = bots.at(*place).closing_side();
        let price = quote.opposite_side(side);
        let triggered = |stop: &&Order| {
            let trigger = stop.terms().kind.trigger().filter(|_| stop.rests());
            trigger.is_some_and(|trigger| match side {
                Side::Sell => price <= trigger,
                Side::Buy => price >= trigger,
            })
        };
        let has_limit = |stop: &Order| matches!(stop.terms().kind, OrderKind::StopLimit { .. });
        let mut triggered = orders.stops_of(*place).filter(triggered).peekable();
        match triggered.peek() {
            Some(_) => triggered.any(has_limit),
            None => {
                let monitor = bots.at(*place).monitor();
                let now = quote.received_at;
                monitor.is_some_and(|monitor| {
                    let rests = |level| resting.takes(*place, level);
                    monitor.passes_stop(quote)
                        || levels == Levels::All && monitor.takes_profit(quote, now, rests)
                })
            }
        }
    };
    let monitored = market.monitored(instrument).iter().copied();
    let of_account = |place: &BotInstrument| bots.bot(place.bot()).config().account == account;
    monitored.filter(of_account).filter(is_passed).collect()
}

/// A level was reached while an entry works: the entry is cancelled, and the position closed once it has ended.
fn wait_to_leave(
    parts: &mut Parts,
    place: BotInstrument,
    working: ClientOrderId,
    reason: Reason,
    out: &mut Outputs,
) {
    let trigger = parts.context.cause(out);
    let state = parts.bots.at_mut(place);
    state.wait_for(flat(reason), trigger);
    parts.orders.cancel(working, out);
}

/// Follows a quote as [`watch_exits`] did, without making an order: peaks move, and an exit behind an entry waits.
pub(crate) fn follow_quote(parts: &mut Parts, quote: &Quote, out: &mut Outputs) {
    let now = parts.now();
    for place in parts.market.monitored(quote.instrument).to_vec() {
        let Some((cause, level)) = parts.bots.at_mut(place).watch(quote, now) else {
            continue;
        };
        let state = parts.bots.at(place);
        let is_taken = cause == ExitCause::TakeProfit && take_profit::rests(parts, place, level);
        if now < state.refusals().not_before() || is_taken || sells_beside(parts, place) {
            continue;
        }
        let working = state.working();
        let working = working.and_then(|id| parts.orders.open_order(id));
        let entry = working.filter(|order| order.effect() == PositionEffect::Entry);
        if let Some(entry) = entry.filter(|_| !state.waits_to_be_flat()) {
            let id = entry.terms().client_id;
            let reason = reason(parts, place, cause, quote, level);
            wait_to_leave(parts, place, id, reason, out);
        }
    }
}

/// Closes a position at market because of its exit plan.
fn leave(parts: &mut Parts, place: BotInstrument, reason: Reason, out: &mut Outputs) {
    let trigger = parts.context.cause(out);
    let now = parts.now();
    parts.bots.at_mut(place).start_exit(now);
    let state = parts.bots.at(place);
    let (instrument, side) = (state.instrument(), state.closing_side());
    let waiting = reason.clone();
    let bot = parts.bots.bot_mut(place.bot());
    let account = bot.config().account;
    let activity = bot.activity_mut();
    activity.reason = reason.clone();
    activity.reason_instrument = Some(instrument);
    let signal = EventKind::SignalGenerated {
        bot: place.bot(),
        instrument,
        exposure: Ppm::ZERO,
        reason,
        quote: parts.context.quote(),
        details: Some(Box::new(SignalDetails {
            source: SignalSource::ExitPlan,
            ..SignalDetails::default()
        })),
    };
    let signal = parts.emit(trigger, signal, out);
    let quantity = closing_quantity(parts, place, Some(signal), out);
    if quantity.is_zero() {
        return;
    }
    if !clear_way(parts, place, out) {
        return parts
            .bots
            .at_mut(place)
            .wait_for(flat(waiting), Some(signal));
    }
    let request = OrderRequest {
        place: Some(place),
        account,
        instrument,
        side,
        quantity,
        effect: PositionEffect::Exit,
        limit: None,
        stop: None,
        on_quote: true,
        continues: false,
        cause: Some(signal),
    };
    // A denial is announced; the monitor tries again.
    submit(parts, &request, OrderKind::Market, out).ok();
}

fn reason(
    parts: &Parts,
    place: BotInstrument,
    cause: ExitCause,
    quote: &Quote,
    level: Price,
) -> Reason {
    let state = parts.bots.at(place);
    let instrument = parts.config.instrument(state.instrument());
    let price = quote.opposite_side(state.closing_side());
    Reason::Numbers(
        cause.template(),
        [
            instrument.price_f64(price),
            instrument.price_f64(level),
            0.0,
        ],
    )
}

/// The retry timer of an exit is due: closes what the last try left open.
pub(crate) fn on_exit_retry(
    parts: &mut Parts,
    bot: BotId,
    instrument: InstrumentId,
    out: &mut Outputs,
) {
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    if parts.bots.at(place).working().is_some() && !sells_beside(parts, place) {
        return;
    }
    if let Some(quote) = parts.market.quote(instrument) {
        parts.context.set_trigger(Trigger::Quote(*quote, None));
    }
    reconcile_next(parts, place, out);
}

/// A position reached an age of its exit plan. It is checked even if no quote comes.
pub(crate) fn on_position_age(
    parts: &mut Parts,
    bot: BotId,
    instrument: InstrumentId,
    out: &mut Outputs,
) {
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    let Some(quote) = parts.market.quote(instrument).copied() else {
        return;
    };
    parts.context.set_trigger(Trigger::Quote(quote, None));
    watch(parts, place, &quote, out);
    set_age_timer(parts, place, out);
}

/// Sets the timer for the next age at which a position's exit plan changes something.
pub(crate) fn set_age_timer(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let (now, state) = (parts.now(), parts.bots.at(place));
    let instrument = state.instrument();
    if let Some(at) = state.monitor().and_then(|monitor| monitor.next_age(now)) {
        let timer = Timer::PositionAge(place.bot(), instrument);
        parts.timers.set(at, timer, out);
    }
}
