//! Tables of candles as a history: each candle's start, then the candle itself and those that are put together from it.
//!
//! A closed candle is an event at its end, the longest first, before the next one opens: so what is decided on it can be
//! filled at that open and not before. How its course is played is in `course.rs`.

use std::collections::VecDeque;

use tradewind_model::{
    Candle, CandleBuilder, Instrument, Interval, MarketEvent, Ppm, Price, Timestamp,
};
use tradewind_simx::recorded::{CandleRow, CandleTable};

use super::lines::Lines;
use super::survey::counts;
use crate::error::BacktestError;
use crate::source::{CandleStart, HistoryEvent};

/// What is made of a table of candles, in order of time.
pub(super) struct CandleFeed {
    lines: Lines,
    table: CandleTable,
    events: CandleEvents,
    /// Whether the line it stands at is a candle that was not played.
    pending: bool,
    ready: VecDeque<(Timestamp, HistoryEvent)>,
}

impl CandleFeed {
    pub(super) fn open(
        mut lines: Lines,
        table: CandleTable,
        headless: bool,
        events: CandleEvents,
    ) -> Result<Self, BacktestError> {
        let pending = lines.advance()? && headless;
        Ok(Self {
            lines,
            table,
            events,
            pending,
            ready: VecDeque::new(),
        })
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        while self.ready.is_empty() {
            if !self.pending && !self.lines.advance()? {
                break;
            }
            self.pending = false;
            let row = self.lines.judge(self.table.row(self.lines.text()))?;
            self.events.draw(&row, &mut self.ready);
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
}

impl CandleEvents {
    /// Candles of `interval`, and those of `wanted` that are longer.
    pub(super) fn new(
        instrument: Instrument,
        interval: Interval,
        wanted: &[Interval],
        half_spread: Ppm,
    ) -> Self {
        let longer = wanted.iter().rev().filter(|wanted| **wanted > interval);
        Self {
            longer: longer
                .map(|wanted| CandleBuilder::new(instrument.id, *wanted))
                .collect(),
            instrument,
            interval,
            half_spread,
        }
    }

    fn draw(&mut self, row: &CandleRow, out: &mut VecDeque<(Timestamp, HistoryEvent)>) {
        let candle = self.candle(row);
        let start = candle.open_time;
        let half_spread = self.half_spread;
        let begins = CandleStart {
            candle,
            half_spread,
        };
        out.push_back((start, HistoryEvent::CandleStart(begins)));
        let end = candle.close_time();
        for builder in &mut self.longer {
            builder.close_until(start, |_| ());
            builder.add_candle(&candle);
            builder.close_until(end, |longer| {
                out.push_back((end, MarketEvent::Candle(longer).into()));
            });
            // A longer candle is emitted once, when it closes. The flat candle that the builder starts next is dropped.
            if builder.current().is_some_and(|next| next.open_time >= end) {
                builder.forget();
            }
        }
        out.push_back((end, MarketEvent::Candle(candle).into()));
    }

    fn candle(&self, row: &CandleRow) -> Candle {
        let rules = &self.instrument;
        let price = |value| Price(counts(value, rules.price_decimals).max(1));
        let volume = counts(row.volume.unwrap_or(0), rules.quantity_decimals);
        Candle {
            instrument: rules.id,
            interval: self.interval,
            complete: true,
            open_time: row.open_time,
            open: price(row.open),
            high: price(row.high),
            low: price(row.low),
            close: price(row.close),
            volume: rules.quantity_amount(tradewind_model::Quantity(volume)),
        }
    }
}
