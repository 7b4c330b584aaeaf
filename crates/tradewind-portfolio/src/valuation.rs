//! What balances and positions are worth in the report asset, by live mids and in one hop.
//!
//! An asset without a price is counted as unpriced and left out; it never counts as zero in silence.

use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentKind, InstrumentStatus, OwnerId, Quote,
};

use crate::portfolio::Portfolio;

/// Instruments and their latest quotes, by instrument id.
#[derive(Clone, Copy, Debug)]
pub struct Prices<'a> {
    /// All instruments.
    pub instruments: &'a [Instrument],
    /// The latest quote of each.
    pub quotes: &'a [Option<Quote>],
}

/// What an account is worth, EXTERNAL left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valuation {
    /// Balances and open contracts together.
    pub equity: Amount,
    /// Unrealised profit and loss of open positions.
    pub unrealized: Amount,
    /// Balances and positions left out because they have no price.
    pub unpriced: u32,
}

/// Worth of one whole unit of `asset` in `report`; `None` without an instrument and a sound quote between them.
#[must_use]
pub fn rate(prices: Prices<'_>, asset: AssetId, report: AssetId) -> Option<Amount> {
    if asset == report {
        return Some(Amount::ONE);
    }
    prices
        .instruments
        .iter()
        .zip(prices.quotes)
        .find_map(|(instrument, quote)| {
            let quote = quote.as_ref().filter(|quote| quote.is_sound())?;
            let is_priced = instrument.status != InstrumentStatus::PricesOnly;
            if instrument.kind != InstrumentKind::Spot || !is_priced {
                return None;
            }
            let mid =
                Amount(instrument.price_amount(quote.bid).0 + instrument.price_amount(quote.ask).0);
            if instrument.base == asset && instrument.quote == report {
                return Some(Amount(mid.0 / 2));
            }
            let inverse = instrument.quote == asset && instrument.base == report;
            inverse
                .then(|| Amount::whole(2).mul_div(Amount::ONE.0, mid.0))
                .flatten()
        })
}

/// Values everything on an account that is the desk's, or one owner's.
#[must_use]
pub fn value_account(
    portfolio: &Portfolio,
    prices: Prices<'_>,
    account: AccountId,
    report: AssetId,
    owner: Option<OwnerId>,
) -> Valuation {
    let mut total = Valuation::default();
    let counts = |of: OwnerId| owner.map_or(of != OwnerId::External, |only| only == of);
    for (of, asset, whose, amount) in portfolio.ledger.balances() {
        if of == account && counts(whose) {
            let value = rate(prices, asset, report).and_then(|rate| worth(amount, rate));
            if !value.is_some_and(|value| add(&mut total.equity, value)) {
                total.unpriced += 1;
            }
        }
    }
    for (key, position) in portfolio.positions() {
        if key.0 != account || !counts(key.1) {
            continue;
        }
        let instrument = &prices.instruments[key.2.index()];
        let mid = prices.quotes[key.2.index()].as_ref().map(Quote::mid);
        let open = mid.and_then(|mid| position.unrealized(instrument, mid));
        let value = open
            .zip(rate(prices, instrument.settlement, report))
            .and_then(|(open, rate)| worth(open, rate));
        let counted = value.is_some_and(|value| {
            let is_spot = instrument.kind == InstrumentKind::Spot;
            add(&mut total.unrealized, value) && (is_spot || add(&mut total.equity, value))
        });
        if !counted {
            total.unpriced += 1;
        }
    }
    total
}

/// Adds to a sum; false, with nothing changed, when it does not fit.
fn add(sum: &mut Amount, value: Amount) -> bool {
    let added = sum.0.checked_add(value.0);
    if let Some(added) = added {
        *sum = Amount(added);
    }
    added.is_some()
}

fn worth(amount: Amount, rate: Amount) -> Option<Amount> {
    if rate == Amount::ONE {
        return Some(amount);
    }
    // Rates keep nine decimals here so that the product fits: a billionth of a unit is below any display.
    amount.mul_div(rate.0 / 1_000_000_000, 1_000_000_000)
}
