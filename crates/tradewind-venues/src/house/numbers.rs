//! Numbers of a house on an instrument's grid: exact, or refused.

use tradewind_model::{Decimal, Instrument, Price, Quantity, Timestamp, parse_fixed};

/// Most decimal places of a number that comes as a whole number and its places.
const PLACES_MAX: u8 = 18;

/// Furthest that an exponent may move the point, either way.
const EXPONENT_MAX: i16 = 18;

/// A whole number and the places behind the point that it has; negative places are zeros before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    count: i128,
    places: i16,
}

impl Scaled {
    /// A number as a frame has it; `None` with more than 18 places.
    pub(super) fn new(count: i64, places: u8) -> Option<Self> {
        (places <= PLACES_MAX).then(|| Self {
            count: i128::from(count),
            places: i16::from(places),
        })
    }

    /// A number as it is written in a text: plain, or with an exponent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::short(text.as_bytes()).or_else(|| Self::long(text))
    }

    /// Digits that a machine word holds, with a point or none, as almost all numbers are; anything else is left to
    /// [`long`](Self::long).
    fn short(text: &[u8]) -> Option<Self> {
        if text.len() > usize::from(PLACES_MAX) {
            return None;
        }
        let (mut count, mut point) = (0_i64, None);
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => count = count * 10 + i64::from(byte - b'0'),
                b'.' if point.is_none() && at > 0 => point = Some(at),
                _ => return None,
            }
        }
        let places = point.map_or(0, |point| text.len() - point - 1);
        let is_whole = !text.is_empty() && (places > 0 || point.is_none());
        is_whole.then_some(Self {
            count: i128::from(count),
            places: i16::try_from(places).ok()?,
        })
    }

    fn long(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            None => (text, 0),
            Some((digits, exponent)) => {
                let exponent: i16 = exponent.parse().ok()?;
                let is_near = (-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent);
                (digits, is_near.then_some(exponent)?)
            }
        };
        let count = parse_fixed(digits, PLACES_MAX).ok()?;
        Some(Self {
            count,
            places: i16::from(PLACES_MAX) - exponent,
        })
    }

    /// The same number as a count of 10^-`places`; `None` if that is not exact or does not fit.
    fn to_places(self, places: u8) -> Option<i64> {
        let more = i16::from(places) - self.places;
        if let Ok(count) = i64::try_from(self.count)
            && let Some(power) = 10_i64.checked_pow(u32::from(more.unsigned_abs()))
        {
            return match more {
                0.. => count.checked_mul(power),
                _ => (count % power == 0).then(|| count / power),
            };
        }
        let power = |places: i16| 10_i128.checked_pow(u32::try_from(places).ok()?);
        let moved = if self.count == 0 {
            0
        } else if more >= 0 {
            self.count.checked_mul(power(more)?)?
        } else {
            let divisor = power(-more)?;
            (self.count % divisor == 0).then(|| self.count / divisor)?
        };
        i64::try_from(moved).ok()
    }

    /// As a price of `instrument`, which is above zero.
    pub(super) fn price(self, instrument: &Instrument) -> Option<Price> {
        let price = self.to_places(instrument.price_decimals).map(Price);
        price.filter(|price| price.0 > 0)
    }

    /// As a quantity of `instrument`, which is not negative.
    pub(super) fn quantity(self, instrument: &Instrument) -> Option<Quantity> {
        let quantity = self.to_places(instrument.quantity_decimals).map(Quantity);
        quantity.filter(|quantity| quantity.0 >= 0)
    }

    /// As a number of a series: without zeros behind its last digit, 18 places at most.
    pub(super) fn decimal(self) -> Option<Decimal> {
        let mut reduced = self;
        while reduced.places > 0 && reduced.count % 10 == 0 {
            (reduced.count, reduced.places) = (reduced.count / 10, reduced.places - 1);
        }
        let places = u8::try_from(reduced.places.max(0)).ok()?;
        let mantissa = reduced.to_places(places).filter(|_| places <= PLACES_MAX)?;
        Some(Decimal::new(mantissa, places))
    }

    /// The same towards zero, where it has more than 18 places.
    pub(super) fn cut_decimal(mut self) -> Option<Decimal> {
        while self.places > i16::from(PLACES_MAX) {
            (self.count, self.places) = (self.count / 10, self.places - 1);
        }
        self.decimal()
    }

    /// As a number of messages.
    pub(super) fn number(self) -> Option<u64> {
        u64::try_from(self.to_places(0)?).ok()
    }

    /// As a time since 1970, in a unit of 10^-`places` s. What is finer than a nanosecond is cut off.
    pub(super) fn instant(self, places: u8) -> Option<Timestamp> {
        let nanos = Self {
            count: self.count,
            places: self.places + i16::from(places),
        };
        if nanos.places <= 9 {
            return nanos.moment();
        }
        let finer = 10_i128.checked_pow(u32::try_from(nanos.places - 9).ok()?)?;
        let whole = Self {
            count: nanos.count - nanos.count % finer,
            ..nanos
        };
        whole.moment()
    }

    /// As a count of nanoseconds at 9 places.
    fn moment(self) -> Option<Timestamp> {
        let nanos = self.to_places(9).filter(|nanos| *nanos >= 0);
        nanos.map(Timestamp::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_moved_exactly_or_refused() {
        let check = |count, places, wanted: u8, result| {
            let got = Scaled::new(count, places).and_then(|number| number.to_places(wanted));
            assert_eq!(got, result, "{count} at {places} as {wanted}");
        };
        check(123, 2, 2, Some(123));
        check(123, 2, 4, Some(12_300));
        check(12_300, 4, 2, Some(123));
        check(12_301, 4, 2, None);
        check(i64::MAX, 0, 1, None);
        check(i64::MIN, 0, 0, Some(i64::MIN));
        check(1, 19, 19, None);
        check(1, 255, 8, None);
        check(0, 18, 0, Some(0));
    }

    #[test]
    fn a_text_is_read_exactly_or_refused() {
        let check = |text, wanted: u8, result| {
            let got = Scaled::parse(text).and_then(|number| number.to_places(wanted));
            assert_eq!(got, result, "{text} as {wanted}");
        };
        check("61837.63", 2, Some(6_183_763));
        check("61837.630000", 2, Some(6_183_763));
        check("61837.631", 2, None);
        check("1e-05", 5, Some(1));
        check("1.5E3", 0, Some(1_500));
        check("1.5e+3", 0, Some(1_500));
        check("-0.5", 1, Some(-5));
        check("0e9", 0, Some(0));
        check("000000000000000001", 0, Some(1));
        check("0000000000000000001", 0, Some(1));
        check("999999999999999999", 0, Some(999_999_999_999_999_999));
        check("1000000000000000000", 0, Some(1_000_000_000_000_000_000));
        check("0.1234567890123456", 16, Some(1_234_567_890_123_456));
        check("0.12345678901234567", 17, Some(12_345_678_901_234_567));
        check("1.2.3", 2, None);
        for refused in [
            "",
            "e",
            "1e",
            "e1",
            "1e400",
            "NaN",
            "inf",
            "0x1",
            " 1",
            "1 ",
            "1_0",
            "+1",
            ".5",
            "5.",
            "1e1.5",
            "1e-5e2",
            "99999999999999999999999999999999999999999",
        ] {
            check(refused, 8, None);
        }
    }

    #[test]
    fn a_number_of_a_series_is_exact_or_refused() {
        let check = |text, wanted: Option<(i64, u8)>| {
            let got = Scaled::parse(text).and_then(Scaled::decimal);
            let wanted = wanted.map(|(mantissa, places)| Decimal::new(mantissa, places));
            assert_eq!(got, wanted, "{text}");
        };
        check("-0.000125", Some((-125, 6)));
        check("12.5000", Some((125, 1)));
        check("1.5e3", Some((1_500, 0)));
        check("0", Some((0, 0)));
        check("1e18", Some((1_000_000_000_000_000_000, 0)));
        check("1e-18", Some((1, 18)));
        check("1e-19", None);
        check("9e18", Some((9_000_000_000_000_000_000, 0)));
        check("10e18", None);
    }

    #[test]
    fn a_time_has_the_unit_that_is_configured() {
        let check = |text, places, nanos: Option<i64>| {
            let got = Scaled::parse(text).and_then(|number| number.instant(places));
            assert_eq!(got, nanos.map(Timestamp::from_nanos), "{text}");
        };
        check("1700000000", 0, Some(1_700_000_000_000_000_000));
        check("1700000000.123", 0, Some(1_700_000_000_123_000_000));
        check("1700000000123", 3, Some(1_700_000_000_123_000_000));
        check("1700000000123.4567891", 3, Some(1_700_000_000_123_456_789));
        check("1700000000123456789", 9, Some(1_700_000_000_123_456_789));
        check("1.7e12", 3, Some(1_700_000_000_000_000_000));
        check("-1", 3, None);
        check("1700000000123456789", 0, None);
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in ".{0,30}", wanted in 0_u8..9) {
            let _answer = Scaled::parse(&text).map(|number| (number.to_places(wanted), number.instant(wanted)));
        }

        /// The two readers of a number agree, also where one ends and with zeros in front.
        #[test]
        fn a_short_number_is_what_the_long_way_makes_of_it(text in "0{0,3}[0-9]{0,19}|[0-9.]{0,20}|[0-9]{0,18}\\.[0-9]{0,18}") {
            if let Some(short) = Scaled::short(text.as_bytes()) {
                let long = Scaled::long(&text);
                prop_assert!(long.is_some(), "{}", text);
                for places in 0..=PLACES_MAX {
                    prop_assert_eq!(Some(short.to_places(places)), long.map(|long| long.to_places(places)), "{}", text);
                    prop_assert_eq!(Some(short.instant(places)), long.map(|long| long.instant(places)), "{}", text);
                }
                prop_assert_eq!(Some(short.decimal()), long.map(Scaled::decimal), "{}", text);
            } else if text.len() <= usize::from(PLACES_MAX) {
                prop_assert_eq!(Scaled::long(&text), None, "{}", text);
            }
        }
    }
}
