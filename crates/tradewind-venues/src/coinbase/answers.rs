//! Reads Coinbase's REST answers. Pure.

use serde::Deserialize;
use tradewind_model::{Candle, Instrument, Interval, Timestamp};

use crate::decimals::{price, volume};
use crate::error::{VenueError, cut};
use crate::protocol::Ignored;
use crate::wire::json::parse;

/// The venue's names of the intervals that can be requested.
const GRANULARITIES: [(Interval, &str); 8] = [
    (Interval::Minute1, "ONE_MINUTE"),
    (Interval::Minute5, "FIVE_MINUTE"),
    (Interval::Minute15, "FIFTEEN_MINUTE"),
    (Interval::Minute30, "THIRTY_MINUTE"),
    (Interval::Hour1, "ONE_HOUR"),
    (Interval::Hour2, "TWO_HOUR"),
    (Interval::Hour6, "SIX_HOUR"),
    (Interval::Day1, "ONE_DAY"),
];

/// The name of an interval; one that the venue does not know where it has none.
pub(crate) fn granularity(interval: Interval) -> &'static str {
    let mut all = GRANULARITIES.iter();
    all.find(|(listed, _)| *listed == interval)
        .map_or("UNKNOWN_GRANULARITY", |(_, name)| name)
}

#[derive(Deserialize)]
struct Candles<'a> {
    #[serde(borrow)]
    candles: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    start: &'a str,
    low: &'a str,
    high: &'a str,
    open: &'a str,
    close: &'a str,
    volume: &'a str,
}

/// `GET /api/v3/brokerage/market/products/{id}/candles`: candles that have closed `now`, oldest first. The venue sends the newest
/// first and does not say which is open.
///
/// # Errors
/// See [`VenueError`].
pub fn decode_candles(
    body: &[u8],
    instrument: &Instrument,
    interval: Interval,
    now: Timestamp,
) -> Result<Vec<Candle>, VenueError> {
    let answer: Candles<'_> = parse("candles", body)?;
    let candle = |row: &Row<'_>| {
        let read = || {
            let start: i64 = row.start.parse().map_err(|_| Ignored::Malformed)?;
            let number = |text: &str| price(Some(text.as_bytes()), instrument);
            Ok::<_, Ignored>(Candle {
                instrument: instrument.id,
                interval,
                complete: true,
                open_time: Timestamp::from_secs(start),
                open: number(row.open)?,
                high: number(row.high)?,
                low: number(row.low)?,
                close: number(row.close)?,
                volume: volume(Some(row.volume.as_bytes()))?,
            })
        };
        let is_aligned = |candle: &Candle| interval.open_time(candle.open_time) == candle.open_time;
        let read = read().ok().filter(is_aligned);
        read.ok_or_else(|| VenueError::unreadable("candles", cut(row.start)))
    };
    let read: Result<Vec<Candle>, VenueError> = answer.candles.iter().map(candle).collect();
    let mut candles = read?;
    candles.retain(|candle| candle.close_time() <= now);
    candles.sort_by_key(|candle| candle.open_time);
    Ok(candles)
}
