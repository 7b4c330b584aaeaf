//! All bots, found by dense id, and the index of what wakes them.

use tradewind_events::BotConfig;
use tradewind_model::{BotId, Instrument, InstrumentId, Interval, Timestamp};
use tradewind_strategy::ReadUse;

use super::bot::Bot;
use super::bot_instrument::BotInstrument;
use super::instrument_state::InstrumentState;
use super::wakes::Wakes;

/// The bots, in the order of configuration, which is the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Bots {
    bots: Vec<Bot>,
    wakes: Wakes,
    /// Whether the bots got their turns to start, which happens once.
    scheduled: bool,
    /// When the last run of the desk ended, if there was one.
    down_since: Option<Timestamp>,
}

impl Bots {
    /// Bots that are not started and that nothing wakes.
    pub(crate) fn new(configs: &[BotConfig]) -> Self {
        Self {
            bots: configs.iter().cloned().map(Bot::new).collect(),
            ..Self::default()
        }
    }

    /// Builds the index of wakes; `intervals` returns the intervals that a bot's strategy is fed with, and `reads` what it
    /// uses of the instruments that it only reads.
    pub(crate) fn index_wakes(
        &mut self,
        instruments: &[Instrument],
        intervals: impl Fn(BotId) -> Vec<Interval>,
        reads: impl Fn(BotId) -> ReadUse,
    ) {
        self.wakes = Wakes::new(instruments.len());
        for bot in self.bots.iter().filter(|bot| !bot.is_removed()) {
            let id = bot.config().id;
            self.wakes.add(bot, &intervals(id));
            self.wakes.add_reads(bot, &reads(id), instruments);
        }
    }

    /// Adds a bot that is not started. Its id is the next one.
    pub(crate) fn add(&mut self, config: BotConfig) {
        self.bots.push(Bot::new(config));
    }

    /// True the first time: the bots get their turns to start.
    pub(crate) const fn start_schedule(&mut self) -> bool {
        !std::mem::replace(&mut self.scheduled, true)
    }

    /// A new start of the desk: the bots get their turns again.
    pub(crate) const fn end_schedule(&mut self) {
        self.scheduled = false;
    }

    /// Notes when the last run of the desk ended.
    pub(crate) const fn set_down_since(&mut self, at: Option<Timestamp>) {
        self.down_since = at;
    }

    /// When the last run of the desk ended, if there was one.
    pub(crate) const fn down_since(&self) -> Option<Timestamp> {
        self.down_since
    }

    pub(crate) const fn are_scheduled(&self) -> bool {
        self.scheduled
    }

    pub(crate) const fn restore_schedule(&mut self, scheduled: bool) {
        self.scheduled = scheduled;
    }

    /// Adds a saved bot. They come in the order of their ids. One that an older build saved has no state of what it reads.
    pub(crate) fn restore(&mut self, mut bot: Bot) {
        bot.add_instruments();
        self.bots.push(bot);
    }

    pub(crate) fn get(&self, bot: BotId) -> Option<&Bot> {
        self.bots.get(bot.index())
    }

    pub(crate) fn get_mut(&mut self, bot: BotId) -> Option<&mut Bot> {
        self.bots.get_mut(bot.index())
    }

    /// A bot that is known to exist.
    pub(crate) fn bot(&self, bot: BotId) -> &Bot {
        &self.bots[bot.index()]
    }

    /// A bot that is known to exist.
    pub(crate) fn bot_mut(&mut self, bot: BotId) -> &mut Bot {
        &mut self.bots[bot.index()]
    }

    /// A bot's state in one instrument.
    pub(crate) fn at(&self, place: BotInstrument) -> &InstrumentState {
        &self.bot(place.bot()).instruments()[place.slot()]
    }

    /// A bot's state in one instrument.
    pub(crate) fn at_mut(&mut self, place: BotInstrument) -> &mut InstrumentState {
        self.bot_mut(place.bot()).instrument_mut(place.slot())
    }

    /// A bot's place in an instrument, if it has one there: what it only reads is none.
    pub(crate) fn place(&self, bot: BotId, instrument: InstrumentId) -> Option<BotInstrument> {
        let known = self.get(bot)?;
        let slot = known.slot_of(instrument)?;
        let is_only_read = known.instruments()[slot].is_only_read();
        (!is_only_read).then(|| BotInstrument::new(bot, slot))
    }

    /// A bot's places, in the order of its instruments. Holds no borrow.
    pub(crate) fn places(&self, bot: BotId) -> impl Iterator<Item = BotInstrument> + use<> {
        let slots = 0..self.bot(bot).instruments().len();
        slots.map(move |slot| BotInstrument::new(bot, slot))
    }

    /// Whether the bot still trades the instrument of one of its places.
    pub(crate) fn is_traded(&self, place: BotInstrument) -> bool {
        let config = self.bot(place.bot()).config();
        let instrument = self.at(place).instrument();
        config.reads.is_empty() || config.instruments.contains(&instrument)
    }

    /// Ids of all bots. Holds no borrow.
    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = BotId> + use<> {
        let count = u32::try_from(self.bots.len()).expect("a bot's id has 32 bits");
        (0..count).map(BotId)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bot> {
        self.bots.iter()
    }

    /// The bots that are evaluated on a quote of an instrument, in bot order.
    pub(crate) fn woken_by_quote(&self, instrument: InstrumentId) -> &[BotInstrument] {
        self.wakes.on_quote(instrument)
    }

    /// The bots that are fed with a candle, in bot order.
    pub(crate) fn fed_by_candle(
        &self,
        instrument: InstrumentId,
        interval: Interval,
    ) -> &[BotInstrument] {
        self.wakes.on_candle(instrument, interval)
    }

    /// The bots that are evaluated on a quote of an instrument that they only read, in bot order.
    pub(crate) fn woken_by_read_quote(&self, instrument: InstrumentId) -> &[BotInstrument] {
        self.wakes.on_read_quote(instrument)
    }

    /// The places of a bot that are evaluated on a closed candle of an instrument that it only reads.
    pub(crate) fn woken_by_read_candle(
        &self,
        bot: BotId,
        instrument: InstrumentId,
        interval: Interval,
    ) -> &[BotInstrument] {
        self.wakes.on_read_candle(bot, instrument, interval)
    }

    /// Whether some bot only reads an instrument.
    pub(crate) fn is_read(&self, instrument: InstrumentId) -> bool {
        let mut bots = self.bots.iter().filter(|bot| !bot.is_removed());
        bots.any(|bot| bot.config().reads.contains(&instrument))
    }

    /// Every instrument and interval that some bot is fed with.
    pub(crate) fn candle_keys(&self) -> impl Iterator<Item = (InstrumentId, Interval)> + '_ {
        self.wakes.candle_keys()
    }
}
