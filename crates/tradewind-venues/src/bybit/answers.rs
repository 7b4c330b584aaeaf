//! Reads Bybit's REST answers. Pure.

use std::borrow::Cow;

use serde::Deserialize;
use tradewind_model::{Candle, Instrument, Interval, Timestamp};

use super::codec;
use crate::error::{VenueError, cut};
use crate::wire::json::{Value, parse};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a, T> {
    ret_code: i32,
    #[serde(borrow, default)]
    ret_msg: Cow<'a, str>,
    result: Option<T>,
    #[serde(default)]
    time: i64,
}

/// The result of an answer, and the venue's time.
pub(super) fn result<'a, T: Deserialize<'a>>(
    what: &'static str,
    body: &'a [u8],
) -> Result<(T, Timestamp), VenueError> {
    let answer: Answer<'a, T> = parse(what, body)?;
    if answer.ret_code != 0 {
        return Err(VenueError::Refused {
            status: 200,
            code: answer.ret_code,
            text: cut(&answer.ret_msg),
        });
    }
    let result = answer
        .result
        .ok_or_else(|| VenueError::unreadable(what, "no result"))?;
    Ok((result, Timestamp::from_millis(answer.time)))
}

#[derive(Deserialize)]
struct Candles<'a> {
    #[serde(borrow)]
    list: Vec<[&'a str; 7]>,
}

/// `GET /v5/market/kline`: candles that had closed when the venue answered, oldest first. The venue sends the newest first.
///
/// # Errors
/// See [`VenueError`].
pub fn decode_candles(
    body: &[u8],
    instrument: &Instrument,
    interval: Interval,
) -> Result<Vec<Candle>, VenueError> {
    let (answer, now): (Candles<'_>, _) = result("candles", body)?;
    let candle = |row: &[&str; 7]| {
        let [start, cells @ .., _] = row.map(str::as_bytes);
        codec::closed_candle(
            Some(Value::Text(start)),
            cells.map(Some),
            interval,
            instrument,
        )
        .map_err(|_| VenueError::unreadable("candles", cut(&row.join(","))))
    };
    let read: Result<Vec<Candle>, VenueError> = answer.list.iter().map(candle).collect();
    let mut candles = read?;
    candles.retain(|candle| candle.close_time() <= now);
    candles.sort_by_key(|candle| candle.open_time);
    Ok(candles)
}
