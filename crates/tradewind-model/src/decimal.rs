//! Exact decimal text: the one scanner and the one printer every price, quantity and amount passes through.
//!
//! The scanner is strict on purpose: an optional minus, digits, an optional point with digits after it. No exponent, no
//! underscore, no plus, no space, no bare point. General parsers accept some of those, and a typing error that is
//! accepted becomes an order.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no number of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Not a plain decimal number.
    #[error("not a plain decimal number")]
    Malformed,
    /// More significant digits after the point than the unit has.
    #[error("more decimal places than the {decimals} allowed")]
    TooPrecise {
        /// Digits after the point that would have been fine.
        decimals: u8,
    },
    /// Too large to be held exactly.
    #[error("out of range")]
    OutOfRange,
}

/// Reads `text` as an integer count of 10^-`decimals` units: `parse_fixed("61837.63", 2)` is 6,183,763.
///
/// Zeros past the allowed places are accepted, since they change nothing.
///
/// # Errors
/// [`NumberError`] names which of the three rules was broken.
pub fn parse_fixed(text: &str, decimals: u8) -> Result<i128, NumberError> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    let mut value: i128 = 0;
    let mut whole = 0_usize;
    let mut places: Option<u8> = None;
    for &byte in digits {
        match (byte, places) {
            (b'0'..=b'9', None) => {
                whole += 1;
                value = push_digit(value, byte)?;
            }
            (b'0'..=b'9', Some(seen)) if seen < decimals => {
                places = Some(seen + 1);
                value = push_digit(value, byte)?;
            }
            (b'0', Some(_)) => {}
            (b'1'..=b'9', Some(_)) => return Err(NumberError::TooPrecise { decimals }),
            (b'.', None) => places = Some(0),
            _ => return Err(NumberError::Malformed),
        }
    }
    if whole == 0 || digits.last() == Some(&b'.') {
        return Err(NumberError::Malformed);
    }
    let missing = u32::from(decimals - places.unwrap_or(0).min(decimals));
    let scaled = 10_i128
        .checked_pow(missing)
        .and_then(|factor| value.checked_mul(factor))
        .ok_or(NumberError::OutOfRange)?;
    Ok(if negative { -scaled } else { scaled })
}

fn push_digit(value: i128, byte: u8) -> Result<i128, NumberError> {
    value
        .checked_mul(10)
        .and_then(|value| value.checked_add(i128::from(byte - b'0')))
        .ok_or(NumberError::OutOfRange)
}

/// Canonical text of `value` × 10^-`decimals`: no trailing zeros, no bare point, `0` for zero.
#[must_use]
pub fn format_fixed(value: i128, decimals: u8) -> String {
    let mut text = String::with_capacity(24);
    write_fixed(&mut text, value, decimals, 0).expect("writing to a String cannot fail");
    text
}

/// Writes `value` × 10^-`decimals` with at least `places` digits after the point.
pub(crate) fn write_fixed(
    out: &mut dyn fmt::Write,
    value: i128,
    decimals: u8,
    places: u8,
) -> fmt::Result {
    let unit = 10_u128
        .checked_pow(u32::from(decimals))
        .unwrap_or(u128::MAX);
    let magnitude = value.unsigned_abs();
    if value < 0 {
        out.write_char('-')?;
    }
    write!(out, "{}", magnitude / unit)?;
    let mut fraction = magnitude % unit;
    let mut width = decimals;
    while width > places && fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    if width > 0 {
        write!(out, ".{fraction:0width$}", width = usize::from(width))?;
    } else if places > 0 {
        out.write_char('.')?;
    }
    (width..places).try_for_each(|_| out.write_char('0'))
}

/// A decimal number that belongs to no unit: a strategy's parameter, a ratio in a file.
///
/// Mantissa and number of decimal places, normalised (no trailing zeros); its order is that of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decimal {
    mantissa: i64,
    decimals: u8,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn whole(value: i64) -> Self {
        Self {
            mantissa: value,
            decimals: 0,
        }
    }

    /// `mantissa` × 10^-`decimals`, normalised.
    #[must_use]
    pub const fn new(mut mantissa: i64, mut decimals: u8) -> Self {
        while decimals > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            decimals -= 1;
        }
        Self { mantissa, decimals }
    }

    /// The nearest `f64`, for indicators and statistics; never for money.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "this is the named, deliberate way out of exactness"
    )]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / power_of_ten(self.decimals)
    }

    /// The value as a whole number, if it is one.
    #[must_use]
    pub const fn as_whole(self) -> Option<i64> {
        if self.decimals == 0 {
            Some(self.mantissa)
        } else {
            None
        }
    }

    /// Digits after the point, zeros at the end apart.
    #[must_use]
    pub const fn places(self) -> u8 {
        self.decimals
    }

    /// The value counted in 10^-`decimals` units, if that is exact.
    #[must_use]
    pub fn scaled(self, decimals: u8) -> Option<i64> {
        let up = decimals.checked_sub(self.decimals)?;
        10_i64
            .checked_pow(u32::from(up))
            .and_then(|factor| self.mantissa.checked_mul(factor))
    }

    /// The value counted in 10^-`decimals` units, rounded towards zero; `None` if that does not fit.
    #[must_use]
    pub fn truncated(self, decimals: u8) -> Option<i64> {
        match self.decimals.checked_sub(decimals) {
            None | Some(0) => self.scaled(decimals),
            Some(down) => {
                let divisor = 10_i64.checked_pow(u32::from(down));
                Some(divisor.map_or(0, |divisor| self.mantissa / divisor))
            }
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Both counted in the finer of the two units; what is too large for that is larger than any mantissa.
        let scaled = |of: &Self, finest: u8| {
            let factor = 10_i128.saturating_pow(u32::from(finest - of.decimals));
            i128::from(of.mantissa).saturating_mul(factor)
        };
        let finest = self.decimals.max(other.decimals);
        scaled(self, finest).cmp(&scaled(other, finest))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Decimal {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let places = text
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let decimals = u8::try_from(places)
            .ok()
            .filter(|places| *places <= 18)
            .ok_or(NumberError::OutOfRange)?;
        let mantissa =
            i64::try_from(parse_fixed(text, decimals)?).map_err(|_| NumberError::OutOfRange)?;
        Ok(Self::new(mantissa, decimals))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, i128::from(self.mantissa), self.decimals, 0)
    }
}

/// 10^`exponent` as `f64`, the same on every platform; exponents above 18 count as 18.
pub(crate) fn power_of_ten(exponent: u8) -> f64 {
    const POWERS: [f64; 19] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18,
    ];
    POWERS[usize::from(exponent.min(18))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_truncated_towards_zero_or_does_not_fit() {
        let check = |mantissa, decimals, wanted| {
            assert_eq!(Decimal::new(mantissa, decimals).truncated(6), wanted);
        };
        check(5, 1, Some(500_000));
        check(3_333_333_333, 10, Some(333_333));
        check(-3_333_333_333, 10, Some(-333_333));
        check(1, 18, Some(0));
        check(1, 30, Some(0));
        check(i64::MAX, 0, None);
    }

    #[test]
    fn decimals_are_ordered_as_numbers_not_as_their_parts() {
        let sorted = [
            "-3",
            "-0.5",
            "0",
            "0.000000000000000001",
            "0.5",
            "3",
            "3.1",
            "10",
        ];
        for pair in sorted.windows(2) {
            let [small, large] = [pair[0], pair[1]].map(|text| text.parse::<Decimal>().unwrap());
            let found = (small.cmp(&large), large.cmp(&small));
            assert_eq!(
                found,
                (Ordering::Less, Ordering::Greater),
                "{small} {large}"
            );
        }
        assert_eq!("0.50".parse::<Decimal>().unwrap(), "0.5".parse().unwrap());
    }

    #[test]
    fn scanner_accepts_plain_decimals_only() {
        let cases: [(&str, u8, Result<i128, NumberError>); 22] = [
            ("61837.63", 2, Ok(6_183_763)),
            ("61837.63000000", 2, Ok(6_183_763)),
            ("0", 8, Ok(0)),
            ("-0.5", 1, Ok(-5)),
            ("7", 3, Ok(7_000)),
            ("007", 0, Ok(7)),
            ("1.005", 2, Err(NumberError::TooPrecise { decimals: 2 })),
            ("", 2, Err(NumberError::Malformed)),
            ("-", 2, Err(NumberError::Malformed)),
            (".5", 2, Err(NumberError::Malformed)),
            ("5.", 2, Err(NumberError::Malformed)),
            ("+5", 2, Err(NumberError::Malformed)),
            ("--5", 2, Err(NumberError::Malformed)),
            (" 5", 2, Err(NumberError::Malformed)),
            ("1e5", 2, Err(NumberError::Malformed)),
            ("1_000", 2, Err(NumberError::Malformed)),
            ("1,000", 2, Err(NumberError::Malformed)),
            ("1.2.3", 2, Err(NumberError::Malformed)),
            ("NaN", 2, Err(NumberError::Malformed)),
            ("0x10", 2, Err(NumberError::Malformed)),
            ("5\u{0660}", 2, Err(NumberError::Malformed)),
            (
                "9999999999999999999999999999999999999999",
                0,
                Err(NumberError::OutOfRange),
            ),
        ];
        for (text, decimals, wanted) in cases {
            assert_eq!(
                parse_fixed(text, decimals),
                wanted,
                "{text:?} with {decimals} decimals"
            );
        }
    }

    #[test]
    fn printer_drops_zeros_unless_places_are_asked_for() {
        let check = |value, decimals, places, wanted: &str| {
            let mut text = String::new();
            write_fixed(&mut text, value, decimals, places).unwrap();
            assert_eq!(text, wanted);
        };
        check(6_183_763, 2, 0, "61837.63");
        check(6_180_000, 2, 0, "61800");
        check(6_180_000, 2, 8, "61800.00000000");
        check(6_183_763, 2, 8, "61837.63000000");
        check(-5, 1, 0, "-0.5");
        check(0, 8, 0, "0");
        check(7, 0, 2, "7.00");
    }

    proptest! {
        #[test]
        fn print_then_parse_is_identity(value in any::<i64>(), decimals in 0_u8..=18) {
            prop_assert_eq!(parse_fixed(&format_fixed(i128::from(value), decimals), decimals), Ok(i128::from(value)));
        }

        #[test]
        fn what_the_scanner_takes_is_a_plain_decimal(text in ".{0,60}", decimals in 0_u8..=30) {
            if parse_fixed(&text, decimals).is_ok() {
                prop_assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.')));
            }
        }
    }
}
