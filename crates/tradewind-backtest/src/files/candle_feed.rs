//! Tables of candles as a history: each candle's start, then the candle itself and those that are put together from it.
//!
//! A closed candle is an event at its end, the longest first, before the next one opens: so what is decided on it can be
//! filled at that open and not before. Where candles are missing nothing is played, and no longer candle is made, but the days of
//! a universe: those are marked and rank candidates alone. How its course is played is in `course.rs`.

use std::collections::VecDeque;

use tradewind_data::{CandleRow, Row, Rows};
use tradewind_model::{
    Amount, Candle, CandleBuilder, Instrument, Interval, MarketEvent, Ppm, Price, Timestamp,
};

use super::tick_feed::count;
use crate::error::BacktestError;
use crate::source::{CandleStart, HistoryEvent};

/// What is made of a table of candles, in order of time.
pub(super) struct CandleFeed {
    rows: Rows,
    events: CandleEvents,
    ready: VecDeque<(Timestamp, HistoryEvent)>,
}

impl CandleFeed {
    pub(super) const fn new(rows: Rows, events: CandleEvents) -> Self {
        Self {
            rows,
            events,
            ready: VecDeque::new(),
        }
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        while self.ready.is_empty() {
            let Some(row) = self.rows.next() else { break };
            if let Row::Candle(row) = row? {
                self.events.draw(&row, &mut self.ready)?;
            }
        }
        Ok(self.ready.pop_front())
    }
}

/// How a candle becomes events.
#[derive(Debug)]
pub(super) struct CandleEvents {
    instrument: Instrument,
    interval: Interval,
    half_spread: Ppm,
    /// Builders of the longer candles, longest first.
    longer: Vec<CandleBuilder>,
    /// Whether days with missing parts are emitted, marked: a universe counts them.
    all_days: bool,
    /// Where the next candle begins, if none is missing.
    next: Option<Timestamp>,
}

impl CandleEvents {
    /// Candles of `interval`, and those of `wanted` that are longer. With `all_days`, days with missing parts too, marked as such.
    pub(super) fn new(
        instrument: Instrument,
        interval: Interval,
        wanted: &[Interval],
        half_spread: Ppm,
        all_days: bool,
    ) -> Self {
        let longer = wanted.iter().rev().filter(|wanted| **wanted > interval);
        Self {
            longer: longer
                .map(|wanted| CandleBuilder::new(instrument.id, *wanted))
                .collect(),
            instrument,
            interval,
            half_spread,
            all_days,
            next: None,
        }
    }

    fn draw(
        &mut self,
        row: &CandleRow,
        out: &mut VecDeque<(Timestamp, HistoryEvent)>,
    ) -> Result<(), BacktestError> {
        let candle = self.candle(row)?;
        let start = candle.open_time;
        let half_spread = self.half_spread;
        let begins = CandleStart {
            candle,
            half_spread,
        };
        if self.all_days {
            self.close_days(start, out);
        }
        out.push_back((start, HistoryEvent::CandleStart(begins)));
        let end = candle.close_time();
        let continues = self.next.replace(end) == Some(start);
        for builder in &mut self.longer {
            builder.close_until(start, |_| ());
            builder.add_candle(&candle);
            // A longer candle of which a part is missing is not emitted: its bots see a gap there.
            let begins = builder
                .current()
                .is_some_and(|longer| longer.open_time == start);
            if !continues && !begins {
                builder.mark_incomplete();
            }
            builder.close_until(end, |longer| {
                if longer.complete || (self.all_days && longer.interval == Interval::Day1) {
                    out.push_back((end, MarketEvent::Candle(longer).into()));
                }
            });
            // A longer candle is emitted once, when it closes. The flat candle that the builder starts next is dropped.
            if builder.current().is_some_and(|next| next.open_time >= end) {
                builder.forget();
            }
        }
        out.push_back((end, MarketEvent::Candle(candle).into()));
        Ok(())
    }

    /// Closes days of which the end is missing.
    fn close_days(&mut self, start: Timestamp, out: &mut VecDeque<(Timestamp, HistoryEvent)>) {
        let days = self.longer.iter_mut();
        for builder in days.filter(|builder| builder.interval() == Interval::Day1) {
            builder.close_until(start, |day| {
                let day = Candle {
                    complete: false,
                    ..day
                };
                out.push_back((start, MarketEvent::Candle(day).into()));
            });
        }
    }

    fn candle(&self, row: &CandleRow) -> Result<Candle, BacktestError> {
        let rules = &self.instrument;
        let price = |value| count(rules, row.open_time, value, rules.price_decimals).map(Price);
        Ok(Candle {
            instrument: rules.id,
            interval: self.interval,
            complete: true,
            open_time: row.open_time,
            open: price(row.open)?,
            high: price(row.high)?,
            low: price(row.low)?,
            close: price(row.close)?,
            volume: row.volume.unwrap_or(Amount::ZERO),
        })
    }
}
