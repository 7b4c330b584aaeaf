//! Candles that a stream missed: what follows a hole is held until the hole is read by request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use tokio::sync::Notify;
use tradewind_model::{Candle, InstrumentId, Interval, Timestamp};

use crate::binance::rest::lock;

/// Candles of one series that are held; with one more, all are handed on, hole or not.
const HELD_MAX: usize = 64;
/// Candles that are read for one hole: the newest.
const HOLE_MAX: u32 = 1_000;
/// Attempts at reading a hole before it is left open.
const ATTEMPTS_MAX: u32 = 5;

/// A hole in a series of candles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) instrument: InstrumentId,
    pub(super) interval: Interval,
    pub(super) from: Timestamp,
    pub(super) end: Timestamp,
}

#[derive(Debug, Default)]
struct Series {
    /// Where the last candle that was handed on closed.
    end: Option<Timestamp>,
    held: VecDeque<Candle>,
    attempts: u32,
}

impl Series {
    /// The held candles that follow what was handed on, up to the next hole.
    fn release(&mut self, out: &mut Vec<Candle>) {
        while let Some(next) = self.held.front().copied() {
            match self.end {
                Some(end) if next.open_time > end => return,
                Some(end) if next.open_time < end => {}
                _ => self.hand_on(next, out),
            }
            self.held.pop_front();
        }
    }

    fn hand_on(&mut self, candle: Candle, out: &mut Vec<Candle>) {
        self.end = Some(candle.close_time());
        out.push(candle);
    }
}

/// Each series of candles of one feed.
#[derive(Debug, Default)]
pub(super) struct Refills {
    series: Mutex<BTreeMap<(InstrumentId, Interval), Series>>,
    /// A hole was found.
    found: Notify,
}

impl Refills {
    /// Takes in a candle of a stream; those that are to be handed on.
    pub(super) fn take(&self, candle: Candle) -> Vec<Candle> {
        let mut all = lock(&self.series);
        let series = all.entry((candle.instrument, candle.interval)).or_default();
        let mut out = Vec::new();
        let newest = series.held.back().map(Candle::close_time);
        if newest.is_some_and(|end| candle.open_time < end) {
            return out;
        }
        series.held.push_back(candle);
        series.release(&mut out);
        if series.held.len() > HELD_MAX {
            leave_open(series, &mut out);
        }
        if !series.held.is_empty() {
            self.found.notify_one();
        }
        out
    }

    /// Waits until a hole was found.
    pub(super) async fn found(&self) {
        self.found.notified().await;
    }

    /// The holes there are.
    pub(super) fn holes(&self) -> Vec<Hole> {
        let all = lock(&self.series);
        let holes = all.iter().filter_map(|((instrument, interval), series)| {
            let (end, next) = (series.end?, series.held.front()?);
            let most = interval.duration().saturating_mul(HOLE_MAX);
            Some(Hole {
                instrument: *instrument,
                interval: *interval,
                from: end.max(next.open_time - most),
                end: next.open_time,
            })
        });
        holes.collect()
    }

    /// A hole was read: what fills it and what follows, to be handed on. Where the venue has no candle, nothing was traded.
    pub(super) fn filled(&self, hole: &Hole, candles: Vec<Candle>) -> Vec<Candle> {
        let mut out = Vec::new();
        if let Some(series) = lock(&self.series).get_mut(&(hole.instrument, hole.interval)) {
            for candle in candles {
                let fits = series.end.is_none_or(|end| candle.open_time >= end);
                if fits && candle.open_time < hole.end {
                    series.hand_on(candle, &mut out);
                }
            }
            leave_open(series, &mut out);
        }
        out
    }

    /// A hole could not be read: what follows it is handed on once that has failed often. Whether it was given up.
    pub(super) fn failed(&self, hole: &Hole) -> Option<Vec<Candle>> {
        let mut all = lock(&self.series);
        let series = all.get_mut(&(hole.instrument, hole.interval))?;
        series.attempts += 1;
        if series.attempts < ATTEMPTS_MAX {
            return None;
        }
        let mut out = Vec::new();
        leave_open(series, &mut out);
        Some(out)
    }
}

/// Goes on behind the hole.
fn leave_open(series: &mut Series, out: &mut Vec<Candle>) {
    series.attempts = 0;
    series.end = None;
    series.release(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Amount, Price};

    fn minute(minute: i64) -> Candle {
        Candle {
            instrument: InstrumentId(0),
            interval: Interval::Minute1,
            complete: true,
            open_time: Timestamp::from_secs(minute * 60),
            open: Price(1),
            high: Price(1),
            low: Price(1),
            close: Price(1),
            volume: Amount::ZERO,
        }
    }

    fn minutes(candles: &[Candle]) -> Vec<i64> {
        let minute = |candle: &Candle| candle.open_time.as_millis() / 60_000;
        candles.iter().map(minute).collect()
    }

    #[test]
    fn what_follows_a_hole_waits_until_it_is_filled() {
        let refills = Refills::default();
        assert_eq!(minutes(&refills.take(minute(3))), [3]);
        assert_eq!(minutes(&refills.take(minute(4))), [4]);
        assert_eq!(minutes(&refills.take(minute(4))), [0_i64; 0], "said twice");
        assert_eq!(minutes(&refills.take(minute(8))), [0_i64; 0]);
        assert_eq!(minutes(&refills.take(minute(9))), [0_i64; 0]);
        assert_eq!(minutes(&refills.take(minute(9))), [0_i64; 0], "said twice");
        let holes = refills.holes();
        let at = |minute: i64| Timestamp::from_secs(minute * 60);
        assert_eq!((holes[0].from, holes[0].end), (at(5), at(8)));
        let read = [4, 5, 6, 7, 8].map(minute).to_vec();
        assert_eq!(minutes(&refills.filled(&holes[0], read)), [5, 6, 7, 8, 9]);
        assert_eq!(refills.holes(), []);
        assert_eq!(minutes(&refills.take(minute(10))), [10]);
    }

    #[test]
    fn a_hole_that_cannot_be_read_is_left_open_in_the_end() {
        let refills = Refills::default();
        refills.take(minute(3));
        refills.take(minute(8));
        let hole = refills.holes()[0];
        for _ in 1..ATTEMPTS_MAX {
            assert_eq!(refills.failed(&hole), None);
        }
        let given_up = refills.failed(&hole).unwrap();
        assert_eq!(minutes(&given_up), [8]);
        assert_eq!(minutes(&refills.take(minute(9))), [9]);
    }

    #[test]
    fn what_is_held_and_what_is_read_is_bounded() {
        let refills = Refills::default();
        refills.take(minute(0));
        refills.take(minute(5_000));
        let hole = refills.holes()[0];
        assert_eq!(hole.from, Timestamp::from_secs(4_000 * 60));
        let mut handed_on = 0;
        for number in 5_001..5_100 {
            handed_on += refills.take(minute(number)).len();
        }
        assert_eq!(handed_on, 100);
    }
}
