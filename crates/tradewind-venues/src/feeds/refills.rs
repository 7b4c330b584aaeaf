//! Candles that a stream missed: what follows a hole is held until the hole is read by request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use tokio::sync::Notify;
use tradewind_model::{Candle, InstrumentId, Interval, Timestamp};

use crate::binance::rest::lock;
use crate::sink::{CandleHole, MarketSink};

/// Candles of one series that are held; with one more, all are handed on, hole or not.
const HELD_MAX: usize = 64;
/// Candles that are read for one hole: the newest.
const HOLE_MAX: u32 = 1_000;
/// Attempts at reading a hole before it is left open.
const ATTEMPTS_MAX: u32 = 5;

/// What a series continues with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Candle(Candle),
    /// Candles before the next one are missing for good.
    Missing(CandleHole),
}

impl Next {
    pub(super) fn to(self, sink: &dyn MarketSink, venue: &str) {
        match self {
            Self::Candle(candle) => sink.candle(candle),
            Self::Missing(hole) => {
                tracing::error!(
                    venue,
                    ?hole,
                    "Candles are missing: they could not be read, or the venue does not have them."
                );
                sink.candles_missing(&hole);
            }
        }
    }
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
    fn release(&mut self, out: &mut Vec<Next>) {
        while let Some(next) = self.held.front().copied() {
            match self.end {
                Some(end) if next.open_time > end && self.is_suspect => return,
                Some(end) if next.open_time < end => {}
                _ => self.hand_on(next, out),
            }
            self.held.pop_front();
        }
    }

    fn hand_on(&mut self, candle: Candle, out: &mut Vec<Next>) {
        self.end = Some(candle.close_time());
        self.is_suspect = false;
        out.push(Next::Candle(candle));
    }

    /// Continues behind the hole.
    fn go_on(&mut self, out: &mut Vec<Next>) {
        self.attempts = 0;
        self.is_suspect = false;
        self.release(out);
    }

    /// Continues behind a hole that stays, which is announced.
    fn leave_open(
        &mut self,
        (instrument, interval): (InstrumentId, Interval),
        out: &mut Vec<Next>,
    ) {
        if let (Some(from), Some(next)) = (self.end, self.held.front()) {
            out.push(Next::Missing(CandleHole {
                instrument,
                interval,
                from,
                end: next.open_time,
            }));
        }
        self.go_on(out);
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
    pub(super) fn take(&self, candle: Candle, hand_on: impl FnMut(Next)) {
        let mut all = lock(&self.series);
        let of = (candle.instrument, candle.interval);
        let series = all.entry(of).or_default();
        let newest = series.held.back().map(Candle::close_time);
        if newest.is_some_and(|end| candle.open_time < end) {
            return;
        }
        let mut out = Vec::new();
        series.held.push_back(candle);
        series.release(&mut out);
        if series.held.len() > HELD_MAX {
            series.leave_open(of, &mut out);
        }
        if !series.held.is_empty() {
            self.found.notify_one();
        }
        out.into_iter().for_each(hand_on);
    }

    /// Waits until a hole was found.
    pub(super) async fn found(&self) {
        self.found.notified().await;
    }

    /// The holes there are.
    pub(super) fn holes(&self) -> Vec<CandleHole> {
        let all = lock(&self.series);
        let holes = all.iter().filter_map(|((instrument, interval), series)| {
            let (end, next) = (series.end?, series.held.front()?);
            let most = interval.duration().saturating_mul(HOLE_MAX);
            Some(CandleHole {
                instrument: *instrument,
                interval: *interval,
                from: end.max(next.open_time - most),
                end: next.open_time,
            })
        });
        holes.collect()
    }

    /// A hole was read, with the candles beside it: what fills it and what follows is handed on. Between candles on both sides of
    /// it, one that the venue does not have is one that nothing was traded in. An answer that lacks a side may have come before the
    /// venue wrote it: the hole is read again, and in the end that side of it is missing. Returns whether it is to be read again.
    pub(super) fn filled(
        &self,
        hole: &CandleHole,
        mut candles: Vec<Candle>,
        hand_on: impl FnMut(Next),
    ) -> bool {
        let begins = candles.iter().any(|candle| candle.open_time < hole.from);
        let ends = candles.iter().any(|candle| candle.open_time >= hole.end);
        candles.retain(|candle| (hole.from..hole.end).contains(&candle.open_time));
        let mut all = lock(&self.series);
        let Some(series) = all.get_mut(&(hole.instrument, hole.interval)) else {
            return false;
        };
        if !(begins && ends) {
            series.attempts += 1;
            if series.attempts < ATTEMPTS_MAX {
                return true;
            }
        }
        let mut out = Vec::new();
        let missing = |from: Timestamp, end: Timestamp, out: &mut Vec<Next>| {
            if from < end {
                out.push(Next::Missing(CandleHole { from, end, ..*hole }));
            }
        };
        let begin = if begins {
            hole.from
        } else {
            candles.first().map_or(hole.end, |first| first.open_time)
        };
        missing(series.end.unwrap_or(begin), begin, &mut out);
        for candle in candles {
            if series.end.is_none_or(|end| candle.open_time >= end) {
                series.hand_on(candle, &mut out);
            }
        }
        if !ends {
            let from = series.end.map_or(begin, |end| end.max(begin));
            missing(from, hole.end, &mut out);
        }
        series.go_on(&mut out);
        out.into_iter().for_each(hand_on);
        false
    }

    /// A hole could not be read. Once that has failed often it is announced, and what follows it is handed on. Returns whether it
    /// is to be read again.
    pub(super) fn failed(&self, hole: &CandleHole, hand_on: impl FnMut(Next)) -> bool {
        let mut all = lock(&self.series);
        let Some(series) = all.get_mut(&(hole.instrument, hole.interval)) else {
            return false;
        };
        series.attempts += 1;
        if series.attempts < ATTEMPTS_MAX {
            return true;
        }
        let mut out = Vec::new();
        series.leave_open((hole.instrument, hole.interval), &mut out);
        out.into_iter().for_each(hand_on);
        false
    }
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

    /// The minutes of candles; a hole is the negative of its minutes.
    fn minutes(candles: &[Next]) -> Vec<i64> {
        let minutes = |at: Timestamp| at.as_millis() / 60_000;
        let minute = |next: &Next| match next {
            Next::Candle(candle) => vec![minutes(candle.open_time)],
            Next::Missing(hole) => (minutes(hole.from)..minutes(hole.end))
                .map(|one| -one)
                .collect(),
        };
        candles.iter().flat_map(minute).collect()
    }

    fn taken(refills: &Refills, number: i64) -> Vec<i64> {
        let mut out = Vec::new();
        refills.take(minute(number), |next| out.push(next));
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
        assert!(!refills.filled(&holes[0], read, |next| out.push(next)));
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
            assert!(refills.failed(&hole, |next| out.push(next)));
            assert_eq!(out, []);
        }
        assert!(!refills.failed(&hole, |next| out.push(next)));
        assert_eq!(minutes(&out), [-4, -5, -6, -7, 8]);
        assert_eq!(taken(&refills, 9), [9]);
    }

    /// The venue may write its candles a moment later than its stream sends them.
    #[test]
    fn an_answer_that_lacks_a_side_of_the_hole_is_read_again_and_in_the_end_shows_the_gap() {
        let cases: [(&[i64], &[i64]); 5] = [
            (&[], &[-4, -5, -6, 7]),
            (&[3], &[-4, -5, -6, 7]),
            (&[3, 4], &[4, -5, -6, 7]),
            (&[5, 7], &[-4, 5, 7]),
            (&[5], &[-4, 5, -6, 7]),
        ];
        for (answer, wanted) in cases {
            let refills = Refills::default();
            taken(&refills, 3);
            refills.broken(InstrumentId(0));
            taken(&refills, 7);
            let hole = refills.holes()[0];
            let mut out = Vec::new();
            let read = || answer.iter().copied().map(minute).collect();
            for _ in 1..ATTEMPTS_MAX {
                assert!(refills.filled(&hole, read(), |next| out.push(next)));
                assert_eq!(out, []);
            }
            assert!(!refills.filled(&hole, read(), |next| out.push(next)));
            assert_eq!(minutes(&out), wanted, "{answer:?}");
        }
    }

    #[test]
    fn between_the_candles_beside_a_hole_what_is_not_there_was_not_traded() {
        for (answer, wanted) in [
            (&[3, 7][..], &[7][..]),
            (&[3, 5, 7], &[5, 7]),
            (&[3, 4, 5, 6, 7], &[4, 5, 6, 7]),
        ] {
            let refills = Refills::default();
            taken(&refills, 3);
            refills.broken(InstrumentId(0));
            taken(&refills, 7);
            let (hole, mut out) = (refills.holes()[0], Vec::new());
            let read = answer.iter().copied().map(minute).collect();
            assert!(!refills.filled(&hole, read, |next| out.push(next)));
            assert_eq!(minutes(&out), wanted, "{answer:?}");
        }
    }

    #[test]
    fn what_is_too_long_ago_to_be_read_is_missing() {
        let refills = Refills::default();
        taken(&refills, 0);
        refills.broken(InstrumentId(0));
        taken(&refills, 1_003);
        let hole = refills.holes()[0];
        let mut out = Vec::new();
        let read = (2..1_004).map(minute).collect();
        assert!(!refills.filled(&hole, read, |next| out.push(next)));
        assert_eq!(minutes(&out)[..3], [-1, -2, 3]);
    }

    #[test]
    fn what_is_held_and_what_is_read_is_bounded() {
        let refills = Refills::default();
        taken(&refills, 0);
        refills.broken(InstrumentId(0));
        taken(&refills, 5_000);
        let hole = refills.holes()[0];
        assert_eq!(hole.from, Timestamp::from_secs(4_000 * 60));
        let later = (5_001..5_100).flat_map(|number| taken(&refills, number));
        let (candles, missing): (Vec<i64>, Vec<i64>) = later.partition(|minute| *minute > 0);
        assert_eq!((candles.len(), missing.len()), (100, 4_999));
    }
}
