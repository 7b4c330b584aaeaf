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
    /// Messages were missing since the last candle: one that is not there may have been among them. Otherwise nothing was traded.
    is_suspect: bool,
}

impl Series {
    /// The held candles that follow what was handed on, up to the next hole.
    fn release(&mut self, out: &mut Vec<Candle>) {
        while let Some(next) = self.held.front().copied() {
            match self.end {
                Some(end) if next.open_time > end && self.is_suspect => return,
                Some(end) if next.open_time < end => {}
                _ => self.hand_on(next, out),
            }
            self.held.pop_front();
        }
    }

    fn hand_on(&mut self, candle: Candle, out: &mut Vec<Candle>) {
        self.end = Some(candle.close_time());
        self.is_suspect = false;
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
    /// Messages about an instrument are missing, or the connection is another one.
    pub(super) fn broken(&self, instrument: InstrumentId) {
        for ((of, _), series) in &mut *lock(&self.series) {
            if *of == instrument {
                series.is_suspect = true;
            }
        }
    }

    /// Takes in a candle of a stream, and hands on those that are to be: before the next can be taken in, so that they keep their
    /// order.
    pub(super) fn take(&self, candle: Candle, mut hand_on: impl FnMut(Candle)) {
        let mut all = lock(&self.series);
        let series = all.entry((candle.instrument, candle.interval)).or_default();
        let newest = series.held.back().map(Candle::close_time);
        if newest.is_some_and(|end| candle.open_time < end) {
            return;
        }
        let mut out = Vec::new();
        series.held.push_back(candle);
        series.release(&mut out);
        if series.held.len() > HELD_MAX {
            leave_open(series, &mut out);
        }
        if !series.held.is_empty() {
            self.found.notify_one();
        }
        out.into_iter().for_each(&mut hand_on);
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

    /// A hole was read: what fills it and what follows is handed on. Where the venue has no candle, nothing was traded.
    pub(super) fn filled(&self, hole: &Hole, candles: Vec<Candle>, hand_on: impl FnMut(Candle)) {
        let mut all = lock(&self.series);
        let Some(series) = all.get_mut(&(hole.instrument, hole.interval)) else {
            return;
        };
        let mut out = Vec::new();
        for candle in candles {
            let fits = series.end.is_none_or(|end| candle.open_time >= end);
            if fits && candle.open_time < hole.end {
                series.hand_on(candle, &mut out);
            }
        }
        leave_open(series, &mut out);
        out.into_iter().for_each(hand_on);
    }

    /// A hole could not be read: what follows it is handed on once that has failed often.
    pub(super) fn failed(&self, hole: &Hole, hand_on: impl FnMut(Candle)) {
        let mut all = lock(&self.series);
        let Some(series) = all.get_mut(&(hole.instrument, hole.interval)) else {
            return;
        };
        series.attempts += 1;
        if series.attempts < ATTEMPTS_MAX {
            return;
        }
        let mut out = Vec::new();
        leave_open(series, &mut out);
        out.into_iter().for_each(hand_on);
    }
}

/// Continues behind the hole.
fn leave_open(series: &mut Series, out: &mut Vec<Candle>) {
    series.attempts = 0;
    series.is_suspect = false;
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

    fn taken(refills: &Refills, number: i64) -> Vec<i64> {
        let mut out = Vec::new();
        refills.take(minute(number), |candle| out.push(candle));
        minutes(&out)
    }

    #[test]
    fn what_follows_a_hole_waits_until_it_is_filled() {
        let refills = Refills::default();
        assert_eq!(taken(&refills, 3), [3]);
        assert_eq!(taken(&refills, 4), [4]);
        assert_eq!(taken(&refills, 4), [0_i64; 0], "said twice");
        refills.broken(InstrumentId(0));
        assert_eq!(taken(&refills, 8), [0_i64; 0]);
        assert_eq!(taken(&refills, 9), [0_i64; 0]);
        assert_eq!(taken(&refills, 9), [0_i64; 0], "said twice");
        let holes = refills.holes();
        let at = |minute: i64| Timestamp::from_secs(minute * 60);
        assert_eq!((holes[0].from, holes[0].end), (at(5), at(8)));
        let (read, mut out) = ([4, 5, 6, 7, 8].map(minute).to_vec(), Vec::new());
        refills.filled(&holes[0], read, |candle| out.push(candle));
        assert_eq!(minutes(&out), [5, 6, 7, 8, 9]);
        assert_eq!(refills.holes(), []);
        assert_eq!(taken(&refills, 10), [10]);
    }

    #[test]
    fn a_candle_that_nothing_was_traded_in_is_no_hole() {
        let refills = Refills::default();
        taken(&refills, 3);
        assert_eq!(taken(&refills, 8), [8]);
        refills.broken(InstrumentId(1));
        assert_eq!(taken(&refills, 12), [12]);
        refills.broken(InstrumentId(0));
        assert_eq!(taken(&refills, 13), [13], "it follows");
        assert_eq!(taken(&refills, 15), [15]);
    }

    #[test]
    fn a_hole_that_cannot_be_read_is_left_open_in_the_end() {
        let refills = Refills::default();
        taken(&refills, 3);
        refills.broken(InstrumentId(0));
        taken(&refills, 8);
        let hole = refills.holes()[0];
        let mut out = Vec::new();
        for _ in 1..ATTEMPTS_MAX {
            refills.failed(&hole, |candle| out.push(candle));
            assert_eq!(out, []);
        }
        refills.failed(&hole, |candle| out.push(candle));
        assert_eq!(minutes(&out), [8]);
        assert_eq!(taken(&refills, 9), [9]);
    }

    #[test]
    fn what_is_held_and_what_is_read_is_bounded() {
        let refills = Refills::default();
        taken(&refills, 0);
        refills.broken(InstrumentId(0));
        taken(&refills, 5_000);
        let hole = refills.holes()[0];
        assert_eq!(hole.from, Timestamp::from_secs(4_000 * 60));
        let later = (5_001..5_100).map(|number| taken(&refills, number).len());
        assert_eq!(later.sum::<usize>(), 100);
    }
}
