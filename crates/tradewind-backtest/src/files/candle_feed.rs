//! Candles as a market: four quotes each, then the candle itself and those that are put together from it.
//!
//! The quotes stand at the open, at a quarter of the interval, at its half and a millisecond before its end, in the order
//! open, low, high, close where the candle rises and open, high, low, close where it falls, half a spread around each
//! price. A candle is told at its end, the longest first, before the next one opens: so what is decided on it can be
//! filled at that open and not before.

use std::collections::VecDeque;
use std::time::Duration;

use tradewind_model::{
    Candle, CandleBuilder, Instrument, Interval, MarketEvent, Ppm, Price, Quote, Timestamp,
};
use tradewind_simx::recorded::{CandleRow, CandleTable};

use super::lines::Lines;
use super::survey::counts;
use crate::error::BacktestError;

/// The close's quote comes this long before the end.
const BEFORE_END: Duration = Duration::from_millis(1);

/// What is made of a table of candles, in order of time.
pub(super) struct CandleFeed {
    lines: Lines,
    table: CandleTable,
    course: Course,
    /// Whether the line it stands at is a candle that was not played.
    pending: bool,
    ready: VecDeque<(Timestamp, MarketEvent)>,
}

impl CandleFeed {
    pub(super) fn open(
        mut lines: Lines,
        table: CandleTable,
        headless: bool,
        course: Course,
    ) -> Result<Self, BacktestError> {
        let pending = lines.advance()? && headless;
        Ok(Self {
            lines,
            table,
            course,
            pending,
            ready: VecDeque::new(),
        })
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Option<(Timestamp, MarketEvent)>, BacktestError> {
        while self.ready.is_empty() {
            if !self.pending && !self.lines.advance()? {
                break;
            }
            self.pending = false;
            let row = self.lines.judge(self.table.row(self.lines.text()))?;
            self.course.draw(&row, &mut self.ready);
        }
        Ok(self.ready.pop_front())
    }
}

/// How a candle becomes events.
#[derive(Debug)]
pub(super) struct Course {
    instrument: Instrument,
    interval: Interval,
    half_spread: Ppm,
    /// Builders of the longer candles, longest first.
    longer: Vec<CandleBuilder>,
}

impl Course {
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

    fn draw(&mut self, row: &CandleRow, out: &mut VecDeque<(Timestamp, MarketEvent)>) {
        let candle = self.candle(row);
        let (first, second) = if candle.close >= candle.open {
            (candle.low, candle.high)
        } else {
            (candle.high, candle.low)
        };
        let length = self.interval.duration();
        let start = candle.open_time;
        let points = [
            (candle.open, Duration::ZERO),
            (first, length / 4),
            (second, length / 2),
            (candle.close, length - BEFORE_END),
        ];
        for (price, after) in points {
            let at = start + after;
            out.push_back((at, MarketEvent::Quote(self.quote(price, at))));
        }
        let end = candle.close_time();
        for builder in &mut self.longer {
            builder.close_until(start, |_| ());
            builder.add_candle(&candle);
            builder.close_until(end, |longer| {
                out.push_back((end, MarketEvent::Candle(longer)));
            });
            // What closes is told once; the flat start of the next candle is nobody's.
            if builder.current().is_some_and(|next| next.open_time >= end) {
                builder.forget();
            }
        }
        out.push_back((end, MarketEvent::Candle(candle)));
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

    fn quote(&self, price: Price, at: Timestamp) -> Quote {
        spread(&self.instrument, price, self.half_spread, at)
    }
}

/// A quote half a spread around a price, on ticks, one tick wide at least; any size can be had.
pub(super) fn spread(instrument: &Instrument, price: Price, half: Ppm, at: Timestamp) -> Quote {
    let tick = instrument.tick.0;
    let share = i128::from(price.0) * i128::from(half.0) / i128::from(Ppm::ONE.0);
    let half = i64::try_from(share).unwrap_or(0) / tick * tick;
    let bid = (price.0 - half).max(tick);
    let ask = (price.0 + half).max(bid + tick);
    Quote {
        instrument: instrument.id,
        bid: Price(bid),
        ask: Price(ask),
        bid_quantity: instrument.quantity_max.max(instrument.step),
        ask_quantity: instrument.quantity_max.max(instrument.step),
        event_time: Some(at),
        received_at: at,
    }
}
