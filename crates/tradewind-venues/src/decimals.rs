//! Prices, quantities, levels and stamps out of a venue's JSON, as every venue's codec reads them: exact, without a float.

use tradewind_model::{Amount, Instrument, Level, Price, Quantity, Timestamp, parse_fixed};

use crate::protocol::Ignored;
use crate::wire::json::{Cursor, Finer, Malformed, Value, fixed, whole};

/// A price in the instrument's unit; digits finer than that make it unreadable.
pub(crate) fn price(text: Option<&[u8]>, instrument: &Instrument) -> Result<Price, Ignored> {
    let text = text.ok_or(Ignored::Malformed)?;
    let decimals = instrument.price_decimals;
    match fixed(text, decimals, Finer::Refused) {
        Some(price) => Ok(Price(price)),
        None if fixed(text, decimals, Finer::Cut).is_some() => Err(Ignored::OffGrid),
        None => Err(Ignored::Malformed),
    }
}

/// Sizes of the public market are cut to the instrument's unit: what was ordered before the venue made its step coarser
/// still waits in the book, and a quote must not be lost for it. Our own fills are read exactly, elsewhere.
pub(crate) fn quantity(text: Option<&[u8]>, instrument: &Instrument) -> Result<Quantity, Ignored> {
    text.and_then(|text| fixed(text, instrument.quantity_decimals, Finer::Cut))
        .map(Quantity)
        .ok_or(Ignored::Malformed)
}

/// What a candle traded, in base units.
pub(crate) fn volume(text: Option<&[u8]>) -> Result<Amount, Ignored> {
    text.and_then(|text| std::str::from_utf8(text).ok())
        .and_then(|text| parse_fixed(text, Amount::DECIMALS).ok())
        .filter(|volume| *volume >= 0)
        .map(Amount)
        .ok_or(Ignored::Malformed)
}

/// A stamp in milliseconds, or in microseconds where the connection was opened so: no millisecond has that many digits.
pub(crate) fn instant(stamp: u64) -> Timestamp {
    let stamp = i64::try_from(stamp).unwrap_or(i64::MAX);
    if stamp >= 100_000_000_000_000 {
        Timestamp::from_nanos(stamp.saturating_mul(1_000))
    } else {
        Timestamp::from_millis(stamp)
    }
}

/// The digits of a number, whether the venue writes it as a text or as a number.
pub(crate) const fn digits(value: Value<'_>) -> Option<&[u8]> {
    match value {
        Value::Text(digits) | Value::Number(digits) => Some(digits),
        Value::True | Value::False | Value::Null | Value::Object | Value::Array(_) => None,
    }
}

/// A stamp in milliseconds, as a text or a number.
pub(crate) fn stamp(value: Option<Value<'_>>) -> Result<Timestamp, Ignored> {
    value
        .and_then(digits)
        .and_then(whole)
        .map(instant)
        .ok_or(Ignored::Malformed)
}

/// A number without an exponent: `1.5e-3` as `0.0015`. Venues that write JSON numbers may use either form. At most 64 digits.
pub(crate) fn plain<'a>(text: &'a [u8], space: &'a mut [u8; 64]) -> Option<&'a [u8]> {
    let Some(at) = text.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
        return Some(text);
    };
    let (mantissa, exponent) = (text.get(..at)?, text.get(at + 1..)?);
    let (is_negative, exponent) = match exponent {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let exponent = usize::try_from(whole(exponent)?).ok()?;
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let places = point.map_or(0, |point| mantissa.len() - point - 1);
    let mut digits = mantissa.iter().filter(|byte| **byte != b'.');
    let count = mantissa.len() - usize::from(point.is_some());
    // Where the point comes to stand among the digits, which zeros are put before or behind as needed.
    let lead = (count - places).checked_add(if is_negative { 0 } else { exponent })?;
    let before = if is_negative {
        exponent.saturating_sub(lead - 1)
    } else {
        0
    };
    let whole_part = if is_negative {
        lead.saturating_sub(exponent).max(1)
    } else {
        lead
    };
    let length = (before + count).max(whole_part);
    if count == 0 || length + 1 > space.len() {
        return None;
    }
    let mut written = 0;
    for number in 0..length {
        if number == whole_part {
            space[written] = b'.';
            written += 1;
        }
        space[written] = if number < before {
            b'0'
        } else {
            digits.next().copied().unwrap_or(b'0')
        };
        written += 1;
    }
    space.get(..written)
}

/// A moment such as `2023-10-06T17:35:55.440295Z`, to the nanosecond.
pub(crate) fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    let number = |from: usize, length: usize| {
        whole(text.get(from..from + length)?).and_then(|number| i64::try_from(number).ok())
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let is_marked = marks.iter().all(|(at, mark)| text.get(*at) == Some(mark));
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let fraction = text.get(19..)?.strip_suffix(b"Z")?;
    let nanos = match fraction.strip_prefix(b".") {
        None if fraction.is_empty() => 0,
        Some(digits) if (1..=9).contains(&digits.len()) => {
            let missing = u32::try_from(9 - digits.len()).ok()?;
            i64::try_from(whole(digits)?).ok()? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    let sound = (1970..2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !is_marked || !sound {
        return None;
    }
    // Days since 1970 in a calendar whose years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let seconds = (days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp::from_nanos(seconds * 1_000_000_000 + nanos))
}

/// Reads one side of a book: `[[price, size, …], …]`, as texts or numbers.
pub(crate) fn side(
    array: Option<&[u8]>,
    instrument: &Instrument,
    levels: &mut Vec<Level>,
) -> Result<(), Ignored> {
    let mut cursor = Cursor::of_array(array.ok_or(Ignored::Malformed)?);
    loop {
        match cursor.element() {
            Ok(Some(Value::Array(row))) => levels.push(level(row, instrument)?),
            Ok(None) => return Ok(()),
            Ok(Some(_)) | Err(Malformed) => return Err(Ignored::Malformed),
        }
    }
}

/// `[price, size, …]`.
fn level(row: &[u8], instrument: &Instrument) -> Result<Level, Ignored> {
    let mut cursor = Cursor::of_array(row);
    let mut cell = || match cursor.element() {
        Ok(Some(value)) => digits(value),
        _ => None,
    };
    Ok(Level {
        price: price(cell(), instrument)?,
        quantity: quantity(cell(), instrument)?,
    })
}

/// The first level of a side. A side without one is not wanted: there is no quote without both.
pub(crate) fn best(array: Option<&[u8]>, instrument: &Instrument) -> Result<Level, Ignored> {
    let mut side = Cursor::of_array(array.ok_or(Ignored::Malformed)?);
    match side.element() {
        Ok(Some(Value::Array(row))) => level(row, instrument),
        Ok(None) => Err(Ignored::NotWanted),
        _ => Err(Ignored::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::instrument;

    #[test]
    fn prices_are_exact_and_sizes_are_cut_to_the_unit() {
        let bitcoin = instrument(0, 2, 3);
        let price = |text: &str| price(Some(text.as_bytes()), &bitcoin).map(|price| price.0);
        assert_eq!(price("61837.63"), Ok(6_183_763));
        assert_eq!(price("61837.6300"), Ok(6_183_763));
        assert_eq!(price("61837.631"), Err(Ignored::OffGrid));
        for bad in ["-1", "1e3", "NaN", "", ".5", "99999999999999999999"] {
            assert_eq!(price(bad), Err(Ignored::Malformed), "{bad}");
        }
        let quantity = quantity(Some(b"1.2349"), &bitcoin);
        assert_eq!(quantity, Ok(Quantity(1_234)));
        assert_eq!(super::price(None, &bitcoin), Err(Ignored::Malformed));
        assert_eq!(
            volume(Some(b"0.5")),
            Ok(Amount(500_000_000_000_000_000)),
            "{}",
            Amount::DECIMALS
        );
        assert_eq!(volume(Some(b"-0.5")), Err(Ignored::Malformed));
    }

    #[test]
    fn exponents_are_written_out() {
        let check = |text: &str, wanted: Option<&str>| {
            let mut space = [0; 64];
            let plain =
                plain(text.as_bytes(), &mut space).map(|plain| std::str::from_utf8(plain).unwrap());
            assert_eq!(plain, wanted, "{text}");
        };
        check("105944.20", Some("105944.20"));
        check("1e-5", Some("0.00001"));
        check("1.5e-3", Some("0.0015"));
        check("12.5e-1", Some("1.25"));
        check("12.5E-2", Some("0.125"));
        check("1.25e+1", Some("12.5"));
        check("1.25e2", Some("125"));
        check("1.25e4", Some("12500"));
        check("0e-8", Some("0.00000000"));
        check(
            "1e60",
            Some("1000000000000000000000000000000000000000000000000000000000000"),
        );
        for bad in [
            "1e",
            "e5",
            "1e99999999999999999999",
            "1e400",
            "1e-400",
            "1e5e5",
            ".e5",
        ] {
            let mut space = [0; 64];
            let plain = plain(bad.as_bytes(), &mut space);
            assert_eq!(
                plain.and_then(|plain| fixed(plain, 8, Finer::Refused)),
                None,
                "{bad}"
            );
        }
    }

    #[test]
    fn moments_are_read_to_the_nanosecond() {
        let at = |text: &str| rfc3339(text.as_bytes()).map(Timestamp::as_nanos);
        assert_eq!(at("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            at("2023-10-06T17:35:55.440295Z"),
            Some(1_696_613_755_440_295_000)
        );
        assert_eq!(
            at("2024-02-29T23:59:59.123456789Z"),
            Some(1_709_251_199_123_456_789)
        );
        assert_eq!(
            at("2024-03-01T00:00:00.000000000Z"),
            Some(1_709_251_200_000_000_000)
        );
        for bad in [
            "",
            "2023-10-06",
            "2023-13-06T17:35:55Z",
            "2023-10-06T17:35:55",
            "2023-10-06T17:35:55.Z",
            "2023-10-06 17:35:55Z",
            "2023-10-06T17:35:55+01:00",
            "2023-10-06T17:35:55.1234567890Z",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn stamps_are_texts_or_numbers() {
        let at = Ok(Timestamp::from_millis(1_597_026_383_085));
        assert_eq!(stamp(Some(Value::Text(b"1597026383085"))), at);
        assert_eq!(stamp(Some(Value::Number(b"1597026383085"))), at);
        assert_eq!(stamp(Some(Value::True)), Err(Ignored::Malformed));
        assert_eq!(stamp(None), Err(Ignored::Malformed));
    }
}
