//! Positions of bots: read from the portfolio after every change, closed in orders of a legal size.

use tradewind_events::{EventKind, Outputs, Timer};
use tradewind_model::{
    EventId, Instrument, InstrumentKind, OwnerId, PositionState, Ppm, Quantity, Side,
};
use tradewind_portfolio::PositionKey;
use tradewind_risk::visible_quantity;

use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::instrument_state::MonitorChange;

/// Copies a bot's position from the portfolio to its state, and sets its exit monitor by it.
pub(crate) fn refresh_position(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let key = key_of(parts, place);
    let position = parts.portfolio.position(&key);
    let is_open = !position.quantity.is_zero();
    let position = PositionState {
        quantity: position.quantity,
        entry_price: position.entry_price(parts.config.instrument(key.2)),
        opened_at: is_open.then_some(position.opened_at),
    };
    if !is_open {
        parts.protection.allow_pairs(place);
    }
    let now = parts.now();
    let change = parts.bots.at_mut(place).set_position(position, now);
    let timer = Timer::PositionAge(place.bot(), key.2);
    match change {
        MonitorChange::None => {}
        MonitorChange::Removed => parts.timers.cancel(timer, out),
        MonitorChange::Set(None) => {}
        MonitorChange::Set(Some(at)) => parts.timers.set(at, timer, out),
    }
    let is_monitored = matches!(change, MonitorChange::Set(_));
    parts.market.set_monitored(key.2, place, is_monitored);
}

/// How much of a bot's position can be closed.
pub(crate) fn closable(parts: &Parts, place: BotInstrument) -> Quantity {
    let key = key_of(parts, place);
    let instrument = parts.config.instrument(key.2);
    parts.portfolio.closable(instrument, &key)
}

/// How much of a bot's position one order can close. A remainder that the venue would refuse for being too small is
/// written off (V11). One that is too large is closed in slices, the next when this one has ended.
pub(super) fn closing_quantity(
    parts: &mut Parts,
    place: BotInstrument,
    cause: Option<EventId>,
    out: &mut Outputs,
) -> Quantity {
    let quantity = closable(parts, place);
    let key = key_of(parts, place);
    let instrument = parts.config.instrument(key.2);
    let side = parts.bots.at(place).closing_side();
    let quote = parts.market.quote(key.2);
    let price = quote.map(|quote| quote.opposite_side(side));
    if parts.portfolio.is_remainder(instrument, &key, price) {
        write_off(parts, place, cause, out);
        return Quantity::ZERO;
    }
    let largest = [instrument.quantity_max, instrument.market_quantity_max];
    let largest = largest.into_iter().filter(|limit| limit.0 > 0).min();
    let quantity = largest.map_or(quantity, |limit| {
        quantity.min(instrument.floor_quantity(limit))
    });
    let quantity = quantity.min(reported(parts, place, instrument).unwrap_or(quantity));
    slice(parts, instrument, side, quantity)
}

/// What the account has of a spot instrument, by its venue's last word, if an exit was refused and that is enough for an order (V13):
/// the next one is not the same again. What is missing is found by the reading that follows a refusal.
fn reported(parts: &Parts, place: BotInstrument, instrument: &Instrument) -> Option<Quantity> {
    let is_refused = parts.bots.at(place).refusals().is_any();
    if !is_refused || instrument.kind != InstrumentKind::Spot {
        return None;
    }
    let account = parts.bots.bot(place.bot()).config().account;
    let has = parts.streams.reported(account, instrument.base)?;
    let quantity = instrument.floor_quantity(instrument.floor_amount(has));
    let quote = parts.market.quote(instrument.id)?;
    let price = quote.opposite_side(parts.bots.at(place).closing_side());
    instrument.check(quantity, None, Some(price)).ok()?;
    Some(quantity)
}

/// How much of an exit the book can take at once (R09): the share of what it shows that an order may be. All of it where
/// no book is known, and where a slice or what it leaves would be too small for the venue.
fn slice(parts: &Parts, instrument: &Instrument, side: Side, quantity: Quantity) -> Quantity {
    let (limits, id) = (&parts.config.limits, instrument.id);
    let known = (parts.market.live_quote(id)).zip(parts.market.live_depth(id));
    let known = known.zip(limits.depth_share_max.zip(limits.collar));
    let Some(((quote, depth), (share, collar))) = known else {
        return quantity;
    };
    let visible = visible_quantity(quote, Some(depth), side, collar);
    let most = i128::from(visible.0) * i128::from(share.0) / i128::from(Ppm::ONE.0);
    let most = Quantity(i64::try_from(most).unwrap_or(i64::MAX));
    let slice = instrument.floor_quantity(most);
    let price = quote.opposite_side(side);
    let goes = |part: Quantity| instrument.check(part, None, Some(price)).is_ok();
    if slice < quantity && goes(slice) && goes(quantity - slice) {
        slice
    } else {
        quantity
    }
}

fn write_off(parts: &mut Parts, place: BotInstrument, cause: Option<EventId>, out: &mut Outputs) {
    let key = key_of(parts, place);
    let instrument = parts.config.instrument(key.2);
    if let Some(closed) = parts.portfolio.give_up(instrument, key) {
        let event = EventKind::PositionClosed {
            account: key.0,
            bot: Some(place.bot()),
            instrument: key.2,
            realized: closed.realized,
        };
        parts.emit(cause, event, out);
    }
    refresh_position(parts, place, out);
}

/// The portfolio's key of a bot's position.
pub(super) fn key_of(parts: &Parts, place: BotInstrument) -> PositionKey {
    let account = parts.bots.bot(place.bot()).config().account;
    let instrument = parts.bots.at(place).instrument();
    (account, OwnerId::Bot(place.bot()), instrument)
}
