//! Taking an account over as its venue shows it: first fills, then balances that they do not explain, then budgets.

use std::collections::BTreeMap;

use tradewind_events::{AccountState, BotState, EventKind, OpenOrder, Outputs};
use tradewind_model::{
    AccountId, AccountMode, Amount, BotId, Fill, InstrumentId, Money, OwnerId, Ppm, Side,
};
use tradewind_risk::{CauseKind, PositionEffect, Scope};

use super::budgets::allocate;
use super::causes::close_cause;
use super::equity::value;
use super::lifecycle::{schedule_bots, set_state};
use super::positions::{key_of, refresh_position};
use super::protection::{cover_account, shares_of_found};
use super::reports::is_known;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::{FoundOrder, NewOrder};
use crate::parts::stop_shares::StopShares;

/// The last fill of each owner in each instrument.
type LastFills<'a> = BTreeMap<(OwnerId, InstrumentId), &'a Fill>;

/// Takes an account over as the venue shows it. What was booked on it before is replaced.
pub(crate) fn on_account(parts: &mut Parts, state: &AccountState, out: &mut Outputs) {
    let account = state.account;
    if !parts.accounts.contains(account) {
        return;
    }
    parts.portfolio.clear(account);
    let last = book_listed(parts, state);
    take_over_balances(parts, state);
    book_early(parts, state);
    let short = allocate_budgets(parts, account);
    for order in &state.open_orders {
        adopt(parts, order, &state.fills, out);
    }
    refresh_bots(parts, account, &last, out);
    let reconciled = EventKind::Reconciled {
        account,
        fills: u32::try_from(state.fills.len()).unwrap_or(u32::MAX),
        orders: u32::try_from(state.open_orders.len()).unwrap_or(u32::MAX),
    };
    parts.emit(None, reconciled, out);
    parts.accounts.get_mut(account).set_reconciled(true);
    value(parts, account);
    let cause = CauseKind::NotReconciled;
    close_cause(parts, Scope::Account(account), &cause, out);
    cover_account(parts, account, out);
    if parts.accounts.are_reconciled() {
        schedule_bots(parts, out);
    }
    for bot in short {
        let reason = "its budget is not covered by the account";
        set_state(parts, bot, BotState::Stopped, reason, out);
    }
}

/// Books the fills the venue lists, oldest first, to those whose orders they were.
fn book_listed<'a>(parts: &mut Parts, state: &'a AccountState) -> LastFills<'a> {
    let mut last = LastFills::new();
    for (fill, bot) in &state.fills {
        if fill.account != state.account || !is_known(parts, fill) {
            continue;
        }
        note_listed(parts, fill);
        let owner = owner_of_fill(parts, fill, *bot);
        let before = last.insert((owner, fill.instrument), fill);
        let instrument = parts.config.instrument(fill.instrument);
        let key = (state.account, owner, fill.instrument);
        let is_new_order = before.is_some_and(|before| before.client_id != fill.client_id);
        let starts_anew = is_new_order && fill.side == Side::Buy;
        // A remainder that could not be sold was written off before its bot bought again.
        let portfolio = &mut parts.portfolio;
        if starts_anew && portfolio.is_remainder(instrument, &key, Some(fill.price)) {
            portfolio.give_up(instrument, key);
        }
        portfolio.book(instrument, owner, fill);
    }
    last
}

/// A fill that the venue listed is not booked again when its own report comes.
fn note_listed(parts: &mut Parts, fill: &Fill) {
    parts.accounts.get_mut(fill.account).note_foreign(fill);
    if let Some(order) = parts.orders.get_mut(fill.client_id) {
        order.note_execution(fill);
    }
}

/// Books what was reported between the reading and now.
fn book_early(parts: &mut Parts, state: &AccountState) {
    let early = parts.accounts.get_mut(state.account).take_early();
    let is_in = |fill: &Fill| state.fills.iter().any(|(read, _)| read == fill);
    for fill in early.iter().filter(|fill| !is_in(fill)) {
        let owner = owner_of_fill(parts, fill, None);
        let instrument = parts.config.instrument(fill.instrument);
        parts.portfolio.book(instrument, owner, fill);
    }
}

/// The owner of a fill. If its bot no longer trades the instrument, the desk owns it, since no bot would close it.
fn owner_of_fill(parts: &Parts, fill: &Fill, bot: Option<BotId>) -> OwnerId {
    let trades_it = |bot: BotId| {
        let config = parts.bots.get(bot).map(|bot| bot.config());
        config.is_some_and(|config| {
            config.account == fill.account && config.instruments.contains(&fill.instrument)
        })
    };
    match bot {
        Some(bot) if trades_it(bot) => OwnerId::Bot(bot),
        _ if fill.client_id.is_ours() => OwnerId::Unallocated,
        _ => OwnerId::External,
    }
}

/// Books balances that the fills do not explain, because they were there before or came from elsewhere. They belong to
/// the desk on a paper account and to EXTERNAL on a live one.
fn take_over_balances(parts: &mut Parts, state: &AccountState) {
    let account = state.account;
    let owner = match parts.config.accounts[account.index()].mode {
        AccountMode::Paper => OwnerId::Unallocated,
        AccountMode::Live => OwnerId::External,
    };
    let known = parts.portfolio.ledger.assets(account);
    let absent = known.filter(|(asset, _)| state.balances.iter().all(|(of, _)| of != asset));
    let absent: Vec<_> = absent.map(|(asset, _)| (asset, Amount::ZERO)).collect();
    for (asset, total) in state.balances.iter().copied().chain(absent) {
        let amount = total - parts.portfolio.ledger.total(account, asset);
        if !amount.is_zero() {
            let money = Money { asset, amount };
            parts.portfolio.deposit(account, money, owner);
        }
    }
}

/// Gives each bot its budget. Returns the bots that the account's money does not cover.
fn allocate_budgets(parts: &mut Parts, account: AccountId) -> Vec<BotId> {
    let mut short = Vec::new();
    for bot in parts.bots.ids() {
        let config = parts.bots.bot(bot).config().clone();
        if config.account == account && !allocate(parts, &config, config.budget) {
            short.push(bot);
        }
    }
    short
}

/// Takes over an order that was open when the desk started. One that is not ours is left alone.
fn adopt(parts: &mut Parts, found: &OpenOrder, fills: &[(Fill, Option<BotId>)], out: &mut Outputs) {
    let Some(adopted) = found.adopted else { return };
    let terms = found.terms;
    let is_known = parts.accounts.contains(terms.account)
        && parts.market.contains(terms.instrument)
        && parts.orders.get_mut(terms.client_id).is_none();
    if !is_known {
        return;
    }
    // Its fills are booked already. They must not be booked again when they are reported.
    let booked = fills.iter().map(|(fill, _)| fill);
    let booked = booked.filter(|fill| fill.client_id == terms.client_id);
    let trades = booked.map(|fill| fill.trade_id).collect();
    let bot = adopted.bot;
    let place = bot.and_then(|bot| parts.bots.place(bot, terms.instrument));
    let accepted = EventKind::OrderAccepted { terms, bot };
    let placed_by = parts.emit(None, accepted, out);
    let is_stop = terms.kind.trigger().is_some();
    let (effect, shares) = if is_stop {
        let left = terms.quantity - found.filled;
        let shares = shares_of_found(parts, &terms, place, left);
        (PositionEffect::Protect, shares)
    } else {
        (PositionEffect::Entry, StopShares::default())
    };
    if let Some(place) = place.filter(|_| !is_stop) {
        parts.bots.at_mut(place).start_order(terms.client_id);
    }
    parts.orders.insert(NewOrder {
        terms,
        place,
        effect,
        placed_at: adopted.placed_at,
        placed_by,
        limit: None,
        exposure_before: Ppm::ZERO,
        found: Some(FoundOrder {
            venue_order_id: found.venue_order_id,
            filled: found.filled,
            trades,
        }),
        replaces: None,
        shares,
    });
    // The time it was to wait for is lost, so it is cancelled and its bot decides again. A stop protects as before.
    if place.is_some() && !is_stop {
        parts.orders.cancel(terms.client_id, out);
    }
}

/// Takes the positions of the account's bots from the portfolio.
fn refresh_bots(parts: &mut Parts, account: AccountId, last: &LastFills<'_>, out: &mut Outputs) {
    for bot in parts.bots.ids() {
        if parts.bots.bot(bot).config().account != account {
            continue;
        }
        for place in parts.bots.places(bot) {
            let instrument = parts.bots.at(place).instrument();
            let fill = last.get(&(OwnerId::Bot(bot), instrument)).copied();
            write_off_dust(parts, place, fill);
            refresh_position(parts, place, out);
        }
    }
}

/// Writes off a remainder that a previous run wrote off, unless a working order may belong to the position.
///
/// If a working buy is not the order of the last fill, it starts a new position, and the remainder is from an old one.
fn write_off_dust(parts: &mut Parts, place: BotInstrument, last: Option<&Fill>) {
    let key = key_of(parts, place);
    let working = parts.bots.at(place).working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    let is_over = working.is_none_or(|order| {
        let terms = order.terms();
        terms.side == Side::Buy && last.is_some_and(|fill| fill.client_id != terms.client_id)
    });
    let instrument = parts.config.instrument(key.2);
    let price = last.map(|fill| fill.price);
    if is_over && parts.portfolio.is_remainder(instrument, &key, price) {
        parts.portfolio.give_up(instrument, key);
    }
}
