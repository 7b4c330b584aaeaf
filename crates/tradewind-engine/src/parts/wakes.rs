//! Who is woken by what.

use std::collections::BTreeMap;

use tradewind_events::{BotConfig, WakeRule};
use tradewind_model::{BotId, InstrumentId, Interval};

/// A bot and which of its instruments.
pub(crate) type BotInstrument = (BotId, usize);

/// Bots by what wakes them, each list in bot order.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    quotes: Vec<Vec<BotInstrument>>,
    candles: BTreeMap<(InstrumentId, Interval), Vec<BotInstrument>>,
}

impl Wakes {
    /// The index for these bots over so many instruments.
    pub(crate) fn new(instruments: usize) -> Self {
        Self {
            quotes: vec![Vec::new(); instruments],
            candles: BTreeMap::new(),
        }
    }

    /// Adds a bot; its strategy is fed with `intervals`.
    pub(crate) fn add(&mut self, bot: &BotConfig, intervals: &[Interval]) {
        for (slot, instrument) in bot.instruments.iter().enumerate() {
            if bot.wakes.contains(&WakeRule::Quotes) {
                self.quotes[instrument.index()].push((bot.id, slot));
            }
            for interval in intervals {
                self.candles
                    .entry((*instrument, *interval))
                    .or_default()
                    .push((bot.id, slot));
            }
        }
    }

    pub(crate) fn on_quote(&self, instrument: InstrumentId) -> &[BotInstrument] {
        self.quotes
            .get(instrument.index())
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn on_candle(
        &self,
        instrument: InstrumentId,
        interval: Interval,
    ) -> &[BotInstrument] {
        self.candles
            .get(&(instrument, interval))
            .map_or(&[], Vec::as_slice)
    }

    /// Every instrument and interval some bot wants candles of.
    pub(crate) fn candle_keys(&self) -> impl Iterator<Item = (InstrumentId, Interval)> + '_ {
        self.candles.keys().copied()
    }
}
