//! The inputs of the risk gate for an order, collected from the parts.

use tradewind_model::{
    AccountId, Amount, AssetId, ClientOrderId, Instrument, InstrumentKind, OrderTerms, OwnerId,
    Ppm, Quantity, Side,
};
use tradewind_portfolio::rate;
use tradewind_risk::{ApprovedOrder, Candidate, Context, DenyReason, PositionEffect, check};

use crate::parts::Parts;
use crate::parts::order::Order;
use crate::parts::stop_shares::StopShares;

/// Puts an order to the risk gate.
pub(super) fn check_risk(
    parts: &Parts,
    candidate: &Candidate,
) -> Result<ApprovedOrder, DenyReason> {
    check(candidate, &context(parts, candidate))
}

/// Puts a protective stop to the risk gate. It is measured by the positions it covers together, and by what may sell of
/// them besides: their exits and their other stops.
pub(super) fn check_stop(
    parts: &Parts,
    candidate: &Candidate,
    shares: &StopShares,
    replaced: Option<ClientOrderId>,
) -> Result<ApprovedOrder, DenyReason> {
    let (mut position, mut working) = (Quantity::ZERO, Quantity::ZERO);
    for place in shares.places() {
        let state = parts.bots.at(place);
        position += state.position().quantity;
        let exit = state.working().and_then(|id| parts.orders.open_order(id));
        let exit = exit.filter(|order| order.effect() == PositionEffect::Exit);
        working += exit.map_or(Quantity::ZERO, Order::remaining);
        let others = parts.orders.stops_of(place);
        let others = others.filter(|stop| Some(stop.terms().client_id) != replaced);
        working += others.fold(Quantity::ZERO, |sum, stop| sum + stop.shares().of(place));
    }
    let context = Context {
        position,
        working,
        ..context(parts, candidate)
    };
    check(candidate, &context)
}

fn context<'a>(parts: &'a Parts, candidate: &Candidate) -> Context<'a> {
    let terms = &candidate.terms;
    let instrument = parts.config.instrument(terms.instrument);
    let owner = candidate.bot.map_or(OwnerId::Unallocated, OwnerId::Bot);
    let bot = candidate.bot.map(|bot| parts.bots.bot(bot));
    let throttle = bot.map_or(&parts.manual, |bot| bot.throttle());
    let (in_instrument, on_account) = parts.orders.entries(terms.account, terms.instrument);
    let account = parts.accounts.get(terms.account);
    let key = (terms.account, owner, terms.instrument);
    Context {
        now: parts.now(),
        limits: &parts.config.limits,
        state: parts
            .states
            .for_order(terms.account, terms.instrument, candidate.bot),
        instrument,
        allowed: bot.is_none_or(|bot| bot.config().instruments.contains(&terms.instrument)),
        quote: parts.market.live_quote(terms.instrument),
        quote_rate: rate(parts.prices(), instrument.quote, parts.config.report_asset),
        equity: account.equity().equity,
        fee: parts.config.fee,
        free: free(parts, terms.account, spent_by(instrument, terms), owner),
        position: parts.portfolio.position(&key).quantity,
        working: parts
            .orders
            .working(candidate.bot, terms.account, terms.instrument, terms.side),
        open_entries_instrument: in_instrument,
        open_entries_account: on_account,
        account_instruments: account.instruments(),
        rate: throttle.rate(),
        recent: throttle.recent(),
    }
}

/// The asset an order spends.
const fn spent_by(instrument: &Instrument, terms: &OrderTerms) -> AssetId {
    match (instrument.kind, terms.side) {
        (InstrumentKind::Spot, Side::Buy) => instrument.quote,
        (InstrumentKind::Spot, Side::Sell) => instrument.base,
        (InstrumentKind::Linear | InstrumentKind::Inverse, _) => instrument.settlement,
    }
}

/// An owner's balance less what its open orders have reserved.
fn free(parts: &Parts, account: AccountId, asset: AssetId, owner: OwnerId) -> Amount {
    let balance = parts.portfolio.ledger.balance(account, asset, owner);
    if parts.orders.is_empty() {
        return balance;
    }
    let of_owner = parts.orders.open();
    let of_owner =
        of_owner.filter(|order| order.terms().account == account && order.owner() == owner);
    // A stop locks what its position's exit takes over.
    let of_owner = of_owner.filter(|order| order.effect() != PositionEffect::Protect);
    let reserved: Amount = of_owner.map(|order| reserved(parts, order, asset)).sum();
    balance - reserved
}

/// What an open order may still spend of an asset.
fn reserved(parts: &Parts, order: &Order, asset: AssetId) -> Amount {
    let terms = order.terms();
    let instrument = parts.config.instrument(terms.instrument);
    if spent_by(instrument, terms) != asset {
        return Amount::ZERO;
    }
    if instrument.kind == InstrumentKind::Spot && terms.side == Side::Sell {
        return instrument.quantity_amount(order.remaining());
    }
    if order.effect() == PositionEffect::Exit {
        return Amount::ZERO;
    }
    let touch = parts.market.quote(instrument.id);
    let touch = touch.map(|quote| quote.opposite_side(terms.side));
    let price = terms.kind.limit().or(touch).unwrap_or_default();
    let value = instrument.notional(price, order.remaining());
    let value = value.unwrap_or_default();
    value
        .share(Ppm(Ppm::ONE.0 + parts.config.fee.0))
        .unwrap_or(value)
}
