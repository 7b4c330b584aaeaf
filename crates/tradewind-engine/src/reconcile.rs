//! The difference between an account as the desk has it and as its venue shows it: one pure function.
//!
//! It changes nothing. Every difference is one of a closed list, and the caller books, adopts, queries or waits.
//! A reading may be older than the books: fills that were reported after it are left out of the comparison.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_events::{AccountState, OpenOrder};
use tradewind_model::{
    Amount, AssetId, BotId, ClientOrderId, Fill, Instrument, InstrumentId, InstrumentKind, Side,
    TradeId,
};

/// An account as the desk has it.
pub(crate) struct Local<'a> {
    /// Rules of the instruments, by id.
    pub(crate) instruments: &'a [Instrument],
    /// What the ledger has of each asset.
    pub(crate) totals: BTreeMap<AssetId, Amount>,
    /// Open orders; true for one that the venue has confirmed.
    pub(crate) open: BTreeMap<ClientOrderId, bool>,
    /// Fills booked lately.
    pub(crate) recent: Vec<Fill>,
    /// The last trade of each instrument that an earlier reading listed.
    pub(crate) cursors: &'a BTreeMap<InstrumentId, TradeId>,
    /// Whether a fill is booked.
    pub(crate) is_booked: &'a dyn Fn(&Fill) -> bool,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The venue lists an execution that is not booked: a late fill, or a trade by hand. The bot is the journal's word.
    Fill(Fill, Option<BotId>),
    /// The venue has an order whose acceptance was not reported.
    Accepted(OpenOrder),
    /// The venue has an order with our tag that the desk does not keep.
    Stray(OpenOrder),
    /// An order is open here, and the venue does not list it.
    NotListed(ClientOrderId),
    /// What the venue has more of an asset, or less if negative, and no fill explains.
    Balance(AssetId, Amount),
}

/// Compares an account with its venue. Fills come first, oldest first, then orders, then balances.
pub(crate) fn reconcile(local: &Local<'_>, venue: &AccountState) -> Vec<Difference> {
    let listed = venue.fills.iter();
    let missing: Vec<&(Fill, Option<BotId>)> = listed
        .filter(|(fill, _)| !(local.is_booked)(fill))
        .collect();
    let mut differences: Vec<Difference> = missing
        .iter()
        .map(|(fill, bot)| Difference::Fill(*fill, *bot))
        .collect();
    differences.extend(orders(local, venue));
    let missing = missing.iter().map(|(fill, _)| fill);
    differences.extend(balances(local, venue, missing));
    differences
}

fn orders<'a>(
    local: &'a Local<'_>,
    venue: &'a AccountState,
) -> impl Iterator<Item = Difference> + 'a {
    let listed: BTreeSet<ClientOrderId> = venue
        .open_orders
        .iter()
        .map(|order| order.terms.client_id)
        .collect();
    let of_venue = venue.open_orders.iter().filter_map(|order| {
        let is_ours = order.adopted.is_some() || order.terms.client_id.is_ours();
        match local.open.get(&order.terms.client_id) {
            Some(true) => None,
            Some(false) => Some(Difference::Accepted(order.clone())),
            None => is_ours.then(|| Difference::Stray(order.clone())),
        }
    });
    let unlisted = local.open.keys().copied();
    let unlisted = unlisted.filter(move |id| !listed.contains(id));
    of_venue.chain(unlisted.map(Difference::NotListed))
}

/// What the balances differ by once the missing fills are booked. Of the booked fills that the venue does not list yet, the
/// balances may contain all, or lack the latest: an asset that fits at any of these points does not differ.
fn balances<'a>(
    local: &Local<'_>,
    venue: &AccountState,
    missing: impl Iterator<Item = &'a Fill>,
) -> impl Iterator<Item = Difference> {
    let mut expected = local.totals.clone();
    for fill in missing {
        apply(&mut expected, local.instruments, fill, 1);
    }
    let mut differing = differing(&expected, venue);
    let unlisted = local.recent.iter().rev();
    for fill in unlisted.filter(|fill| is_newer(local, venue, fill)) {
        apply(&mut expected, local.instruments, fill, -1);
        let still = self::differing(&expected, venue);
        differing = still
            .into_iter()
            .filter(|(asset, _)| differing.contains_key(asset))
            .collect();
    }
    let differences = differing.into_iter();
    differences.map(|(asset, amount)| Difference::Balance(asset, amount))
}

/// What the venue has more of each asset than is expected, or less.
fn differing(
    expected: &BTreeMap<AssetId, Amount>,
    venue: &AccountState,
) -> BTreeMap<AssetId, Amount> {
    let mut differences: BTreeMap<AssetId, Amount> = BTreeMap::new();
    for (asset, total) in &venue.balances {
        *differences.entry(*asset).or_default() += *total;
    }
    for (asset, total) in expected {
        *differences.entry(*asset).or_default() -= *total;
    }
    differences.retain(|_, amount| !amount.is_zero());
    differences
}

/// Whether a booked fill came after the reading: it does not list it, though it lists all up to some older trade.
fn is_newer(local: &Local<'_>, venue: &AccountState, fill: &Fill) -> bool {
    let same = venue.fills.iter();
    let same = same.filter(|(listed, _)| listed.instrument == fill.instrument);
    let last = same.map(|(listed, _)| listed.trade_id).max();
    let last = last.max(local.cursors.get(&fill.instrument).copied());
    last.is_none_or(|last| fill.trade_id > last)
}

/// What a fill did to the balances. A contract's result depends on its position, so only its fee is counted here.
fn apply(
    totals: &mut BTreeMap<AssetId, Amount>,
    instruments: &[Instrument],
    fill: &Fill,
    sign: i128,
) {
    let mut add = |asset, amount: Amount| {
        *totals.entry(asset).or_default() += Amount(amount.0 * sign);
    };
    add(fill.fee.asset, -fill.fee.amount);
    let Some(instrument) = instruments.get(fill.instrument.index()) else {
        return;
    };
    let value = instrument.notional(fill.price, fill.quantity);
    let Some(value) = value.filter(|_| instrument.kind == InstrumentKind::Spot) else {
        return;
    };
    let base = instrument.quantity_amount(fill.quantity);
    let (base, quote) = match fill.side {
        Side::Buy => (base, -value),
        Side::Sell => (-base, value),
    };
    add(instrument.base, base);
    add(instrument.quote, quote);
}

#[cfg(test)]
mod tests;
