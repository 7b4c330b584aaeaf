//! Instruments as venues list them, and how their rules become counts of an instrument's units.

use std::borrow::Cow;

use tradewind_model::{
    Amount, Instrument, InstrumentId, InstrumentStatus, Price, Quantity, VenueId, parse_fixed,
};

use crate::binance::Assets;
use crate::symbols::{SymbolTable, VenueDecimals};

/// An instrument as the venue lists it, before the desk has given it an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The venue's spelling.
    pub symbol: String,
    /// The product, such as `BTC/USDT`.
    pub product: String,
    /// The instrument; its id is 0 until the desk's configuration decides.
    pub instrument: Instrument,
}

/// A venue's list of instruments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listings {
    /// Those that can be used, in the venue's order.
    pub listings: Vec<Listing>,
    /// Those that cannot, by symbol, and why: one odd instrument must not hide the others.
    pub left_out: Vec<(String, String)>,
}

/// The desk an instrument is listed for.
#[derive(Clone, Copy, Debug)]
pub struct ListedFor<'a> {
    /// The venue's number.
    pub venue: VenueId,
    /// Its name in the desk's configuration.
    pub name: &'a str,
    /// The desk's assets.
    pub assets: &'a Assets,
}

/// An instrument in the venue's own words. A text that is empty or missing sets no rule.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    pub(crate) symbol: &'a str,
    pub(crate) base: &'a str,
    pub(crate) quote: &'a str,
    /// Decimals of prices and quantities, where the venue says so and the grid may be coarser.
    pub(crate) decimals: Option<(u8, u8)>,
    pub(crate) tick: Word<'a>,
    pub(crate) step: Word<'a>,
    pub(crate) quantity_min: Word<'a>,
    pub(crate) quantity_max: Word<'a>,
    pub(crate) market_quantity_max: Word<'a>,
    pub(crate) notional_min: Word<'a>,
    pub(crate) status: InstrumentStatus,
}

pub(crate) type Word<'a> = Option<Cow<'a, str>>;

impl Words<'_> {
    /// The instrument.
    ///
    /// # Errors
    /// What is wrong with the words.
    fn listing(&self, desk: ListedFor<'_>) -> Result<Listing, String> {
        let text = |word: &Word<'_>| {
            let word = word.as_deref().filter(|word| !word.is_empty());
            word.map(str::to_owned)
        };
        let (tick, step) = (text(&self.tick), text(&self.step));
        let (Some(_), Some(_)) = (&tick, &step) else {
            return Err("tick or step is missing".to_owned());
        };
        let (price_decimals, quantity_decimals) = match self.decimals {
            Some(decimals) => decimals,
            None => (
                places(tick.as_deref(), Amount::DECIMALS)?,
                places(step.as_deref(), Amount::DECIMALS)?,
            ),
        };
        check_places(price_decimals, quantity_decimals)?;
        let quantity =
            |word: &Word<'_>, round| count(&text(word), quantity_decimals, round).map(Quantity);
        let product = format!("{}/{}", self.base, self.quote);
        let instrument = Instrument {
            venue: desk.venue,
            price_decimals,
            quantity_decimals,
            tick: Price(count(&tick, price_decimals, Round::Up)?.max(1)),
            step: Quantity(count(&step, quantity_decimals, Round::Up)?.max(1)),
            quantity_min: quantity(&self.quantity_min, Round::Up)?,
            quantity_max: quantity(&self.quantity_max, Round::Down)?,
            market_quantity_max: quantity(&self.market_quantity_max, Round::Down)?,
            notional_min: Amount(amount(&text(&self.notional_min))?),
            status: self.status,
            revision: 1,
            ..Instrument::spot(
                InstrumentId(0),
                format!("{}:{product}", desk.name),
                desk.assets.intern(self.base),
                desk.assets.intern(self.quote),
            )
        };
        Ok(Listing {
            symbol: self.symbol.to_owned(),
            product,
            instrument,
        })
    }
}

impl Listings {
    /// Adds an instrument, or why there is none.
    pub(crate) fn add(&mut self, words: &Words<'_>, desk: ListedFor<'_>) {
        match words.listing(desk) {
            Ok(listing) => self.listings.push(listing),
            Err(why) => self.left_out.push((words.symbol.to_owned(), why)),
        }
    }
}

/// A product of price and quantity must be exact in the unit of amounts.
pub(crate) fn check_places(price: u8, quantity: u8) -> Result<(), String> {
    if price.saturating_add(quantity) > Amount::DECIMALS {
        return Err(format!(
            "{price} and {quantity} decimal places are more than {} together",
            Amount::DECIMALS
        ));
    }
    Ok(())
}

/// Digits after the point that a step needs: `0.01000000` needs two, `10` none; no step means the asset's own precision.
pub(crate) fn places(step: Option<&str>, precision: u8) -> Result<u8, String> {
    let Some(step) = step else {
        return Ok(precision);
    };
    if amount(&Some(step.to_owned()))? == 0 {
        return Ok(precision);
    }
    let fraction = step.split_once('.').map_or("", |(_, fraction)| fraction);
    u8::try_from(fraction.trim_end_matches('0').len()).map_err(|error| error.to_string())
}

/// To which side a bound is rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Round {
    /// The smaller count would allow too much.
    Up,
    /// The larger count would allow too much.
    Down,
}

/// A bound as a count of 10^-`decimals` units, rounded to the side that allows less.
pub(crate) fn count(text: &Option<String>, decimals: u8, round: Round) -> Result<i64, String> {
    let exact = amount(text)?;
    let unit = 10_i128.pow(u32::from(Amount::DECIMALS - decimals.min(Amount::DECIMALS)));
    let cut = exact.div_euclid(unit);
    let count = match round {
        Round::Up if exact.rem_euclid(unit) > 0 => cut + 1,
        Round::Up | Round::Down => cut,
    };
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A decimal as an exact amount; none is 0.
pub(crate) fn amount(text: &Option<String>) -> Result<i128, String> {
    let Some(text) = text else {
        return Ok(0);
    };
    parse_fixed(text, Amount::DECIMALS).map_err(|error| format!("{text:?}: {error}"))
}

/// What the rules of instruments in use have become, as far as the venue still lists all of them: each with its symbol, and
/// those that changed, with the next revision, and those whose numbers the venue writes in other decimals now.
///
/// Their numbers keep the number of decimals they had, since prices elsewhere use it too. Rules that need more decimals are
/// not taken over; the log reports them.
pub(crate) fn changed_rules(
    symbols: &SymbolTable,
    listings: Vec<Listing>,
) -> (Vec<(String, Instrument)>, Vec<Instrument>, VenueDecimals) {
    let (mut table, mut changed) = (Vec::new(), Vec::new());
    let mut venue_decimals = VenueDecimals::new();
    for listing in listings {
        let Some(old) = symbols.find(listing.symbol.as_bytes()) else {
            continue;
        };
        let new = Instrument {
            id: old.id,
            revision: old.revision,
            ..listing.instrument.clone()
        };
        let mut new = in_decimals_of(&new, old).unwrap_or_else(|| {
            tracing::error!(
                instrument = %old.name,
                "The venue's new rules are finer than the numbers in use: the old rules stay."
            );
            old.clone()
        });
        let decimals = |of: &Instrument| (of.price_decimals, of.quantity_decimals);
        if decimals(&listing.instrument) != decimals(old) {
            venue_decimals.insert(old.id, decimals(&listing.instrument));
        }
        if new != *old {
            new.revision += 1;
            changed.push(new.clone());
        }
        table.push((listing.symbol, new));
    }
    // One that is not listed any more keeps its rules.
    for old in symbols.instruments() {
        if !table.iter().any(|(_, new)| new.id == old.id)
            && let Some(symbol) = symbols.symbol(old.id)
        {
            table.push((symbol.to_owned(), old.clone()));
        }
    }
    (table, changed, venue_decimals)
}

/// The instrument with its numbers as counts in the decimals of `old`, if they can be.
#[must_use]
pub fn in_decimals_of(new: &Instrument, old: &Instrument) -> Option<Instrument> {
    let price = |price: Price| rescale(price.0, new.price_decimals, old.price_decimals).map(Price);
    let quantity = |quantity: Quantity| {
        rescale(quantity.0, new.quantity_decimals, old.quantity_decimals).map(Quantity)
    };
    Some(Instrument {
        price_decimals: old.price_decimals,
        quantity_decimals: old.quantity_decimals,
        tick: price(new.tick)?,
        price_min: price(new.price_min)?,
        price_max: price(new.price_max)?,
        step: quantity(new.step)?,
        quantity_min: quantity(new.quantity_min)?,
        quantity_max: quantity(new.quantity_max)?,
        market_quantity_max: quantity(new.market_quantity_max)?,
        ..new.clone()
    })
}

/// A count of 10^-`from` as a count of 10^-`to`, if it is a whole one.
fn rescale(count: i64, from: u8, to: u8) -> Option<i64> {
    let factor = |more: u8, fewer: u8| 10_i64.checked_pow(u32::from(more - fewer));
    if to >= from {
        return count.checked_mul(factor(to, from)?);
    }
    let divisor = factor(from, to)?;
    (count % divisor == 0).then_some(count / divisor)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tradewind_model::{AssetId, InstrumentId};

    /// A plain spot instrument for this crate's tests.
    pub(crate) fn instrument(id: u32, price_decimals: u8, quantity_decimals: u8) -> Instrument {
        Instrument {
            price_decimals,
            quantity_decimals,
            ..Instrument::spot(
                InstrumentId(id),
                format!("binance:{id}"),
                AssetId(0),
                AssetId(1),
            )
        }
    }

    #[test]
    fn a_step_of_ten_or_none_at_all_is_understood() {
        assert_eq!(places(Some("10.00000000"), 8), Ok(0));
        assert_eq!(places(Some("0.00000000"), 8), Ok(8));
        assert_eq!(places(None, 6), Ok(6));
        assert!(places(Some("1e-5"), 8).is_err());
        assert_eq!(count(&Some("10".into()), 0, Round::Up), Ok(10));
        assert_eq!(count(&Some("0.015".into()), 2, Round::Up), Ok(2));
        assert_eq!(count(&Some("0.015".into()), 2, Round::Down), Ok(1));
    }

    #[test]
    fn new_rules_are_returned_in_the_decimals_in_use() {
        let old = instrument(0, 2, 5);
        for (decimals, tick, wanted) in [
            (0, 10, Some(1_000)),
            (1, 5, Some(50)),
            (2, 5, Some(5)),
            (3, 20, Some(2)),
            (3, 5, None),
        ] {
            let rules = Instrument {
                tick: Price(tick),
                price_min: Price(0),
                price_max: Price(1_000_000_000),
                ..instrument(0, decimals, 5)
            };
            let tick = in_decimals_of(&rules, &old).map(|new| (new.price_decimals, new.tick.0));
            assert_eq!(tick, wanted.map(|tick| (2, tick)), "{decimals}");
        }
        let huge = Instrument {
            price_max: Price(i64::MAX),
            ..instrument(0, 0, 5)
        };
        assert_eq!(in_decimals_of(&huge, &old), None);
    }
}
