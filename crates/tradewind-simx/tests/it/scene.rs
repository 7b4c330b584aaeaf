//! A generated market on an exchange, with its candles.

#![allow(unreachable_pub, reason = "shared by test files")]

use std::time::Duration;

use tradewind_model::{Instrument, Timestamp, VenueId};
use tradewind_simx::{
    Exchange, ExchangeConfig, Generated, KlineStore, MarketEvent, MarketSource, Outbox, universe,
};

pub const START: Timestamp = Timestamp::from_secs(1_767_225_630);

pub fn listed() -> Vec<Instrument> {
    universe("simx", VenueId(0)).instruments
}

pub fn after(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

/// A market of all instruments on an exchange, with its candles.
pub struct Scene {
    pub market: Generated,
    pub exchange: Exchange,
    pub klines: KlineStore,
    pub out: Outbox,
}

impl Scene {
    pub fn new(seed: u64) -> Self {
        let instruments = listed();
        let market = Generated::new(seed, START, &instruments);
        let klines = market.kline_store(&instruments);
        Self {
            market,
            exchange: Exchange::new(ExchangeConfig::default(), instruments),
            klines,
            out: Outbox::default(),
        }
    }

    /// Plays until `until` and shows every event and the exchange right after it.
    pub fn play(&mut self, until: Timestamp, mut each: impl FnMut(&Exchange, MarketEvent<'_>)) {
        let Self {
            market,
            exchange,
            klines,
            out,
        } = self;
        market.advance(until, &mut |at, event| {
            out.clear();
            exchange.market(at, event, out);
            out.prints.iter().for_each(|print| klines.record(at, print));
            each(exchange, event);
        });
    }
}
