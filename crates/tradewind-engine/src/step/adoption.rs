//! `adopt`: a bot gets a position out of what the account holds and no bot has.
//!
//! The quantity moves in the ledger, the position counts the cost that the person names, and the exit plan takes the stop.
//! No order is made, no money moves, and what the position is worth beyond that cost is no profit of the day. From then on the
//! bot decides about it as about what it bought itself. What its exit plan would sell at once is refused.

use std::collections::BTreeSet;

use tradewind_events::{
    AccountState, Action, AdoptedFrom, Adoption, BotState, CommandResult, Event, EventKind, Output,
    Outputs, Principal,
};
use tradewind_model::{
    Account, Amount, AssetId, EventId, ExitPlan, InstrumentId, InstrumentKind, OwnerId, Price,
    Quantity, Quote, Side, Stop,
};
use tradewind_portfolio::PositionChange;
use tradewind_risk::{PositionEffect, TradingState};

use super::commands::CommandError;
use super::monitoring::{move_base, profit_of};
use super::positions::{key_of, refresh_position};
use super::protection::cover;
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::Order;

/// Why nothing is given. Its text is the answer to the command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AdoptionError {
    #[error("the bot does not trade that instrument")]
    NotTraded,
    #[error("only what was bought for money can be given: the instrument is a contract")]
    NotSpot,
    #[error("the account was not read from its venue yet")]
    NotReconciled,
    #[error("the quantity must be a multiple of the step {0} and above zero")]
    Step(String),
    #[error("{owner} has {has} of it, which is less than {wanted}")]
    TooMuch {
        owner: &'static str,
        has: String,
        wanted: String,
    },
    #[error("the cost must be above zero and in the number range")]
    Cost,
    #[error("the stop must be above zero and below the bid, which is {0}")]
    Stop(String),
    #[error("there is no quote to measure its exit by")]
    NoQuote,
    #[error(
        "its exit plan would close it at once ({cause} {level}, the bid is {bid}): give a stop below the bid, or a cost at which nothing is reached yet"
    )]
    AtOnce {
        cause: &'static str,
        level: String,
        bid: String,
    },
    #[error("the bot is short in it: its position must be closed first")]
    Short,
}

/// Somebody gives a bot a position.
pub(super) fn adopt(
    parts: &mut Parts,
    adoption: &Adoption,
    out: &mut Outputs,
) -> Result<CommandResult, CommandError> {
    parts
        .bots
        .get(adoption.bot)
        .filter(|bot| !bot.is_removed())
        .ok_or(CommandError::NoBot(adoption.bot))?;
    let place = parts.bots.place(adoption.bot, adoption.instrument);
    let place = place.ok_or(AdoptionError::NotTraded)?;
    check(parts, place, adoption)?;
    let cause = parts.context.cause(out);
    book(parts, place, adoption, cause, out)?;
    let account = key_of(parts, place).0;
    cover(parts, (account, adoption.instrument), out);
    Ok(CommandResult::Accepted(None))
}

/// Gives what is EXTERNAL to the bots that trade it, if the account's configuration says so: in each instrument whose asset exactly one
/// bot that runs trades, all that can be sold, at the bid, with the bot's own exit plan. What orders of others lock in the reading stays
/// EXTERNAL. It is announced as a command of that rule.
pub(crate) fn adopt_by_rule(parts: &mut Parts, state: &AccountState, out: &mut Outputs) {
    let account = state.account;
    let is_asked = |account: &Account| account.adopts_external;
    let config = parts.config.accounts.get(account.index());
    let is_by_hand = |order: &Order| order.bot().is_none() && order.terms().account == account;
    let is_trading_by_hand = parts
        .orders
        .open()
        .any(|order| is_by_hand(order) && order.effect() != PositionEffect::Protect);
    if is_trading_by_hand {
        return;
    }
    if !config.is_some_and(is_asked) || !parts.accounts.get(account).is_clean() {
        return;
    }
    for index in 0..parts.config.instruments.len() {
        let id = parts.config.instruments[index].id;
        if let Some((place, adoption)) = by_rule(parts, state, id)
            && check(parts, place, &adoption).is_ok()
        {
            carry_out_rule(parts, adoption, out);
        }
    }
}

/// What the rule gives in an instrument now.
fn by_rule(
    parts: &Parts,
    state: &AccountState,
    instrument: InstrumentId,
) -> Option<(BotInstrument, Adoption)> {
    let account = state.account;
    let instrument = parts.config.instrument(instrument);
    let running = parts.bots.ids().filter(|bot| {
        let bot = parts.bots.bot(*bot);
        bot.config().account == account && !bot.is_removed() && bot.state() == BotState::Running
    });
    let base = |place: &BotInstrument| {
        let traded = parts.bots.at(*place).instrument();
        parts.config.instrument(traded).base
    };
    let places = running.flat_map(|bot| parts.bots.places(bot));
    let mut places = places.filter(|place| base(place) == instrument.base);
    let (place, others) = (places.next()?, places.next());
    if others.is_some() || parts.bots.at(place).instrument() != instrument.id {
        return None;
    }
    // A position that cannot be left is given to nobody.
    if parts.state_for(account, instrument.id, Some(place.bot())) != TradingState::Active {
        return None;
    }
    let ledger = &parts.portfolio.ledger;
    let has = ledger.balance(account, instrument.base, OwnerId::External);
    let has = has - locked_by_others(parts, state, instrument.base);
    let quantity = instrument.floor_quantity(instrument.floor_amount(has.max(Amount::ZERO)));
    let bid = parts.market.live_quote(instrument.id)?.bid;
    instrument.check(quantity, None, Some(bid)).ok()?;
    let adoption = Adoption {
        bot: place.bot(),
        instrument: instrument.id,
        quantity,
        from: AdoptedFrom::External,
        cost: bid,
        stop: None,
    };
    Some((place, adoption))
}

/// What open sales that are not the desk's hold of an asset. Both orders of a pair hold the same.
fn locked_by_others(parts: &Parts, state: &AccountState, asset: AssetId) -> Amount {
    let mut pairs = BTreeSet::new();
    let mut locked = Amount::ZERO;
    for order in &state.open_orders {
        let (terms, list) = (&order.terms, order.list);
        let known = parts.config.instruments.get(terms.instrument.index());
        let sold = known.filter(|one| one.kind == InstrumentKind::Spot && one.base == asset);
        let is_sale =
            terms.side == Side::Sell && parts.orders.open_order(terms.client_id).is_none();
        if let Some(instrument) = sold.filter(|_| is_sale)
            && list.is_none_or(|list| pairs.insert(list))
        {
            let left = (terms.quantity - order.filled).max(Quantity::ZERO);
            locked += instrument.quantity_amount(left);
        }
    }
    locked
}

fn carry_out_rule(parts: &mut Parts, adoption: Adoption, out: &mut Outputs) {
    /// "ru".
    const TAG: u128 = 0x7275;
    let event = parts.context.reserve();
    let index = out.len();
    parts.context.set_trigger(Trigger::Event(event));
    let result = match adopt(parts, &adoption, out) {
        Ok(result) => result,
        Err(error) => CommandResult::Refused(error.to_string()),
    };
    let id = TAG << 112 | u128::from(event.seq) << 32 | u128::from(event.index);
    let command = EventKind::Command {
        id,
        principal: Principal::Rule,
        action: Action::Adopt(adoption),
        result: result.clone(),
    };
    parts.commands.note(id, result);
    let event = Event {
        id: event,
        at: parts.now(),
        cause: None,
        kind: command,
    };
    out.insert(index, Output::Event(event));
}

fn check(parts: &Parts, place: BotInstrument, adoption: &Adoption) -> Result<(), AdoptionError> {
    let instrument = parts.config.instrument(adoption.instrument);
    let (account, _, _) = key_of(parts, place);
    if instrument.kind != InstrumentKind::Spot {
        return Err(AdoptionError::NotSpot);
    }
    if !parts.accounts.get(account).is_reconciled() {
        return Err(AdoptionError::NotReconciled);
    }
    let quantity = adoption.quantity;
    if quantity.0 <= 0 || instrument.floor_quantity(quantity) != quantity {
        return Err(AdoptionError::Step(
            instrument.quantity_text(instrument.step),
        ));
    }
    if parts.bots.at(place).position().quantity.0 < 0 {
        return Err(AdoptionError::Short);
    }
    let (owner, name) = source(adoption.from);
    let has = parts
        .portfolio
        .ledger
        .balance(account, instrument.base, owner);
    if has < instrument.quantity_amount(quantity) {
        return Err(AdoptionError::TooMuch {
            owner: name,
            has: instrument.quantity_text(instrument.floor_amount(has).max(Quantity::ZERO)),
            wanted: instrument.quantity_text(quantity),
        });
    }
    if adoption.cost.0 <= 0 {
        return Err(AdoptionError::Cost);
    }
    let quote = parts.market.live_quote(instrument.id);
    let quote = quote.ok_or(AdoptionError::NoQuote)?;
    let is_off = |stop: Price| stop.0 <= 0 || stop >= quote.bid;
    if adoption.stop.is_some_and(is_off) {
        return Err(AdoptionError::Stop(instrument.price_text(quote.bid)));
    }
    check_exit(parts, place, adoption, quote)
}

/// Refuses what the exit plan would close with the next quote.
fn check_exit(
    parts: &Parts,
    place: BotInstrument,
    adoption: &Adoption,
    quote: &Quote,
) -> Result<(), AdoptionError> {
    let instrument = parts.config.instrument(adoption.instrument);
    let (given, now) = ((adoption.quantity, adoption.cost), parts.now());
    let (_, position) = parts
        .portfolio
        .with(instrument, &key_of(parts, place), given, now)
        .ok_or(AdoptionError::Cost)?;
    let entry = position
        .entry_price(instrument)
        .ok_or(AdoptionError::Cost)?;
    let plan = plan(parts, place, adoption.stop);
    let state = parts.bots.at(place);
    let reached = state.would_close((plan, entry, position.opened_at), quote, now);
    reached.map_or(Ok(()), |(cause, level)| {
        Err(AdoptionError::AtOnce {
            cause: cause.name(),
            level: instrument.price_text(level),
            bid: instrument.price_text(quote.bid),
        })
    })
}

/// The plan of the position: the one that it has or, of a bot that is flat, its own. A stop that is given replaces the plan's.
fn plan(parts: &Parts, place: BotInstrument, stop: Option<Price>) -> ExitPlan {
    let state = parts.bots.at(place);
    let plan = if state.is_engaged() {
        state.exit()
    } else {
        &parts.bots.bot(place.bot()).config().exit
    };
    ExitPlan {
        stop: stop.map_or(plan.stop, Stop::At),
        ..plan.clone()
    }
}

const fn source(from: AdoptedFrom) -> (OwnerId, &'static str) {
    match from {
        AdoptedFrom::External => (OwnerId::External, "EXTERNAL"),
        AdoptedFrom::Unallocated => (OwnerId::Unallocated, "UNALLOCATED"),
    }
}

/// Books what is given, and sets the exit plan. Recovery does the same.
pub(crate) fn book(
    parts: &mut Parts,
    place: BotInstrument,
    adoption: &Adoption,
    cause: Option<EventId>,
    out: &mut Outputs,
) -> Result<(), AdoptionError> {
    let (account, to, id) = key_of(parts, place);
    let from = (account, source(adoption.from).0, id);
    let (given, now) = ((adoption.quantity, adoption.cost), parts.now());
    let plan = plan(parts, place, adoption.stop);
    let before = profit_of(parts, account, adoption.bot, id);
    let instrument = parts.config.instrument(id);
    let booking = parts.portfolio.give(instrument, (from, to), given, now);
    let booking = booking.ok_or(AdoptionError::Cost)?;
    parts.bots.at_mut(place).set_exit(plan);
    move_base(parts, account, (adoption.bot, id), before);
    if booking.change == PositionChange::Opened {
        let opened = EventKind::PositionOpened {
            account,
            bot: Some(adoption.bot),
            instrument: id,
            quantity: booking.position.quantity,
            price: adoption.cost,
        };
        parts.emit(cause, opened, out);
    }
    refresh_position(parts, place, out);
    Ok(())
}
