//! History as candles: days drawn when somebody asks for them, the last few kept for the next question.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Instrument, Interval, Price, Timestamp};

use super::history::{DAYS, History, PastMinute};
use super::klines::Kline;

/// Days of history, of one instrument each, that are kept: the last 24 hours of all instruments, in 4 MB.
const DAYS_KEPT: usize = 64;

/// History and what of it was drawn lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Past {
    history: History,
    #[serde(skip)]
    drawn: VecDeque<DrawnDay>,
}

/// A day of one instrument.
#[derive(Clone, Debug, PartialEq)]
struct DrawnDay {
    instrument: usize,
    day: usize,
    minutes: Vec<PastMinute>,
}

impl Past {
    pub(super) const fn new(history: History) -> Self {
        Self {
            history,
            drawn: VecDeque::new(),
        }
    }

    /// Start of the first candle.
    pub(super) fn start(&self) -> Timestamp {
        self.history.start()
    }

    /// End of the last candle.
    pub(super) const fn end(&self) -> Timestamp {
        self.history.end()
    }

    /// Close of the last candle.
    pub(super) fn last_close(&self, instrument: usize) -> Option<Price> {
        self.history.last_close(instrument)
    }

    /// Hands over every minute of an instrument from `from` to before `end`, oldest first.
    pub(super) fn each_minute(
        &mut self,
        rules: &Instrument,
        from: Timestamp,
        end: Timestamp,
        mut each: impl FnMut(&Kline),
    ) {
        for day in 0..DAYS {
            let start = self.history.day_start(day);
            if start >= end || start + Interval::Day1.duration() <= from {
                continue;
            }
            for (offset, minute) in (0..).zip(self.day(rules.id.index(), day)) {
                let open_time = start + Duration::from_secs(60) * offset;
                if open_time >= from && open_time < end {
                    each(&minute.to_kline(open_time, rules));
                }
            }
        }
    }

    fn day(&mut self, instrument: usize, day: usize) -> &[PastMinute] {
        let known = self
            .drawn
            .iter()
            .position(|drawn| (drawn.instrument, drawn.day) == (instrument, day));
        let drawn = known.and_then(|place| self.drawn.remove(place));
        let drawn = drawn.unwrap_or_else(|| DrawnDay {
            instrument,
            day,
            minutes: self.history.day(instrument, day),
        });
        self.drawn.truncate(DAYS_KEPT - 1);
        self.drawn.push_front(drawn);
        self.drawn.front().map_or(&[], |drawn| &drawn.minutes)
    }
}
