//! What the desk's owners lose when somebody else sells or moves an asset of the account.
//!
//! It is taken from EXTERNAL first, then from the desk's own owners, and last from bots, in proportion to what they have. Then
//! their instruments are halted until a person clears them.

use tradewind_events::{EventKind, Outputs};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, Fill, Instrument, InstrumentKind, InstrumentStatus, Money,
    OwnerId, Quantity, Side,
};
use tradewind_risk::{CauseKind, PositionEffect, Scope, TradingState};

use super::causes::{note_absurd, open_until_cleared};
use super::positions::refresh_position;
use super::protection::cover;
use super::stop_orders::largest;
use crate::parts::Parts;
use crate::parts::order::Order;

/// From whom it is taken before the bots, in this order.
const BEFORE_BOTS: [OwnerId; 4] = [
    OwnerId::External,
    OwnerId::Unallocated,
    OwnerId::Dust,
    OwnerId::Fees,
];

/// Books a change of a balance that no fill explains, and announces it. What is more belongs to EXTERNAL.
pub(super) fn book_unexplained(
    parts: &mut Parts,
    account: AccountId,
    asset: AssetId,
    amount: Amount,
    out: &mut Outputs,
) {
    if is_on(Mutation::TransferIgnored) {
        return;
    }
    if amount > Amount::ZERO {
        let money = Money { asset, amount };
        let fits = parts.portfolio.deposit(account, money, OwnerId::External);
        note_absurd(parts, account, fits, out);
    } else {
        for (owner, share) in givers(parts, account, asset, -amount) {
            let amount = -share;
            let money = Money { asset, amount };
            let fits = parts.portfolio.deposit(account, money, owner);
            note_absurd(parts, account, fits, out);
            give_up_position(parts, (account, owner), asset, share, out);
        }
    }
    let moved = EventKind::TransferReported {
        account,
        asset,
        amount,
    };
    parts.emit(None, moved, out);
}

/// After somebody else's sale: if EXTERNAL does not have what was sold, the other owners' holdings were sold.
pub(super) fn cover_external(parts: &mut Parts, fill: &Fill, out: &mut Outputs) {
    let instrument = parts.config.instrument(fill.instrument);
    if fill.side == Side::Buy || instrument.kind != InstrumentKind::Spot {
        return;
    }
    let (account, asset) = (fill.account, instrument.base);
    let ledger = &parts.portfolio.ledger;
    let missing = -ledger.balance(account, asset, OwnerId::External);
    if parts.ids.is_own(fill.client_id) || missing <= Amount::ZERO {
        return;
    }
    for (owner, amount) in givers(parts, account, asset, missing) {
        if owner == OwnerId::External {
            continue;
        }
        let money = Money { asset, amount };
        let portfolio = &mut parts.portfolio;
        portfolio.transfer(account, money, owner, OwnerId::External);
        give_up_position(parts, (account, owner), asset, amount, out);
    }
}

/// After a fee in an asset that is neither bought nor sold (V11): what FEES does not have for it was paid out of others' holdings. The
/// ledger says so, bots last; nobody has to look into it.
pub(super) fn cover_fees(parts: &mut Parts, fill: &Fill, out: &mut Outputs) {
    let (account, asset) = (fill.account, fill.fee.asset);
    let has = |parts: &Parts, owner| parts.portfolio.ledger.balance(account, asset, owner);
    let missing = -has(parts, OwnerId::Fees);
    if missing <= Amount::ZERO {
        return;
    }
    for (owner, share) in givers(parts, account, asset, missing) {
        let amount = share.min(has(parts, owner));
        if owner == OwnerId::Fees || amount <= Amount::ZERO {
            continue;
        }
        let money = Money { asset, amount };
        let portfolio = &mut parts.portfolio;
        portfolio.transfer(account, money, owner, OwnerId::Fees);
        let OwnerId::Bot(bot) = owner else {
            continue;
        };
        for place in parts.bots.places(bot) {
            let instrument = parts.config.instrument(parts.bots.at(place).instrument());
            let key = (account, owner, instrument.id);
            if instrument.base != asset {
                continue;
            }
            let held = parts.portfolio.position(&key).quantity;
            let excess =
                instrument.floor_quantity(held - parts.portfolio.closable(instrument, &key));
            if excess.0 > 0 {
                parts.portfolio.take_away(key, excess);
            }
            refresh_position(parts, place, out);
            cover(parts, (account, key.2), out);
        }
    }
}

/// What a kill sells in an instrument of what is EXTERNAL: all that one order may, in the first instrument of the asset that is traded and
/// has a quote.
pub(super) fn external_to_sell(
    parts: &Parts,
    account: AccountId,
    instrument: &Instrument,
) -> Quantity {
    let venue = parts.config.accounts[account.index()].venue;
    let is_of_asset = |one: &&Instrument| {
        let of = (one.kind, one.base, one.venue, one.status);
        let wanted = (InstrumentKind::Spot, instrument.base, venue);
        of == (wanted.0, wanted.1, wanted.2, InstrumentStatus::Trading)
            && parts.market.quote(one.id).is_some()
    };
    let mut listed = parts.config.instruments.iter();
    let is_first = listed.find(is_of_asset).map(|first| first.id) == Some(instrument.id);
    let quote = parts.market.quote(instrument.id);
    let Some(quote) = quote.filter(|_| is_first && parts.accounts.get(account).sells_external())
    else {
        return Quantity::ZERO;
    };
    let ledger = &parts.portfolio.ledger;
    let has = ledger.balance(account, instrument.base, OwnerId::External);
    let has = instrument
        .floor_amount(has.max(Amount::ZERO))
        .min(largest(instrument));
    let quantity = instrument.floor_quantity(has);
    let is_enough = instrument.check(quantity, None, Some(quote.bid)).is_ok();
    if is_enough { quantity } else { Quantity::ZERO }
}

/// Why a kill leaves something of an asset that is EXTERNAL, in words.
pub(super) fn why_unsold(parts: &Parts, account: AccountId, asset: AssetId) -> &'static str {
    let venue = parts.config.accounts[account.index()].venue;
    let mut listed = parts
        .config
        .instruments
        .iter()
        .filter(|one| (one.kind, one.base, one.venue) == (InstrumentKind::Spot, asset, venue));
    let is_traded = |one: &&Instrument| one.status == InstrumentStatus::Trading;
    let has_quote = |one: &&Instrument| parts.market.quote(one.id).is_some();
    let Some(first) = listed.next() else {
        return "the desk lists no instrument of it";
    };
    let mut all = std::iter::once(first).chain(listed).filter(is_traded);
    let Some(sold) = all.find(has_quote) else {
        return "no instrument of it is traded and has a quote";
    };
    let has = parts
        .portfolio
        .ledger
        .balance(account, asset, OwnerId::External);
    let bid = parts.market.quote(sold.id).map(|quote| quote.bid);
    let quantity = sold.floor_quantity(sold.floor_amount(has.max(Amount::ZERO)));
    match sold.check(quantity.min(largest(sold)), None, bid) {
        Ok(_) => "it was not sold in time",
        Err(_) => "it is below the least order of the venue",
    }
}

/// Before a sale by hand is booked: what it sells beyond the desk's own is EXTERNAL's, and becomes the desk's at the price of the sale.
/// Only a kill sells so much.
pub(super) fn take_external(parts: &mut Parts, order: &Order, fill: &Fill) {
    let instrument = parts.config.instrument(fill.instrument);
    let is_sale = order.owner() == OwnerId::Unallocated
        && order.effect() == PositionEffect::Exit
        && fill.side == Side::Sell
        && instrument.kind == InstrumentKind::Spot;
    // Nearly every fill is a bot's.
    if !is_sale {
        return;
    }
    let key = (fill.account, OwnerId::Unallocated, fill.instrument);
    let held = parts.portfolio.position(&key).quantity.max(Quantity::ZERO);
    let ledger = &parts.portfolio.ledger;
    let has = ledger.balance(fill.account, instrument.base, OwnerId::External);
    let has = instrument.floor_amount(has.max(Amount::ZERO));
    let missing = (fill.quantity - held).min(has);
    if missing.0 > 0 {
        let from = (fill.account, OwnerId::External, fill.instrument);
        let given = (missing, fill.price);
        let at = parts.context.at();
        parts.portfolio.give(instrument, (from, key.1), given, at);
    }
}

/// How much of an asset is taken from each owner. What no owner has makes EXTERNAL negative.
fn givers(
    parts: &Parts,
    account: AccountId,
    asset: AssetId,
    amount: Amount,
) -> Vec<(OwnerId, Amount)> {
    let ledger = &parts.portfolio.ledger;
    let has = |owner: OwnerId| ledger.balance(account, asset, owner).max(Amount::ZERO);
    let mut left = amount;
    let mut given = Vec::new();
    for owner in BEFORE_BOTS {
        let share = left.min(has(owner));
        left -= share;
        given.push((owner, share));
    }
    let bots = parts.bots.ids().map(OwnerId::Bot);
    let holders: Vec<(OwnerId, Amount)> = bots
        .map(|bot| (bot, has(bot)))
        .filter(|(_, held)| !held.is_zero())
        .collect();
    let (wanted, mut held) = (left, holders.iter().map(|(_, held)| *held).sum::<Amount>());
    let wanted = wanted.min(held);
    let mut wanted_left = wanted;
    for (bot, own) in holders {
        let share = wanted_left
            .mul_div(own.0, held.0)
            .unwrap_or(wanted_left)
            .min(own);
        wanted_left -= share;
        held -= own;
        given.push((bot, share));
    }
    left -= wanted - wanted_left;
    given.push((OwnerId::External, left));
    given.retain(|(_, share)| !share.is_zero());
    given
}

/// Makes the positions of an owner smaller by what was taken of their asset. If it is a bot, a person must look.
fn give_up_position(
    parts: &mut Parts,
    (account, owner): (AccountId, OwnerId),
    asset: AssetId,
    share: Amount,
    out: &mut Outputs,
) {
    let mut left = share;
    let mut is_of_instrument = false;
    for index in 0..parts.config.instruments.len() {
        let instrument = &parts.config.instruments[index];
        let key = (account, owner, instrument.id);
        let held = parts.portfolio.position(&key).quantity;
        let is_holding = instrument.kind == InstrumentKind::Spot && instrument.base == asset;
        if !is_holding || held.0 <= 0 {
            continue;
        }
        let quantity = instrument.floor_amount(left).min(held);
        left -= instrument.quantity_amount(quantity);
        let scope = Scope::Instrument(instrument.id);
        let id = instrument.id;
        parts.portfolio.take_away(key, quantity);
        if let OwnerId::Bot(bot) = owner {
            is_of_instrument = true;
            halt(parts, scope, out);
            refresh(parts, bot, id, out);
        }
    }
    if matches!(owner, OwnerId::Bot(_)) && !is_of_instrument {
        halt(parts, Scope::Account(account), out);
    }
}

fn refresh(
    parts: &mut Parts,
    bot: BotId,
    instrument: tradewind_model::InstrumentId,
    out: &mut Outputs,
) {
    if let Some(place) = parts.bots.place(bot, instrument) {
        refresh_position(parts, place, out);
    }
}

fn halt(parts: &mut Parts, scope: Scope, out: &mut Outputs) {
    let cause = CauseKind::BalanceUnexplained;
    open_until_cleared(parts, scope, TradingState::Halted, cause, out);
}
