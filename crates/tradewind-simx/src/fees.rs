//! What a fill costs.
//!
//! Fees are taken from what the fill brings in, as a spot venue does by default: base from a buyer, quote from a seller.
//! So an order can never run out of money for its own fee. An account may choose to pay in the exchange's fee asset
//! instead, at a discount; when it has none left, its fees are taken from what comes in again.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, AssetId, Liquidity, Ppm};

/// Rates of one kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// Share of a fill that waited.
    pub maker: Ppm,
    /// Share of a fill that took.
    pub taker: Ppm,
}

/// Rates and how they are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeSchedule {
    /// The rates.
    pub rates: Fees,
    /// Decimal places a fee is rounded to, half to even; at most 18.
    ///
    /// Venues count balances in 8 places, so a finer fee would leave balances that no wire of theirs can tell.
    pub decimals: u8,
}

/// An asset in which fees are cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeAsset {
    /// Which. It must be traded against a fill's quote asset, or that fill pays in what it brings in.
    pub asset: AssetId,
    /// The share of the fee that is left out.
    pub discount: Ppm,
}

/// What an account pays its fees in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeeChoice {
    /// What the fill brings in.
    #[default]
    Received,
    /// The fee asset, as long as there is enough of it.
    FeeAsset,
}

impl FeeAsset {
    /// What is left of `fee` after the discount.
    pub(crate) fn discounted(&self, fee: Amount) -> Amount {
        fee.share(Ppm(Ppm::ONE.0 - self.discount.0)).unwrap_or(fee)
    }
}

impl Default for FeeSchedule {
    /// A tenth of a per cent on both sides, in 8 decimal places.
    fn default() -> Self {
        Self {
            rates: Fees {
                maker: Ppm(1_000),
                taker: Ppm(1_000),
            },
            decimals: 8,
        }
    }
}

impl FeeSchedule {
    /// No fees.
    pub const FREE: Self = Self {
        rates: Fees {
            maker: Ppm::ZERO,
            taker: Ppm::ZERO,
        },
        decimals: 8,
    };

    /// The fee on `received`, in the asset received.
    #[must_use]
    pub fn fee(&self, received: Amount, liquidity: Liquidity) -> Amount {
        let rate = match liquidity {
            Liquidity::Maker => self.rates.maker,
            Liquidity::Taker => self.rates.taker,
        };
        if rate.0 == 0 {
            return Amount::ZERO;
        }
        // A product that does not fit cannot come from amounts that do, unless the rate is absurd.
        received
            .mul_div(i128::from(rate.0), i128::from(Ppm::ONE.0) * self.unit())
            .map_or(Amount::ZERO, |counts| Amount(counts.0 * self.unit()))
    }

    /// The fee on something worth `worth`, to the last digit of an amount.
    pub(crate) fn exact(&self, worth: Amount, liquidity: Liquidity) -> Option<Amount> {
        worth.share(match liquidity {
            Liquidity::Maker => self.rates.maker,
            Liquidity::Taker => self.rates.taker,
        })
    }

    /// `amount` rounded half to even to the decimals of fees.
    pub(crate) fn round(&self, amount: Amount) -> Amount {
        amount
            .mul_div(1, self.unit())
            .map_or(Amount::ZERO, |counts| Amount(counts.0 * self.unit()))
    }

    /// One count of a fee in the units of [`Amount`].
    fn unit(&self) -> i128 {
        10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(self.decimals)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_round_half_to_even_at_the_venues_precision() {
        let schedule = FeeSchedule {
            rates: Fees {
                maker: Ppm(750),
                taker: Ppm(1_000),
            },
            decimals: 8,
        };
        let cases = [
            ("1", Liquidity::Taker, "0.001"),
            ("1", Liquidity::Maker, "0.00075"),
            ("1236.7526", Liquidity::Taker, "1.2367526"),
            ("0.000015", Liquidity::Taker, "0.00000002"),
            ("0.000025", Liquidity::Taker, "0.00000002"),
            ("0.0000049", Liquidity::Taker, "0"),
        ];
        for (received, liquidity, wanted) in cases {
            let fee = schedule.fee(received.parse().unwrap(), liquidity);
            assert_eq!(fee.to_string(), wanted, "{received} {liquidity:?}");
        }
        assert_eq!(
            FeeSchedule::FREE.fee(Amount::ONE, Liquidity::Taker),
            Amount::ZERO
        );
    }
}
