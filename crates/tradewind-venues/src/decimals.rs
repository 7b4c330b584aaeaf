//! Prices, quantities, levels and stamps out of a venue's JSON, as every venue's codec reads them: exact, without a float.

use tradewind_model::{Amount, Instrument, Level, Price, Quantity, Timestamp, parse_fixed};

use crate::protocol::Ignored;
use crate::wire::json::{Cursor, Finer, Malformed, Value, fixed, whole};

/// A price in the instrument's unit; digits finer than that make it unreadable.
pub(crate) fn price(text: Option<&[u8]>, instrument: &Instrument) -> Result<Price, Ignored> {
    text.and_then(|text| fixed(text, instrument.price_decimals, Finer::Refused))
        .map(Price)
        .ok_or(Ignored::Malformed)
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

/// The first level of a side. A side without one is malformed: there is no quote without both.
pub(crate) fn best(array: Option<&[u8]>, instrument: &Instrument) -> Result<Level, Ignored> {
    let mut side = Cursor::of_array(array.ok_or(Ignored::Malformed)?);
    match side.element() {
        Ok(Some(Value::Array(row))) => level(row, instrument),
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
        for bad in [
            "61837.631",
            "-1",
            "1e3",
            "NaN",
            "",
            ".5",
            "99999999999999999999",
        ] {
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
    fn stamps_are_texts_or_numbers() {
        let at = Ok(Timestamp::from_millis(1_597_026_383_085));
        assert_eq!(stamp(Some(Value::Text(b"1597026383085"))), at);
        assert_eq!(stamp(Some(Value::Number(b"1597026383085"))), at);
        assert_eq!(stamp(Some(Value::True)), Err(Ignored::Malformed));
        assert_eq!(stamp(None), Err(Ignored::Malformed));
    }
}
