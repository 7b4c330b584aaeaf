//! What is traded, on one venue, and the venue's rules for it.
//!
//! Only an instrument defines the worth of one count of a [`Price`] or [`Quantity`], so every product
//! of the two is made here. A change of a venue's filters is a new [`Instrument::revision`] of the same instrument.

use serde::{Deserialize, Serialize};

use crate::decimal::{NumberError, format_fixed, parse_fixed, power_of_ten};
use crate::id::{AssetId, InstrumentId, VenueId};
use crate::number::{Amount, Price, Quantity, round_half_even};
use crate::order::Side;

/// How a position in the instrument is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstrumentKind {
    /// Assets are exchanged.
    Spot,
    /// A contract on the base asset, settled in the quote asset.
    Linear,
    /// A contract worth a fixed sum of the quote asset, settled in the base asset.
    Inverse,
}

/// Whether the venue trades it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstrumentStatus {
    /// Orders are taken.
    Trading,
    /// Orders may be cancelled, none is taken.
    CancelOnly,
    /// Nothing is taken.
    Halted,
    /// The venue has no such instrument, or recorded data lacks it: bots on it stand still.
    NoData,
    /// A house source reports its prices. No order goes there, and nothing is valued by it.
    PricesOnly,
}

/// An instrument and its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its dense id.
    pub id: InstrumentId,
    /// The venue.
    pub venue: VenueId,
    /// Printed name: `binance:BTC/USDT`.
    pub name: String,
    /// What is bought and sold.
    pub base: AssetId,
    /// The asset of prices.
    pub quote: AssetId,
    /// What profit, loss and fees of a contract are paid in; the quote asset for spot.
    pub settlement: AssetId,
    /// Spot or contract.
    pub kind: InstrumentKind,
    /// Base units (linear) or quote units (inverse) in one contract; [`Amount::ONE`] for spot.
    pub multiplier: Amount,
    /// A price counts 10^-this quote units.
    pub price_decimals: u8,
    /// A quantity counts 10^-this base units or contracts.
    pub quantity_decimals: u8,
    /// Prices are multiples of this; at least 1.
    pub tick: Price,
    /// Lowest price an order may name; 0 for none.
    pub price_min: Price,
    /// Highest price an order may name; 0 for none.
    pub price_max: Price,
    /// Quantities are multiples of this; at least 1.
    pub step: Quantity,
    /// Smallest order.
    pub quantity_min: Quantity,
    /// Largest limit order; 0 for none.
    pub quantity_max: Quantity,
    /// Largest market order; 0 for none.
    pub market_quantity_max: Quantity,
    /// Least value of an order in the quote asset.
    pub notional_min: Amount,
    /// Most orders open at once; 0 for no limit.
    pub open_orders_max: u32,
    /// Whether the venue trades it now.
    pub status: InstrumentStatus,
    /// Grows with each change of the rules.
    pub revision: u32,
    /// Which kind of stop order the venue takes.
    #[serde(default)]
    pub stop_orders: StopOrders,
    /// Most orders that wait for a trigger open at once; 0 for no limit.
    #[serde(default)]
    pub algo_orders_max: u32,
    /// Whether the venue takes a stop and a limit order as a pair of which one cancels the other.
    #[serde(default)]
    pub takes_pairs: bool,
}

/// Which kind of stop order a venue takes in an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopOrders {
    /// None, or it is not known.
    #[default]
    None,
    /// Stops with a limit only.
    Limit,
    /// Stops that trade at market.
    Market,
}

/// Which of the venue's rules an order would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleBreach {
    /// The price is no multiple of the tick.
    Tick,
    /// The price is outside the allowed range or not positive.
    PriceRange,
    /// The quantity is no multiple of the step.
    Step,
    /// Below the smallest quantity, or not positive.
    QuantityMin,
    /// Above the largest quantity.
    QuantityMax,
    /// Worth less than the least value.
    NotionalMin,
    /// Numbers too large to multiply exactly.
    Overflow,
}

impl Instrument {
    /// A spot instrument that nothing restricts but its grid, listed and trading at the first venue.
    ///
    /// Prices have 2 decimals, quantities 5; tick, step, lowest price and smallest order are one count; no other filter is
    /// set. Override fields where needed: `Instrument { price_decimals: 8, ..Instrument::spot(..) }`.
    #[must_use]
    pub fn spot(id: InstrumentId, name: impl Into<String>, base: AssetId, quote: AssetId) -> Self {
        Self {
            id,
            venue: VenueId(0),
            name: name.into(),
            base,
            quote,
            settlement: quote,
            kind: InstrumentKind::Spot,
            multiplier: Amount::ONE,
            price_decimals: 2,
            quantity_decimals: 5,
            tick: Price(1),
            price_min: Price(1),
            price_max: Price(0),
            step: Quantity(1),
            quantity_min: Quantity(1),
            quantity_max: Quantity::ZERO,
            market_quantity_max: Quantity::ZERO,
            notional_min: Amount::ZERO,
            open_orders_max: 0,
            status: InstrumentStatus::Trading,
            revision: 0,
            stop_orders: StopOrders::None,
            algo_orders_max: 0,
            takes_pairs: false,
        }
    }

    /// Whether there is such an instrument at the venue, or in the recorded data.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.status != InstrumentStatus::NoData
    }

    /// Value of `quantity` at `price`, exact, in the quote asset for spot and linear and in the base asset for inverse.
    ///
    /// `None` when the product does not fit, or for an inverse contract at price zero.
    #[must_use]
    pub fn notional(&self, price: Price, quantity: Quantity) -> Option<Amount> {
        match self.kind {
            InstrumentKind::Spot => self.product(price, quantity),
            InstrumentKind::Linear => self
                .product(price, quantity)?
                .mul_div(self.multiplier.0, Amount::ONE.0),
            InstrumentKind::Inverse => {
                let contracts = self.quantity_amount(quantity);
                let quote = contracts.mul_div(self.multiplier.0, Amount::ONE.0)?;
                quote.mul_div(pow10(self.price_decimals), i128::from(price.0))
            }
        }
    }

    fn product(&self, price: Price, quantity: Quantity) -> Option<Amount> {
        let scale = u32::from(Amount::DECIMALS)
            .checked_sub(u32::from(self.price_decimals) + u32::from(self.quantity_decimals))?;
        let product = i128::from(price.0) * i128::from(quantity.0);
        let unit = pow10(scale.try_into().ok()?);
        // Nearly every product fits in 64 bits, and then the amount in 128: 10^18 is less than 2^63.
        match i64::try_from(product) {
            Ok(product) => Some(Amount(i128::from(product) * unit)),
            Err(_) => product.checked_mul(unit).map(Amount),
        }
    }

    /// `quantity` as an amount of the base asset (or of contracts).
    #[must_use]
    pub fn quantity_amount(&self, quantity: Quantity) -> Amount {
        Amount(
            i128::from(quantity.0) * pow10(Amount::DECIMALS.saturating_sub(self.quantity_decimals)),
        )
    }

    /// One base unit's price as an amount of the quote asset.
    #[must_use]
    pub fn price_amount(&self, price: Price) -> Amount {
        Amount(i128::from(price.0) * pow10(Amount::DECIMALS.saturating_sub(self.price_decimals)))
    }

    /// The largest multiple of the step that `value` buys at `price`; zero when it buys none.
    #[must_use]
    pub fn quantity_for(&self, value: Amount, price: Price) -> Quantity {
        let Some(one) = self.notional(price, Quantity(1)).filter(|one| one.0 != 0) else {
            return Quantity::ZERO;
        };
        let counts = value.0 / one.0;
        self.floor_quantity(Quantity(i64::try_from(counts).unwrap_or(0)))
    }

    /// An asset amount as a quantity, cut down to the step towards zero.
    #[must_use]
    pub fn floor_amount(&self, amount: Amount) -> Quantity {
        let unit = pow10(Amount::DECIMALS.saturating_sub(self.quantity_decimals));
        self.floor_quantity(Quantity(i64::try_from(amount.0 / unit).unwrap_or(0)))
    }

    /// `quantity` cut down to a multiple of the step, towards zero.
    #[must_use]
    pub const fn floor_quantity(&self, quantity: Quantity) -> Quantity {
        Quantity(quantity.0 - quantity.0 % self.step.0)
    }

    /// `price` moved to a multiple of the tick in the direction that is never worse than requested: a buyer's price is
    /// rounded down, a seller's up.
    #[must_use]
    pub const fn round_price(&self, price: Price, side: Side) -> Price {
        let below = price.0.div_euclid(self.tick.0) * self.tick.0;
        match side {
            Side::Buy => Price(below),
            Side::Sell => Price(if below == price.0 {
                below
            } else {
                below + self.tick.0
            }),
        }
    }

    /// A price in real numbers, as the nearest tick-less count; `None` for NaN, infinities and what does not fit.
    ///
    /// The way back from an indicator's `f64`; callers round to the tick.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked just before"
    )]
    pub fn price_from_f64(&self, price: f64) -> Option<Price> {
        let count = (price * power_of_ten(self.price_decimals)).round();
        (count.abs() < 9e18).then_some(Price(count as i64))
    }

    /// A price as `f64`, for indicators and display only.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "this is the named, deliberate way out of exactness"
    )]
    pub fn price_f64(&self, price: Price) -> f64 {
        price.0 as f64 / power_of_ten(self.price_decimals)
    }

    /// A quantity as `f64`, for indicators and display only.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "this is the named, deliberate way out of exactness"
    )]
    pub fn quantity_f64(&self, quantity: Quantity) -> f64 {
        quantity.0 as f64 / power_of_ten(self.quantity_decimals)
    }

    /// Reads a price; more digits than the instrument has are an error, unless they are zeros.
    ///
    /// # Errors
    /// [`NumberError`] describes the problem with the text.
    pub fn parse_price(&self, text: &str) -> Result<Price, NumberError> {
        i64::try_from(parse_fixed(text, self.price_decimals)?)
            .map(Price)
            .map_err(|_| NumberError::OutOfRange)
    }

    /// Reads a quantity, as strictly as a price.
    ///
    /// # Errors
    /// [`NumberError`] describes the problem with the text.
    pub fn parse_quantity(&self, text: &str) -> Result<Quantity, NumberError> {
        i64::try_from(parse_fixed(text, self.quantity_decimals)?)
            .map(Quantity)
            .map_err(|_| NumberError::OutOfRange)
    }

    /// Canonical text of a price.
    #[must_use]
    pub fn price_text(&self, price: Price) -> String {
        format_fixed(i128::from(price.0), self.price_decimals)
    }

    /// Canonical text of a quantity.
    #[must_use]
    pub fn quantity_text(&self, quantity: Quantity) -> String {
        format_fixed(i128::from(quantity.0), self.quantity_decimals)
    }

    /// Checks an order's numbers against the venue's filters; `reference` prices a market order's value.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(
        &self,
        quantity: Quantity,
        limit: Option<Price>,
        reference: Option<Price>,
    ) -> Result<(), RuleBreach> {
        if let Some(price) = limit {
            self.check_price(price)?;
        }
        self.check_quantity(quantity, limit.is_none())?;
        let Some(price) = limit.or(reference) else {
            return Ok(());
        };
        let value = self.notional(price, quantity).ok_or(RuleBreach::Overflow)?;
        if value < self.notional_min {
            Err(RuleBreach::NotionalMin)
        } else {
            Ok(())
        }
    }

    /// Checks a price alone: tick and range.
    ///
    /// # Errors
    /// [`RuleBreach::PriceRange`] or [`RuleBreach::Tick`].
    pub fn check_price(&self, price: Price) -> Result<(), RuleBreach> {
        let above = self.price_max.0 > 0 && price > self.price_max;
        if price.0 <= 0 || price < self.price_min || above {
            return Err(RuleBreach::PriceRange);
        }
        if price.0 % self.tick.0 == 0 {
            Ok(())
        } else {
            Err(RuleBreach::Tick)
        }
    }

    fn check_quantity(&self, quantity: Quantity, market: bool) -> Result<(), RuleBreach> {
        if quantity.0 <= 0 || quantity < self.quantity_min {
            return Err(RuleBreach::QuantityMin);
        }
        let over = |limit: Quantity| limit.0 > 0 && quantity > limit;
        if over(self.quantity_max) || (market && over(self.market_quantity_max)) {
            return Err(RuleBreach::QuantityMax);
        }
        if quantity.0 % self.step.0 == 0 {
            Ok(())
        } else {
            Err(RuleBreach::Step)
        }
    }

    /// Average price of `quantity` that cost `cost`, rounded half to even; for display.
    #[must_use]
    pub fn average_price(&self, cost: Amount, quantity: Quantity) -> Option<Price> {
        let unit = self.notional(Price(1), Quantity(1))?;
        let denominator = unit.0.checked_mul(i128::from(quantity.0))?;
        round_half_even(cost.0, denominator)
            .and_then(|count| i64::try_from(count).ok())
            .map(Price)
    }
}

/// 10^0 to 10^18: an amount has no more decimals.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// A power of ten as a table, which costs a load instead of a loop.
fn pow10(exponent: u8) -> i128 {
    let known = POWERS.get(usize::from(exponent));
    known.map_or_else(
        || 10_i128.pow(u32::from(exponent)),
        |power| i128::from(*power),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot() -> Instrument {
        Instrument {
            price_max: Price(100_000_000),
            quantity_max: Quantity(900_000_000),
            market_quantity_max: Quantity(10_000_000),
            notional_min: Amount::whole(5),
            ..Instrument::spot(InstrumentId(0), "binance:BTC/USDT", AssetId(0), AssetId(1))
        }
    }

    #[test]
    fn notional_is_exact_for_each_kind() {
        let spot = spot();
        let price = spot.parse_price("61837.63").unwrap();
        let quantity = spot.parse_quantity("0.02").unwrap();
        assert_eq!(
            spot.notional(price, quantity).unwrap().to_string(),
            "1236.7526"
        );

        let linear = Instrument {
            kind: InstrumentKind::Linear,
            multiplier: "0.001".parse().unwrap(),
            ..spot.clone()
        };
        assert_eq!(
            linear.notional(price, quantity).unwrap().to_string(),
            "1.2367526"
        );

        let inverse = Instrument {
            kind: InstrumentKind::Inverse,
            multiplier: Amount::whole(100),
            quantity_decimals: 0,
            ..spot
        };
        assert_eq!(
            inverse
                .notional(Price(5_000_000), Quantity(10))
                .unwrap()
                .to_string(),
            "0.02"
        );
        assert_eq!(inverse.notional(Price(0), Quantity(10)), None);
    }

    #[test]
    fn filters_name_the_rule_that_is_broken() {
        let instrument = Instrument {
            tick: Price(10),
            step: Quantity(100),
            quantity_min: Quantity(100),
            ..spot()
        };
        let check = |quantity, limit: i64, wanted| {
            let limit = (limit != 0).then_some(Price(limit));
            assert_eq!(
                instrument.check(Quantity(quantity), limit, Some(Price(5_000_000))),
                wanted
            );
        };
        check(100, 5_000_000, Ok(()));
        check(100, 5_000_005, Err(RuleBreach::Tick));
        check(100, -10, Err(RuleBreach::PriceRange));
        check(100, 100_000_010, Err(RuleBreach::PriceRange));
        check(150, 5_000_000, Err(RuleBreach::Step));
        check(0, 5_000_000, Err(RuleBreach::QuantityMin));
        check(900_000_100, 5_000_000, Err(RuleBreach::QuantityMax));
        check(10_000_100, 0, Err(RuleBreach::QuantityMax));
        check(100, 10, Err(RuleBreach::NotionalMin));
    }

    #[test]
    fn rounding_never_gives_more_than_asked_for() {
        let instrument = Instrument {
            tick: Price(10),
            step: Quantity(100),
            ..spot()
        };
        assert_eq!(instrument.round_price(Price(15), Side::Buy), Price(10));
        assert_eq!(instrument.round_price(Price(15), Side::Sell), Price(20));
        assert_eq!(instrument.round_price(Price(20), Side::Sell), Price(20));
        assert_eq!(instrument.floor_quantity(Quantity(-199)), Quantity(-100));
        assert_eq!(
            instrument.quantity_for(Amount::whole(100), Price(5_000_000)),
            Quantity(200)
        );
        assert_eq!(
            instrument.floor_amount("0.00199".parse().unwrap()),
            Quantity(100)
        );
        assert_eq!(instrument.price_from_f64(f64::NAN), None);
    }
}
