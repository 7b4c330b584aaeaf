//! What strategies see of instruments that their bots only read.

use tradewind_events::{BotConfig, ReadData};
use tradewind_model::{BotId, Instrument, InstrumentId};
use tradewind_strategy::{MarketReader, Reading, Role};

use crate::parts::Parts;
use crate::parts::market::Market;

/// Whether a bot trades an instrument.
#[inline]
pub(super) fn role(config: &BotConfig, instrument: InstrumentId) -> Role {
    if config.instruments.contains(&instrument) {
        Role::Traded
    } else {
        Role::Read
    }
}

/// The market as strategies read it.
#[derive(Debug)]
pub(super) struct MarketOf<'a> {
    pub(super) instruments: &'a [Instrument],
    pub(super) market: &'a Market,
}

impl MarketReader for MarketOf<'_> {
    fn read(&self, instrument: InstrumentId) -> Option<Reading<'_>> {
        Some(Reading {
            instrument: self.instruments.get(instrument.index())?,
            health: self.market.health(instrument),
            quote: self.market.quote(instrument),
            depth: self.market.live_depth(instrument),
            trades: self.market.recent_trades(instrument),
        })
    }
}

/// What a bot reads, copied for another lane.
pub(super) fn read_data(parts: &Parts, bot: BotId) -> Vec<ReadData> {
    let reads = parts.bots.bot(bot).config().reads.iter();
    let data = reads.map(|&instrument| ReadData {
        instrument,
        health: parts.market.health(instrument),
        quote: parts.market.quote(instrument).copied(),
        depth: parts.market.live_depth(instrument).cloned(),
        trades: parts.market.recent_trades(instrument).to_vec(),
    });
    data.collect()
}
