//! The generated market as a backtest's history, for the default desk in virtual time.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tradewind_backtest::{BacktestError, HistoryEvent, Source};
use tradewind_events::{Configuration, WakeRule};
use tradewind_model::{Candle, Instrument, InstrumentId, Interval, MarketEvent, Quote, Timestamp};
use tradewind_simx::{
    Generated, KlineRange, KlineStore, MarketEvent as Happening, MarketSource as _,
};

/// When it begins: a moment of no special place in the day.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_772_445_607);

/// The generated market as a history: past candles first, then quotes, trades, levels, and each candle as it closes.
pub(crate) struct Market {
    generated: Generated,
    klines: KlineStore,
    /// The desk's instruments by the market's ids.
    instruments: Vec<Instrument>,
    intervals: BTreeSet<Interval>,
    now: Timestamp,
    until: Timestamp,
    ready: VecDeque<(Timestamp, MarketEvent)>,
}

impl Market {
    pub(crate) fn new(
        seed: u64,
        span: Duration,
        listed: &[Instrument],
        desk: &Configuration,
    ) -> Self {
        let generated = Generated::new(seed, START, listed);
        let instruments = listed.iter().map(|one| {
            desk.instruments
                .iter()
                .find(|known| known.name == one.name)
                .expect("the desk has every instrument")
                .clone()
        });
        let wakes = desk.bots.iter().flat_map(|bot| &bot.wakes);
        let mut market = Self {
            klines: generated.kline_store(listed),
            generated,
            instruments: instruments.collect(),
            intervals: wakes
                .filter_map(|wake| match wake {
                    WakeRule::Candles(interval) => Some(*interval),
                    WakeRule::Quotes | WakeRule::Every(_) | WakeRule::EveryAt { .. } => None,
                })
                .collect(),
            now: START,
            until: START + span,
            ready: VecDeque::new(),
        };
        market.candles(START, 200);
        market
    }

    /// Puts the newest closed candles of every instrument and interval in line.
    fn candles(&mut self, at: Timestamp, count: usize) {
        for place in 0..self.instruments.len() {
            for interval in self.intervals.clone() {
                let id = InstrumentId(u32::try_from(place).expect("there are few"));
                let klines = self
                    .klines
                    .klines(id, interval, KlineRange::newest(count + 1));
                let closed = klines
                    .iter()
                    .filter(|kline| interval.close_time(kline.open_time) <= at);
                let candles: Vec<Candle> = closed
                    .map(|kline| kline.candle(interval, &self.instruments[place]))
                    .collect();
                let fresh = candles
                    .into_iter()
                    .filter(|candle| count > 1 || candle.close_time() == at);
                self.ready
                    .extend(fresh.map(|candle| (at, MarketEvent::Candle(candle))));
            }
        }
    }

    /// Lets the market run to the next minute, or to the end.
    fn refill(&mut self) {
        let next = Interval::Minute1.close_time(self.now).min(self.until);
        let (instruments, klines, ready) = (&self.instruments, &mut self.klines, &mut self.ready);
        self.generated.advance(next, &mut |at, happening| {
            let id = |market: InstrumentId| instruments[market.index()].id;
            let event = match happening {
                Happening::Quote(quote) => MarketEvent::Quote(Quote {
                    instrument: id(quote.instrument),
                    ..quote
                }),
                Happening::Trade(trade) => {
                    klines.record(at, &trade);
                    MarketEvent::Trade(tradewind_model::Trade {
                        instrument: id(trade.instrument),
                        ..trade
                    })
                }
                Happening::Levels(levels) => {
                    let mut levels = levels.clone();
                    levels.instrument = id(levels.instrument);
                    MarketEvent::Depth(Box::new(levels))
                }
            };
            ready.push_back((at, event));
        });
        self.klines.pass(next);
        self.now = next;
        self.candles(next, 1);
    }
}

impl Source for Market {
    fn next_event(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        while self.ready.is_empty() && self.now < self.until {
            self.refill();
        }
        let next = self.ready.pop_front();
        Ok(next.map(|(at, event)| (at, event.into())))
    }
}
