//! Which bots are evaluated by which market data.

use std::collections::BTreeMap;

use tradewind_events::WakeRule;
use tradewind_model::{BotId, Instrument, InstrumentId, Interval};
use tradewind_strategy::ReadUse;

use super::bot::Bot;
use super::bot_instrument::BotInstrument;

/// Bots by what wakes them, each list in bot order.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    quotes: Vec<Vec<BotInstrument>>,
    candles: BTreeMap<(InstrumentId, Interval), Vec<BotInstrument>>,
    /// Traded places by an instrument that their bots only read.
    read_quotes: Vec<Vec<BotInstrument>>,
    read_candles: BTreeMap<(BotId, InstrumentId, Interval), Vec<BotInstrument>>,
}

impl Wakes {
    /// An index of no bots over a number of instruments.
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            quotes: vec![Vec::new(); instruments],
            candles: BTreeMap::new(),
            read_quotes: vec![Vec::new(); instruments],
            read_candles: BTreeMap::new(),
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

    /// Adds what a bot's strategy uses of the instruments that it only reads.
    pub(super) fn add_reads(&mut self, bot: &Bot, used: &ReadUse, instruments: &[Instrument]) {
        let config = bot.config();
        let is_only_read = |read: &&InstrumentId| !config.instruments.contains(read);
        for &read in config.reads.iter().filter(is_only_read) {
            let pairs = |traded: &&InstrumentId| {
                let pairing = used.pairing;
                pairing.pairs(&instruments[traded.index()], &instruments[read.index()])
            };
            let traded = config.instruments.iter().filter(pairs);
            let slots = traded.filter_map(|traded| bot.slot_of(*traded));
            let places = slots.map(|slot| BotInstrument::new(config.id, slot));
            let places: Vec<BotInstrument> = places.collect();
            if used.quotes {
                self.read_quotes[read.index()].extend(&places);
            }
            let Some(fed) = bot.slot_of(read) else {
                continue;
            };
            for warm_up in &used.candles {
                let key = (read, warm_up.interval);
                let fed = BotInstrument::new(config.id, fed);
                self.candles.entry(key).or_default().push(fed);
                let key = (config.id, read, warm_up.interval);
                self.read_candles.insert(key, places.clone());
            }
        }
    }

    pub(super) fn on_read_quote(&self, instrument: InstrumentId) -> &[BotInstrument] {
        self.read_quotes
            .get(instrument.index())
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn on_read_candle(
        &self,
        bot: BotId,
        instrument: InstrumentId,
        interval: Interval,
    ) -> &[BotInstrument] {
        self.read_candles
            .get(&(bot, instrument, interval))
            .map_or(&[], Vec::as_slice)
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
