//! Targets of bots as a message has them: every field is there and what it should be, or one clear error says what is not.

use tradewind_model::{Decimal, Timestamp};

use super::data::{HouseTarget, TargetError};
use super::mapping::{Field, Fields};
use super::numbers::Scaled;

/// Longest name of a bot or an instrument.
const NAME_BYTES_MAX: usize = 255;
/// Most places behind the point of an exposure; further ones are cut off.
const PLACES_MAX: usize = 18;
/// How much of a wrong text an error shows.
const SHOWN_CHARS: usize = 40;

/// Reads a target of a message. Its times are in a unit of 10^-`time_places` s.
pub(super) fn read(
    fields: &Fields<'_>,
    time_places: u8,
    received_at: Timestamp,
) -> Result<HouseTarget, TargetError> {
    let text = |field, word| fields.get(field).ok_or(TargetError::Missing(word));
    let sequence = match fields.get(Field::Sequence) {
        None => None,
        Some(_) => Some(read_as(
            text,
            (Field::Sequence, "sequence"),
            "whole number",
            Scaled::number,
        )?),
    };
    let instant = |number: Scaled| number.instant(time_places);
    Ok(HouseTarget {
        bot: name(text(Field::Bot, "bot")?, "bot")?,
        instrument: name(text(Field::Instrument, "instrument")?, "instrument")?,
        exposure: exposure(text(Field::Exposure, "exposure")?)?,
        event_time: read_as(text, (Field::Time, "time"), "time", instant)?,
        expires: read_as(text, (Field::Expires, "expires"), "time", instant)?,
        sequence,
        received_at,
    })
}

/// A name of a target.
pub(super) fn name(text: &str, word: &'static str) -> Result<String, TargetError> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(TargetError::Name(word));
    }
    Ok(text.to_owned())
}

/// The exposure, towards zero to 18 places: many more are written where it was divided.
fn exposure(text: &str) -> Result<Decimal, TargetError> {
    let end = text.find(['e', 'E']).unwrap_or(text.len());
    let (digits, exponent) = text.split_at(end);
    let cut = match digits.split_once('.') {
        Some((whole, places)) if is_long(places) => places
            .get(..PLACES_MAX)
            .map(|places| format!("{whole}.{places}{exponent}")),
        _ => None,
    };
    let read = Scaled::parse(cut.as_deref().unwrap_or(text)).and_then(Scaled::cut_decimal);
    read.ok_or_else(|| malformed("exposure", text, "number"))
}

/// Whether these are more digits than a number may have behind its point.
fn is_long(places: &str) -> bool {
    places.len() > PLACES_MAX && places.bytes().all(|digit| digit.is_ascii_digit())
}

/// What a field says, as the number that it should be.
fn read_as<'a, T>(
    text: impl Fn(Field, &'static str) -> Result<&'a str, TargetError>,
    (field, word): (Field, &'static str),
    wanted: &'static str,
    convert: impl Fn(Scaled) -> Option<T>,
) -> Result<T, TargetError> {
    let text = text(field, word)?;
    let read = Scaled::parse(text).and_then(convert);
    read.ok_or_else(|| malformed(word, text, wanted))
}

fn malformed(field: &'static str, text: &str, wanted: &'static str) -> TargetError {
    TargetError::Malformed {
        field,
        text: text.chars().take(SHOWN_CHARS).collect(),
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exposure_is_cut_towards_zero_where_it_has_too_many_places() {
        let check = |text: &str, wanted: &str| {
            assert_eq!(exposure(text).unwrap(), wanted.parse().unwrap(), "{text}");
        };
        check("0.5", "0.5");
        check("1.0000004", "1.0000004");
        check("3.3333333333333333e-05", "0.000033333333333333");
        check("-1e-18", "-0.000000000000000001");
        check("-1.5e-18", "-0.000000000000000001");
        check("0.33333333333333333333333", "0.333333333333333333");
        check("1.00000000000000000000", "1");
        for refused in ["", ".", "0.333333333333333333333x", "1e400", "99999999999"] {
            assert_eq!(
                exposure(refused).is_ok(),
                refused == "99999999999",
                "{refused}"
            );
        }
    }
}
