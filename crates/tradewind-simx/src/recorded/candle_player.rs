//! Plays candles as if somebody had traded them: a course of quotes and prints that folds into the same candle again.
//!
//! A candle is walked from its open over one extreme and the other to its close: the low comes first where the candle
//! rises, the high where it falls. The four points are prints at the start, a quarter, the half and just before the end,
//! which share its volume. Between them the touch moves in a straight line, one quote a second (or 3,600 a candle, for
//! those longer than an hour), one tick wide, on the side that was taken. It is a course that could have been and not the
//! one that was: nothing that happens *inside* a candle is evidence of anything.

use std::collections::VecDeque;
use std::time::Duration;

use tradewind_model::{
    Instrument, Interval, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
};

use crate::market::MarketRecord;

const POINTS: i64 = 4;
/// The last print comes this long before the candle ends.
const BEFORE_END: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Share of a candle's volume that the touch shows.
const SHOWN_PART: i64 = 20;

/// One candle, in counts of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleRow {
    /// Start of its interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Volume; `None` where it is not known.
    pub volume: Option<Quantity>,
}

/// Several instruments' candles, played together.
#[derive(Debug, Default)]
pub struct CandlePlayer {
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    instrument: Instrument,
    interval: Interval,
    rows: std::vec::IntoIter<CandleRow>,
    ready: VecDeque<(Timestamp, MarketRecord)>,
}

impl CandlePlayer {
    /// Adds an instrument's candles of one interval, in order of time.
    pub fn add(&mut self, instrument: Instrument, interval: Interval, rows: Vec<CandleRow>) {
        let mut series = Series {
            instrument,
            interval,
            rows: rows.into_iter(),
            ready: VecDeque::new(),
        };
        series.refill();
        self.series.push(series);
    }

    /// The next record of any of them.
    pub fn next_record(&mut self) -> Option<(Timestamp, MarketRecord)> {
        let at = |series: &Series| series.ready.front().map(|(at, _)| *at);
        let next = self
            .series
            .iter_mut()
            .filter(|series| !series.ready.is_empty())
            .min_by_key(|series| at(series))?;
        let record = next.ready.pop_front();
        next.refill();
        record
    }
}

impl Series {
    /// Draws the next candle's course when the last one is over.
    fn refill(&mut self) {
        while self.ready.is_empty() {
            let Some(row) = self.rows.next() else { return };
            self.draw(&row);
        }
    }

    fn draw(&mut self, row: &CandleRow) {
        let prices = points(row);
        let length = self.interval.duration();
        let volume = row.volume.map_or(POINTS, |volume| volume.0);
        let times = [Duration::ZERO, length / 4, length / 2, length - BEFORE_END]
            .map(|after| row.open_time + after);
        let step = SECOND.max(length / 3_600);
        for (place, (price, at)) in (0_i64..).zip(prices.into_iter().zip(times)) {
            let before = prices
                .get(usize::try_from(place).unwrap_or(0).saturating_sub(1))
                .copied()
                .unwrap_or(price);
            let taker = if price >= before {
                Side::Buy
            } else {
                Side::Sell
            };
            self.quote(at, price, taker, volume);
            if volume > 0 {
                let part = volume / POINTS
                    + if place == POINTS - 1 {
                        volume % POINTS
                    } else {
                        0
                    };
                self.print(at, price, taker, part.max(1));
            }
            let next = usize::try_from(place + 1).unwrap_or(0);
            if let Some((to, end)) = prices.get(next).copied().zip(times.get(next).copied()) {
                self.walk(
                    Leg {
                        from: price,
                        to,
                        start: at,
                        end,
                        step,
                    },
                    volume,
                );
            }
        }
    }

    fn walk(&mut self, leg: Leg, volume: i64) {
        let span = i128::try_from(leg.end.since(leg.start).as_nanos())
            .unwrap_or(i128::MAX)
            .max(1);
        let taker = if leg.to >= leg.from {
            Side::Buy
        } else {
            Side::Sell
        };
        let mut at = leg.start + leg.step;
        while at < leg.end {
            let gone = i128::try_from(at.since(leg.start).as_nanos()).unwrap_or(0);
            let moved = i128::from(leg.to - leg.from) * gone / span;
            self.quote(
                at,
                leg.from + i64::try_from(moved).unwrap_or(0),
                taker,
                volume,
            );
            at = at + leg.step;
        }
    }

    /// The touch when `taker` has just traded at `price`.
    fn quote(&mut self, at: Timestamp, price: i64, taker: Side, volume: i64) {
        let tick = self.instrument.tick.0;
        let (bid, ask) = if taker == Side::Buy && price > tick {
            (price - tick, price)
        } else {
            (price, price + tick)
        };
        let shown = Quantity((volume / SHOWN_PART).max(self.instrument.step.0));
        self.ready.push_back((
            at,
            MarketRecord::Quote(Quote {
                instrument: self.instrument.id,
                bid: Price(bid),
                ask: Price(ask),
                bid_quantity: shown,
                ask_quantity: shown,
                event_time: None,
                received_at: at,
            }),
        ));
    }

    fn print(&mut self, at: Timestamp, price: i64, taker: Side, quantity: i64) {
        self.ready.push_back((
            at,
            MarketRecord::Trade(Trade {
                instrument: self.instrument.id,
                taker,
                // The exchange numbers its prints itself.
                id: TradeId(0),
                price: Price(price),
                quantity: Quantity(quantity),
                event_time: Some(at),
                received_at: at,
            }),
        ));
    }
}

/// The prices of the four points.
fn points(row: &CandleRow) -> [i64; 4] {
    let (first, second) = if row.close >= row.open {
        (row.low, row.high)
    } else {
        (row.high, row.low)
    };
    [row.open, first, second, row.close].map(|price| price.0.max(1))
}

/// A straight move of the touch.
#[derive(Clone, Copy)]
struct Leg {
    from: i64,
    to: i64,
    start: Timestamp,
    end: Timestamp,
    step: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_model::{Amount, CandleBuilder, VenueId};

    proptest! {
        #[test]
        fn what_is_played_folds_into_the_candle_it_came_from(
            low in 1_i64..1_000, open in 0_i64..50, close in 0_i64..50, above in 0_i64..50, volume in 4_i64..1_000,
        ) {
            let bitcoin = crate::universe("simx", VenueId(0)).instruments.remove(0);
            let cents = Price;
            let high = low + open.max(close) + above;
            let row = CandleRow {
                open_time: Timestamp::from_secs(600),
                open: cents(low + open),
                high: cents(high),
                low: cents(low),
                close: cents(low + close),
                volume: Some(Quantity(volume)),
            };
            let mut player = CandlePlayer::default();
            player.add(bitcoin.clone(), Interval::Minute1, vec![row]);
            let mut builder = CandleBuilder::new(bitcoin.id, Interval::Minute1);
            let (mut last, mut quotes) = (Timestamp::EPOCH, 0);
            while let Some((at, record)) = player.next_record() {
                prop_assert!(at >= last, "records come in order of time");
                last = at;
                match record {
                    MarketRecord::Trade(trade) => builder.add_trade(at, trade.price, Amount(trade.quantity.0.into())),
                    MarketRecord::Quote(quote) => {
                        quotes += 1;
                        prop_assert!(quote.is_sound());
                    }
                    MarketRecord::Levels(_) => {}
                }
            }
            let candle = builder.current().unwrap();
            let found = (candle.open.0, candle.high.0, candle.low.0, candle.close.0, candle.volume.0);
            prop_assert_eq!(found, (low + open, high, low, low + close, volume.into()));
            prop_assert!(quotes >= 60);
        }
    }
}
