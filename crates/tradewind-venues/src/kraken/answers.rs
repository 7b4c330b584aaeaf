//! Reads Kraken's REST answers. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use tradewind_model::{Candle, Instrument, Interval, Timestamp};

use crate::decimals::{price, volume};
use crate::error::{VenueError, cut};
use crate::wire::json::parse;

#[derive(Deserialize)]
struct Answer<'a, T> {
    #[serde(borrow)]
    error: Vec<Cow<'a, str>>,
    result: Option<T>,
}

/// The result of an answer; its errors are texts.
pub(super) fn result<'a, T: Deserialize<'a>>(
    what: &'static str,
    body: &'a [u8],
) -> Result<T, VenueError> {
    let answer: Answer<'a, T> = parse(what, body)?;
    if !answer.error.is_empty() {
        return Err(VenueError::Refused {
            status: 200,
            code: 0,
            text: cut(&answer.error.join(", ")),
        });
    }
    answer
        .result
        .ok_or_else(|| VenueError::unreadable(what, "no result"))
}

/// `[time, open, high, low, close, vwap, volume, trades]`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "an array has each of its places")]
struct Row<'a>(
    i64,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    u64,
);

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry<'a> {
    Rows(#[serde(borrow)] Vec<Row<'a>>),
    /// Up to which candle all are closed, in seconds.
    Last(i64),
}

/// `GET /0/public/OHLC`: closed candles, oldest first. The venue adds the one that is open, and says which is the last closed one.
///
/// # Errors
/// See [`VenueError`].
pub fn decode_candles(
    body: &[u8],
    instrument: &Instrument,
    interval: Interval,
) -> Result<Vec<Candle>, VenueError> {
    let entries: BTreeMap<&str, Entry<'_>> = result("candles", body)?;
    let unreadable = |why: &str| VenueError::unreadable("candles", why);
    let Some(Entry::Last(last)) = entries.get("last") else {
        return Err(unreadable("no last closed candle"));
    };
    let mut rows = entries.values().filter_map(|entry| match entry {
        Entry::Rows(rows) => Some(rows),
        Entry::Last(_) => None,
    });
    let rows = rows.next().ok_or_else(|| unreadable("no pair"))?;
    let number = |text: &str| price(Some(text.as_bytes()), instrument);
    let candle = |row: &Row<'_>| {
        let open_time = Timestamp::from_secs(row.0);
        let read = || {
            Ok::<_, crate::protocol::Ignored>(Candle {
                instrument: instrument.id,
                interval,
                complete: true,
                open_time,
                open: number(row.1)?,
                high: number(row.2)?,
                low: number(row.3)?,
                close: number(row.4)?,
                volume: volume(Some(row.6.as_bytes()))?,
            })
        };
        let is_aligned = interval.open_time(open_time) == open_time;
        read()
            .ok()
            .filter(|_| is_aligned)
            .ok_or_else(|| unreadable(&format!("the candle of {}", row.0)))
    };
    rows.iter()
        .filter(|row| row.0 <= *last)
        .map(candle)
        .collect()
}
