//! Which bots are evaluated by which market data.

use std::collections::BTreeMap;

use tradewind_events::WakeRule;
use tradewind_model::{InstrumentId, Interval};

use super::bot::Bot;
use super::bot_instrument::BotInstrument;

/// Bots by what wakes them, each list in bot order.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    quotes: Vec<Vec<BotInstrument>>,
    candles: BTreeMap<(InstrumentId, Interval), Vec<BotInstrument>>,
}

impl Wakes {
    /// An index of no bots over a number of instruments.
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            quotes: vec![Vec::new(); instruments],
            candles: BTreeMap::new(),
        }
    }

    /// Adds a bot whose strategy is fed with candles of `intervals`.
    pub(super) fn add(&mut self, bot: &Bot, intervals: &[Interval]) {
        let config = bot.config();
        for &instrument in &config.instruments {
            let Some(slot) = bot.slot_of(instrument) else {
                continue;
            };
            let place = BotInstrument::new(config.id, slot);
            if config.wakes.contains(&WakeRule::Quotes) {
                self.quotes[instrument.index()].push(place);
            }
            for interval in intervals {
                let key = (instrument, *interval);
                self.candles.entry(key).or_default().push(place);
            }
        }
    }

    pub(super) fn on_quote(&self, instrument: InstrumentId) -> &[BotInstrument] {
        self.quotes
            .get(instrument.index())
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn on_candle(
        &self,
        instrument: InstrumentId,
        interval: Interval,
    ) -> &[BotInstrument] {
        self.candles
            .get(&(instrument, interval))
            .map_or(&[], Vec::as_slice)
    }

    /// Every instrument and interval that some bot is fed with.
    pub(super) fn candle_keys(&self) -> impl Iterator<Item = (InstrumentId, Interval)> + '_ {
        self.candles.keys().copied()
    }
}
