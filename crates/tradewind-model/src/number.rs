//! Price, quantity, money: three kinds of number that cannot be mixed up.
//!
//! A [`Price`] or [`Quantity`] is a bare count; what one count is worth is known to the instrument, so arithmetic with
//! dimensions goes through [`Instrument`](crate::Instrument). An [`Amount`] always counts 10^-18 units of its asset.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decimal::{NumberError, parse_fixed, write_fixed};
use crate::id::AssetId;

/// Sums, differences and the negative of a count, all checked: a wrapped number would be worse than a halt.
macro_rules! checked_arithmetic {
    ($number:ident, $reason:literal) => {
        impl Add for $number {
            type Output = Self;

            /// # Panics
            /// On overflow, which means that a number was wrong long before.
            fn add(self, other: Self) -> Self {
                Self(self.0.checked_add(other.0).expect($reason))
            }
        }

        impl Sub for $number {
            type Output = Self;

            /// # Panics
            /// On overflow, as for addition.
            fn sub(self, other: Self) -> Self {
                Self(self.0.checked_sub(other.0).expect($reason))
            }
        }

        impl Neg for $number {
            type Output = Self;

            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl AddAssign for $number {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $number {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
    };
}

checked_arithmetic!(Quantity, "quantities stay far below 2^63");
checked_arithmetic!(Amount, "amounts stay far below 2^127");

/// A price: count of 10^-`price_decimals` quote units per base unit, as the instrument defines.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(pub i64);

/// A signed quantity: count of 10^-`quantity_decimals` base units (or contracts), as the instrument defines.
///
/// Orders and fills carry positive quantities and a [`Side`](crate::Side); positions carry the sign themselves.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(pub i64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whether this is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The quantity without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

/// An amount of some asset: a count of 10^-18 units, exact to ±1.7 × 10^20 units.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(pub i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Decimal places held.
    pub const DECIMALS: u8 = 18;
    /// One whole unit of the asset.
    pub const ONE: Self = Self(1_000_000_000_000_000_000);

    /// A whole number of units.
    #[must_use]
    pub const fn whole(units: i64) -> Self {
        Self(units as i128 * Self::ONE.0)
    }

    /// Whether this is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// `self` × `numerator` / `denominator`, rounded half to even; `None` when it does not fit or `denominator` is 0.
    #[must_use]
    pub fn mul_div(self, numerator: i128, denominator: i128) -> Option<Self> {
        if let Some(product) = self.0.checked_mul(numerator) {
            return round_half_even(product, denominator).map(Self);
        }
        // Too wide as it stands: the factors that cancel out are taken away first.
        let common =
            i128::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
        let product = self.0.checked_mul(numerator.checked_div(common)?)?;
        round_half_even(product, denominator / common).map(Self)
    }

    /// This share of the amount, rounded half to even.
    #[must_use]
    pub fn share(self, share: Ppm) -> Option<Self> {
        self.mul_div(i128::from(share.0), i128::from(Ppm::ONE.0))
    }

    /// The nearest `f64`, for display and statistics only.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "this is the named, deliberate way out of exactness"
    )]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e18
    }

    /// Text with exactly `places` digits after the point, as a venue needs it; digits beyond `places` are cut off, not rounded.
    #[must_use]
    pub fn to_text(self, places: u8) -> String {
        let cut = 10_i128.pow(u32::from(Self::DECIMALS.saturating_sub(places)));
        let mut text = String::with_capacity(24);
        write_fixed(&mut text, self.0 / cut, places.min(Self::DECIMALS), places)
            .expect("writing to a String cannot fail");
        text
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.0, Self::DECIMALS, 0)
    }
}

impl FromStr for Amount {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_fixed(text, Self::DECIMALS).map(Self)
    }
}

/// An amount together with what it is an amount of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The asset.
    pub asset: AssetId,
    /// How much of it.
    pub amount: Amount,
}

/// A ratio in parts per million: limits, exposures, offsets, fees. 1,000,000 is one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ppm(pub i64);

impl Ppm {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000_000);
}

impl FromStr for Ppm {
    type Err = NumberError;

    /// Reads a fraction: `"0.05"` is 50,000 parts per million.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        i64::try_from(parse_fixed(text, 6)?)
            .map(Self)
            .map_err(|_| NumberError::OutOfRange)
    }
}

impl fmt::Display for Ppm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, i128::from(self.0), 6, 0)
    }
}

const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `numerator` / `denominator` rounded half to even; `None` for a zero denominator.
pub(crate) fn round_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let remainder = numerator.checked_rem(denominator)?;
    let twice = remainder.unsigned_abs().checked_mul(2)?;
    let away = match twice.cmp(&denominator.unsigned_abs()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    if !away {
        return Some(quotient);
    }
    quotient.checked_add(if (numerator < 0) == (denominator < 0) {
        1
    } else {
        -1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even_on_both_sides_of_zero() {
        let cases = [
            (5, 2, 2),
            (7, 2, 4),
            (-5, 2, -2),
            (-7, 2, -4),
            (5, -2, -2),
            (1, 3, 0),
            (2, 3, 1),
            (-2, 3, -1),
        ];
        for (numerator, denominator, wanted) in cases {
            assert_eq!(
                round_half_even(numerator, denominator),
                Some(wanted),
                "{numerator}/{denominator}"
            );
        }
        assert_eq!(round_half_even(1, 0), None);
    }

    #[test]
    fn amounts_read_and_print_exactly() {
        let amount: Amount = "-20.885".parse().unwrap();
        assert_eq!(amount.to_string(), "-20.885");
        assert_eq!(amount.to_text(8), "-20.88500000");
        assert_eq!(
            Amount::whole(1).share(Ppm(1)).unwrap().to_string(),
            "0.000001"
        );
        assert_eq!("0.000000000000000001".parse(), Ok(Amount(1)));
        assert_eq!(
            "0.0000000000000000001".parse::<Amount>(),
            Err(NumberError::TooPrecise { decimals: 18 })
        );
    }
}
