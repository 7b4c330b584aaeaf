//! Candles: price and volume over an interval, and how trades are folded into them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::InstrumentId;
use crate::number::{Amount, Price};
use crate::time::Timestamp;

/// The length of a candle. Intervals are aligned to the epoch in UTC, weeks to Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[repr(u8)]
#[expect(missing_docs, reason = "each name is its length")]
pub enum Interval {
    Second1,
    Minute1,
    Minute3,
    Minute5,
    Minute15,
    Minute30,
    Hour1,
    Hour2,
    Hour4,
    Hour6,
    Hour8,
    Hour12,
    Day1,
    Day3,
    Week1,
}

const INTERVALS: [(Interval, &str, u32); 15] = [
    (Interval::Second1, "1s", 1),
    (Interval::Minute1, "1m", 60),
    (Interval::Minute3, "3m", 180),
    (Interval::Minute5, "5m", 300),
    (Interval::Minute15, "15m", 900),
    (Interval::Minute30, "30m", 1_800),
    (Interval::Hour1, "1h", 3_600),
    (Interval::Hour2, "2h", 7_200),
    (Interval::Hour4, "4h", 14_400),
    (Interval::Hour6, "6h", 21_600),
    (Interval::Hour8, "8h", 28_800),
    (Interval::Hour12, "12h", 43_200),
    (Interval::Day1, "1d", 86_400),
    (Interval::Day3, "3d", 259_200),
    (Interval::Week1, "1w", 604_800),
];

impl Interval {
    /// All intervals, shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        INTERVALS.iter().map(|(interval, _, _)| *interval)
    }

    /// Its name: `1m`, `4h`, `1d`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        INTERVALS[self as usize].1
    }

    /// Its length.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(INTERVALS[self as usize].2 as u64)
    }

    const fn nanos(self) -> i64 {
        INTERVALS[self as usize].2 as i64 * 1_000_000_000
    }

    /// Start of the interval that `at` lies in.
    #[must_use]
    pub const fn open_time(self, at: Timestamp) -> Timestamp {
        // 1970-01-01 was a Thursday: weeks start four days later.
        let offset = if matches!(self, Self::Week1) {
            4 * 86_400 * 1_000_000_000
        } else {
            0
        };
        let length = self.nanos();
        // At the ends of time there is no such start; the end itself is near enough.
        let intervals = at.as_nanos().saturating_sub(offset).div_euclid(length);
        Timestamp::from_nanos(intervals.saturating_mul(length).saturating_add(offset))
    }

    /// End of the interval that `at` lies in: the start of the next.
    #[must_use]
    pub fn close_time(self, at: Timestamp) -> Timestamp {
        self.open_time(at) + self.duration()
    }
}

/// A text that names no interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no interval {0:?}; there are 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d and 1w"
)]
pub struct IntervalError(String);

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = INTERVALS.iter().find(|(_, name, _)| *name == text);
        found
            .map(|(interval, _, _)| *interval)
            .ok_or_else(|| IntervalError(text.to_owned()))
    }
}

impl TryFrom<String> for Interval {
    type Error = IntervalError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.name().to_owned()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Open, high, low, close and volume of a closed interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// Of what.
    pub instrument: InstrumentId,
    /// How long.
    pub interval: Interval,
    /// Whether every trade of the interval is known to be in it.
    pub complete: bool,
    /// Start of the interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Base units traded.
    pub volume: Amount,
}

impl Candle {
    /// End of the interval.
    #[must_use]
    pub fn close_time(&self) -> Timestamp {
        self.open_time + self.interval.duration()
    }

    /// Whether its prices are positive and the high and low bound the others.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let low = self.open.min(self.close);
        let high = self.open.max(self.close);
        self.low.0 > 0 && self.low <= low && high <= self.high && self.volume.0 >= 0
    }
}

/// Folds trades, or shorter candles, into candles of one instrument and interval.
///
/// A candle closes when time reaches its end; an interval without trades is flat at the last close with volume 0.
/// What comes for a closed interval is counted and never repaints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleBuilder {
    instrument: InstrumentId,
    interval: Interval,
    current: Option<Candle>,
    late: u64,
}

impl CandleBuilder {
    /// A builder without trades: its first candle starts with the first trade and is incomplete unless marked otherwise.
    #[must_use]
    pub const fn new(instrument: InstrumentId, interval: Interval) -> Self {
        Self {
            instrument,
            interval,
            current: None,
            late: 0,
        }
    }

    /// Closes every interval that ends at or before `now`, oldest first.
    pub fn close_until(&mut self, now: Timestamp, mut closed: impl FnMut(Candle)) {
        while let Some(candle) = self.current.filter(|candle| candle.close_time() <= now) {
            closed(candle);
            self.current = Some(Candle {
                open_time: candle.close_time(),
                open: candle.close,
                high: candle.close,
                low: candle.close,
                volume: Amount::ZERO,
                complete: true,
                ..candle
            });
        }
    }

    /// Adds a trade that happened at `at`; call [`close_until`](Self::close_until) with `at` first.
    pub fn add_trade(&mut self, at: Timestamp, price: Price, volume: Amount) {
        let part = Candle {
            instrument: self.instrument,
            interval: self.interval,
            complete: self.current.is_some(),
            open_time: self.interval.open_time(at),
            open: price,
            high: price,
            low: price,
            close: price,
            volume,
        };
        self.add(part);
    }

    /// Adds a shorter candle of the same instrument; call [`close_until`](Self::close_until) with its open time first.
    pub fn add_candle(&mut self, part: &Candle) {
        self.add(Candle {
            interval: self.interval,
            open_time: self.interval.open_time(part.open_time),
            ..*part
        });
    }

    fn add(&mut self, part: Candle) {
        match &mut self.current {
            Some(candle) if part.open_time < candle.open_time => self.late += 1,
            Some(candle)
                if candle.volume.is_zero()
                    && part.open_time == candle.open_time
                    && is_flat(candle) =>
            {
                let complete = candle.complete && part.complete;
                *candle = Candle { complete, ..part };
            }
            Some(candle) if part.open_time == candle.open_time => {
                candle.high = candle.high.max(part.high);
                candle.low = candle.low.min(part.low);
                candle.close = part.close;
                candle.volume += part.volume;
                candle.complete &= part.complete;
            }
            current => *current = Some(part),
        }
    }

    /// Forgets the open candle: what comes next starts a new series.
    pub const fn forget(&mut self) {
        self.current = None;
    }

    /// Marks the open candle as missing trades.
    pub fn mark_incomplete(&mut self) {
        if let Some(candle) = &mut self.current {
            candle.complete = false;
        }
    }

    /// What its candles are of.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    /// How long they are.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// When the open candle ends, if one is open.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.current.map(|candle| candle.close_time())
    }

    /// The candle being built.
    #[must_use]
    pub const fn current(&self) -> Option<&Candle> {
        self.current.as_ref()
    }

    /// How many trades came too late to be counted.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }
}

fn is_flat(candle: &Candle) -> bool {
    candle.open == candle.high && candle.high == candle.low && candle.low == candle.close
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(trades: &[(i64, i64, i64)], until: i64) -> Vec<(i64, [i64; 4], i128)> {
        let mut builder = CandleBuilder::new(InstrumentId(0), Interval::Minute1);
        let mut closed = Vec::new();
        for &(at, price, volume) in trades {
            builder.close_until(Timestamp::from_secs(at), |candle| closed.push(candle));
            builder.add_trade(
                Timestamp::from_secs(at),
                Price(price),
                Amount(i128::from(volume)),
            );
        }
        builder.close_until(Timestamp::from_secs(until), |candle| closed.push(candle));
        closed
            .iter()
            .map(|c| {
                (
                    c.open_time.as_nanos() / 1_000_000_000,
                    [c.open.0, c.high.0, c.low.0, c.close.0],
                    c.volume.0,
                )
            })
            .collect()
    }

    #[test]
    fn trades_fold_into_candles_and_empty_intervals_are_flat() {
        let candles = fold(
            &[
                (60, 10, 1),
                (70, 15, 2),
                (80, 8, 3),
                (119, 9, 4),
                (250, 20, 5),
            ],
            300,
        );
        assert_eq!(
            candles,
            [
                (60, [10, 15, 8, 9], 10),
                (120, [9, 9, 9, 9], 0),
                (180, [9, 9, 9, 9], 0),
                (240, [20, 20, 20, 20], 5)
            ]
        );
    }

    #[test]
    fn a_late_trade_is_counted_and_repaints_nothing() {
        let mut builder = CandleBuilder::new(InstrumentId(0), Interval::Minute1);
        builder.add_trade(Timestamp::from_secs(60), Price(10), Amount(1));
        builder.close_until(Timestamp::from_secs(120), |_| {});
        builder.add_trade(Timestamp::from_secs(61), Price(99), Amount(1));
        assert_eq!(builder.late(), 1);
        assert_eq!(builder.current().map(|candle| candle.high), Some(Price(10)));
    }

    #[test]
    fn intervals_align_to_utc_and_weeks_to_monday() {
        let thursday: Timestamp = "2024-08-08T23:54:15Z".parse().unwrap();
        let check = |interval: Interval, wanted: &str| {
            assert_eq!(
                interval.open_time(thursday).to_string(),
                wanted,
                "{interval}"
            );
        };
        check(Interval::Minute5, "2024-08-08T23:50:00Z");
        check(Interval::Hour4, "2024-08-08T20:00:00Z");
        check(Interval::Day1, "2024-08-08T00:00:00Z");
        check(Interval::Week1, "2024-08-05T00:00:00Z");
        for interval in Interval::all() {
            assert_eq!(interval.name().parse(), Ok(interval));
        }
        assert!("7m".parse::<Interval>().is_err());
    }
}
