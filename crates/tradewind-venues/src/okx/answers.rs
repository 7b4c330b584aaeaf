//! Reads OKX's REST answers. Pure.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use tradewind_model::{Candle, Instrument, Interval, MarketEvent};

use super::codec;
use crate::error::{VenueError, cut};
use crate::protocol::Incoming;
use crate::wire::json::parse;

#[derive(Deserialize)]
struct Answer<'a, T> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow, default)]
    msg: Cow<'a, str>,
    data: Option<T>,
}

/// The data of an answer.
pub(super) fn data<'a, T: Deserialize<'a>>(
    what: &'static str,
    body: &'a [u8],
) -> Result<T, VenueError> {
    let answer: Answer<'a, T> = parse(what, body)?;
    if answer.code != "0" {
        return Err(VenueError::Refused {
            status: 200,
            code: answer.code.parse().unwrap_or(0),
            text: cut(&answer.msg),
        });
    }
    answer
        .data
        .ok_or_else(|| VenueError::unreadable(what, "no data"))
}

/// `GET /api/v5/market/candles` or `history-candles`: closed candles, oldest first. The venue sends the newest first.
///
/// # Errors
/// See [`VenueError`].
pub fn decode_candles(
    body: &[u8],
    instrument: &Instrument,
    interval: Interval,
) -> Result<Vec<Candle>, VenueError> {
    let rows: Vec<&RawValue> = data("candles", body)?;
    let mut candles = Vec::with_capacity(rows.len());
    for row in rows {
        match codec::candle(row.get().as_bytes(), interval, instrument) {
            Ok(Incoming::Event {
                event: MarketEvent::Candle(candle),
                ..
            }) => candles.push(candle),
            Ok(_) => {}
            Err(_) => return Err(VenueError::unreadable("candles", cut(row.get()))),
        }
    }
    candles.sort_by_key(|candle| candle.open_time);
    Ok(candles)
}
