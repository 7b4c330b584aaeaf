//! The default configuration and the generated market it trades on, a second at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind::config::{AbsentInstruments, DeskConfig, Listing};
use tradewind_events::{CandleHistory, Configuration, WakeRule};
use tradewind_model::{Candle, Instrument, InstrumentId, Interval, Quote, Timestamp, VenueId};
use tradewind_simx::{Generated, KlineRange, KlineStore, MarketEvent, MarketSource as _, universe};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_772_445_607);

/// The market, and the candles made of it.
pub(crate) struct World {
    generated: Generated,
    klines: KlineStore,
    /// The desk's instruments by the market's ids.
    instruments: Vec<Instrument>,
    intervals: BTreeSet<Interval>,
    now: Timestamp,
}

/// What one second brought.
pub(crate) struct News {
    /// Its end.
    pub(crate) until: Timestamp,
    /// Candles that closed in it.
    pub(crate) candles: Vec<Candle>,
    /// Its quotes and when each came.
    pub(crate) quotes: Vec<(Timestamp, Quote)>,
}

impl World {
    pub(crate) fn new() -> (Self, Configuration) {
        let config = DeskConfig::load(None, &BTreeMap::new(), Listing::Generated).unwrap();
        let listed = universe("binance", VenueId(0));
        let known = AbsentInstruments::Refuse;
        let configuration = config
            .resolve(&listed.instruments, listed.assets, known)
            .unwrap();
        let generated = Generated::new(config.simulation.seed, START, &listed.instruments);
        let ours = |listed: &Instrument| {
            let mut known = configuration.instruments.iter();
            known.find(|one| one.name == listed.name).unwrap().clone()
        };
        let wakes = configuration.bots.iter().flat_map(|bot| &bot.wakes);
        let intervals = wakes.filter_map(|wake| match wake {
            WakeRule::Candles(interval) => Some(*interval),
            WakeRule::Quotes | WakeRule::Every(_) | WakeRule::EveryAt { .. } => None,
        });
        let world = Self {
            klines: generated.kline_store(&listed.instruments),
            generated,
            instruments: listed.instruments.iter().map(ours).collect(),
            intervals: intervals.collect(),
            now: START,
        };
        (world, configuration)
    }

    pub(crate) fn next_second(&mut self) -> News {
        let until = self.now + Duration::from_secs(1);
        let mut quotes = Vec::new();
        let (instruments, klines) = (&self.instruments, &mut self.klines);
        self.generated
            .advance(until, &mut |at, happening| match happening {
                MarketEvent::Quote(quote) => {
                    let instrument = instruments[quote.instrument.index()].id;
                    quotes.push((
                        at,
                        Quote {
                            instrument,
                            ..quote
                        },
                    ));
                }
                MarketEvent::Trade(trade) => klines.record(at, &trade),
                MarketEvent::Levels(_) => {}
            });
        self.klines.pass(until);
        self.now = until;
        News {
            until,
            candles: self.closed_now(),
            quotes,
        }
    }

    /// The newest closed candles, as the venue would answer.
    pub(crate) fn history(
        &mut self,
        instrument: InstrumentId,
        interval: Interval,
        count: u32,
    ) -> CandleHistory {
        let mut places = self.instruments.iter();
        let place = places.position(|one| one.id == instrument).unwrap();
        CandleHistory {
            instrument,
            interval,
            candles: self.closed(place, interval, count as usize),
        }
    }

    fn closed_now(&mut self) -> Vec<Candle> {
        let mut candles = Vec::new();
        let before = self.now - Duration::from_secs(1);
        let all = self.intervals.iter().copied();
        let closing: Vec<Interval> = all
            .filter(|interval| interval.close_time(before) == self.now)
            .collect();
        for interval in closing {
            for place in 0..self.instruments.len() {
                let newest = self.closed(place, interval, 1).pop();
                candles.extend(newest.filter(|candle| candle.close_time() == self.now));
            }
        }
        candles
    }

    fn closed(&mut self, place: usize, interval: Interval, count: usize) -> Vec<Candle> {
        let id = InstrumentId(u32::try_from(place).unwrap());
        let newest = KlineRange::newest(count + 1);
        let klines = self.klines.klines(id, interval, newest);
        let closed = klines
            .iter()
            .filter(|kline| interval.close_time(kline.open_time) <= self.now);
        closed
            .map(|kline| kline.candle(interval, &self.instruments[place]))
            .collect()
    }
}
