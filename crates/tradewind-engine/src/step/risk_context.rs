//! The inputs of the risk gate for an order, collected from the parts.

use std::time::Duration;

use tradewind_events::StreamState;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, Amount, AssetId, ClientOrderId, Instrument, InstrumentId, InstrumentKind,
    OrderStatus, OrderTerms, OwnerId, Ppm, Price, Quantity, Quote, Side,
};
use tradewind_portfolio::rate;
use tradewind_risk::{
    AccountFacts, ApprovedOrder, Candidate, Context, DenyReason, PositionEffect, SecondSource,
    check, would_match,
};

use super::breakers::is_probing;
use super::holdings::external_to_sell;
use crate::parts::Parts;
use crate::parts::order::Order;
use crate::parts::stop_shares::StopShares;

/// How long a reading of the account proves its stream: a sweep goes every 30 s and takes a while.
const PROVED_FOR: Duration = Duration::from_secs(45);

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
    ended: &[ClientOrderId],
) -> Result<ApprovedOrder, DenyReason> {
    let (mut position, mut working) = (Quantity::ZERO, Quantity::ZERO);
    for place in shares.places() {
        let state = parts.bots.at(place);
        position += state.position().quantity;
        let exit = state.working().and_then(|id| parts.orders.open_order(id));
        let exit = exit.filter(|order| order.effect() == PositionEffect::Exit);
        working += exit.map_or(Quantity::ZERO, Order::remaining);
        let others = parts.orders.stops_of(place);
        let others = others.filter(|stop| !ended.contains(&stop.terms().client_id));
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
    let account = parts.accounts.get(terms.account);
    let key = (terms.account, owner, terms.instrument);
    let asset = spent_by(instrument, terms);
    let orders = OpenOrders::of(parts, candidate, owner, asset);
    let balance = parts.portfolio.ledger.balance(terms.account, asset, owner);
    let external = if candidate.bot.is_none() && candidate.purpose == PositionEffect::Exit {
        external_to_sell(parts, terms.account, instrument)
    } else {
        Quantity::ZERO
    };
    let limits = &parts.config.limits;
    Context {
        now: parts.now(),
        limits,
        state: parts.state_for(terms.account, terms.instrument, candidate.bot),
        instrument,
        allowed: bot.is_none_or(|bot| bot.config().instruments.contains(&terms.instrument)),
        quote: parts.market.live_quote(terms.instrument),
        depth: parts.market.live_depth(terms.instrument),
        second_source: second_source(parts, terms.instrument),
        quote_rate: rate(parts.prices(), instrument.quote, parts.config.report_asset),
        equity: account.equity().equity,
        fee: parts.config.fee,
        free: balance - orders.reserved,
        position: parts.portfolio.position(&key).quantity + external,
        working: orders.working,
        account: account_facts(parts, candidate, owner, &orders),
        rate: throttle.rate(),
        recent: throttle.recent(),
        same_side_entries: throttle.same_side_entries(terms.side, parts.now(), limits),
    }
}

/// The second source of an instrument's price, where one is configured.
fn second_source(parts: &Parts, instrument: InstrumentId) -> Option<SecondSource<'_>> {
    let mut references = parts.config.references.iter();
    let reference = references.find(|reference| reference.instrument == instrument)?;
    Some(SecondSource {
        instrument: parts.config.instrument(reference.source),
        quote: parts.market.live_quote(reference.source),
        within: reference.within,
    })
}

/// What the account's open orders mean for an order.
#[derive(Debug, Default)]
struct OpenOrders {
    /// What orders of the same owner have reserved of the asset that the order spends.
    reserved: Amount,
    /// What works for the same owner in the instrument on the order's side.
    working: Quantity,
    facts: AccountFacts,
    /// Entries of the account, and of the owner: what they may still add to the exposure.
    adds: Exposure,
}

/// Exposure of an account and of one of its owners; `None` once something has no price.
#[derive(Clone, Copy, Debug)]
struct Exposure {
    account: Option<Amount>,
    owner: Option<Amount>,
}

impl Default for Exposure {
    fn default() -> Self {
        Self {
            account: Some(Amount::ZERO),
            owner: Some(Amount::ZERO),
        }
    }
}

impl Exposure {
    fn add(&mut self, value: Option<Amount>, is_owners: bool) {
        let sum = |sum: Option<Amount>| {
            let (sum, value) = sum.zip(value)?;
            sum.0.checked_add(value.0).map(Amount)
        };
        self.account = sum(self.account);
        if is_owners {
            self.owner = sum(self.owner);
        }
    }
}

impl OpenOrders {
    /// Collects them in one pass. Protective stops are left out: what one locks is its position's exit's to sell. But while the
    /// fate of one is unknown, nobody enters in its instrument.
    fn of(parts: &Parts, candidate: &Candidate, owner: OwnerId, asset: AssetId) -> Self {
        let mut all = Self::default();
        let terms = &candidate.terms;
        let is_entry = candidate.purpose == PositionEffect::Entry;
        for order in parts.orders.open() {
            let of = order.terms();
            if of.account != terms.account {
                continue;
            }
            if is_on(Mutation::UnknownReleased) && order.status() == OrderStatus::Unknown {
                continue;
            }
            let (is_owners, is_here) = (order.owner() == owner, of.instrument == terms.instrument);
            if order.effect() == PositionEffect::Protect {
                let is_unknown = order.status() == OrderStatus::Unknown;
                all.facts.unknown_here += u32::from(is_entry && is_here && is_unknown);
                continue;
            }
            if is_owners {
                all.reserved += reserved(parts, order, asset);
            }
            if is_owners && is_here && of.side == terms.side {
                all.working += order.remaining();
            }
            if is_entry {
                all.note(parts, order, is_owners, is_here);
            }
        }
        if is_entry {
            let mut crossing = crossing(parts, terms);
            all.facts.crossing = crossing.next().map(|order| order.terms().client_id);
        }
        all
    }

    /// What only entries are measured by.
    fn note(&mut self, parts: &Parts, order: &Order, is_owners: bool, is_here: bool) {
        let facts = &mut self.facts;
        if order.status() == OrderStatus::Unknown && !is_on(Mutation::UnknownEnters) {
            facts.unknown += 1;
            facts.unknown_here += u32::from(is_owners && is_here);
        }
        if order.effect() == PositionEffect::Entry {
            facts.open_entries += 1;
            facts.open_entries_instrument += u32::from(is_here);
            let price = order.terms().kind.limit();
            let value = worth(parts, order.terms(), price, order.remaining());
            self.adds.add(value, is_owners);
        }
    }
}

/// Resting orders that an order would trade with (R20).
pub(super) fn crossing<'a>(
    parts: &'a Parts,
    taker: &'a OrderTerms,
) -> impl Iterator<Item = &'a Order> + 'a {
    let quote = parts.market.quote(taker.instrument);
    let slippage = parts.config.limits.market_slippage_max.unwrap_or_default();
    let open = parts.orders.open();
    open.filter(move |order| would_match(taker, order.terms(), quote, slippage))
}

fn account_facts(
    parts: &Parts,
    candidate: &Candidate,
    owner: OwnerId,
    orders: &OpenOrders,
) -> AccountFacts {
    let id = candidate.terms.account;
    let account = parts.accounts.get(id);
    let mut exposure = orders.adds;
    if candidate.purpose == PositionEffect::Entry {
        add_positions(parts, id, owner, &mut exposure);
    }
    AccountFacts {
        reconciled: account.is_reconciled(),
        instruments: account.instruments(),
        exposure: exposure.account,
        owner_exposure: exposure.owner,
        clock_uncertainty: clock_uncertainty(parts, id),
        stream_proved: is_stream_proved(parts, id),
        probe_open: is_probing(parts, &candidate.terms, candidate.bot),
        ..orders.facts
    }
}

/// Adds the worth of the account's positions.
fn add_positions(parts: &Parts, account: AccountId, owner: OwnerId, exposure: &mut Exposure) {
    for (key, position) in parts.portfolio.positions() {
        if key.0 == account && key.1 != OwnerId::External {
            let mid = parts.market.quote(key.2).map(Quote::mid);
            let value = mid.and_then(|mid| in_report(parts, key.2, mid, position.quantity.abs()));
            exposure.add(value, key.1 == owner);
        }
    }
}

/// How far the offset of the venue's clock may be wrong now; `None` where the venue reports none.
fn clock_uncertainty(parts: &Parts, account: AccountId) -> Option<Duration> {
    let clock = parts.streams.get(account)?.clock?;
    Some(clock.uncertainty(parts.now()))
}

fn is_stream_proved(parts: &Parts, account: AccountId) -> bool {
    let read_at = parts.accounts.get(account).read_at();
    let is_read = read_at.is_some_and(|at| parts.now().since(at) <= PROVED_FOR);
    match parts.streams.get(account).map(|stream| stream.state) {
        None | Some(StreamState::Absent) => true,
        Some(StreamState::Live) => is_read,
        Some(_) => false,
    }
}

/// Worth of a quantity at the limit or, without one, at the touch.
fn worth(
    parts: &Parts,
    terms: &OrderTerms,
    limit: Option<Price>,
    quantity: Quantity,
) -> Option<Amount> {
    let touch = parts.market.quote(terms.instrument);
    let touch = touch.map(|quote| quote.opposite_side(terms.side));
    in_report(parts, terms.instrument, limit.or(touch)?, quantity)
}

/// Worth of a quantity at a price, in the report currency.
pub(super) fn in_report(
    parts: &Parts,
    instrument: InstrumentId,
    price: Price,
    quantity: Quantity,
) -> Option<Amount> {
    let instrument = parts.config.instrument(instrument);
    let value = instrument.notional(price, quantity)?;
    match rate(parts.prices(), instrument.quote, parts.config.report_asset)? {
        Amount::ONE => Some(value),
        rate => value.mul_div(rate.0, Amount::ONE.0),
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

/// What an open order may still spend of an asset.
pub(super) fn reserved(parts: &Parts, order: &Order, asset: AssetId) -> Amount {
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
