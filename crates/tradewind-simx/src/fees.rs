//! What a fill costs.
//!
//! Fees are taken from what the fill brings in, as a spot venue does by default: base from a buyer, quote from a seller.
//! So an order can never run out of money for its own fee.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Liquidity, Ppm};

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
        let unit = 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(self.decimals)));
        let counts = received.mul_div(i128::from(rate.0), i128::from(Ppm::ONE.0) * unit);
        // A product that does not fit cannot come from amounts that do, unless the rate is absurd.
        counts.map_or(Amount::ZERO, |counts| Amount(counts.0 * unit))
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
