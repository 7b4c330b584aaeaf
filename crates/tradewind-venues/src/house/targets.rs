//! Targets of bots as a message has them: every field is there and what it should be, or one clear error says what is not.

use tradewind_model::Timestamp;

use super::data::{HouseTarget, TargetError};
use super::mapping::{Field, Fields};
use super::numbers::Scaled;

/// Longest name of a bot or an instrument.
const NAME_BYTES_MAX: usize = 255;
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
        exposure: read_as(
            text,
            (Field::Exposure, "exposure"),
            "number",
            Scaled::decimal,
        )?,
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

/// What a field says, as the number that it should be.
fn read_as<'a, T>(
    text: impl Fn(Field, &'static str) -> Result<&'a str, TargetError>,
    (field, word): (Field, &'static str),
    wanted: &'static str,
    convert: impl Fn(Scaled) -> Option<T>,
) -> Result<T, TargetError> {
    let text = text(field, word)?;
    let read = Scaled::parse(text).and_then(convert);
    read.ok_or_else(|| TargetError::Malformed {
        field: word,
        text: text.chars().take(SHOWN_CHARS).collect(),
        wanted,
    })
}
