//! The strategies of the inline lane, and what each bot's strategy is fed with.

use serde::{Deserialize, Serialize};
use tradewind_events::{BotConfig, Lane, LaneState};
use tradewind_model::{BotId, Candle, Interval, Universe, Wake};
use tradewind_strategy::{
    BuildError, Evaluated, Explained, ReadUse, RestoreError, Strategy, View, WarmUp, evaluate,
};

use crate::bytes::Bytes;
use crate::strategy_source::StrategySource;

/// Strategies by bot, and where they come from.
#[derive(Debug)]
pub(crate) struct Strategies {
    source: StrategySource,
    entries: Vec<Entry>,
    saving: Option<Saving>,
}

#[derive(Debug, Default)]
struct Entry {
    /// `None` for a bot of another lane, for one never built, and after a panic.
    strategy: Option<Box<dyn Strategy>>,
    warm_ups: Vec<WarmUp>,
    /// Whether daily candles are of the bot's universe alone.
    skips_days: bool,
    reads: ReadUse,
    /// What a strategy of another lane handed in last.
    lane: Option<SavedLane>,
}

/// A strategy's state; of a bot of the inline lane, or of another lane.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedStrategy {
    inline: Option<Bytes>,
    lane: Option<SavedLane>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedLane {
    request: u64,
    state: Bytes,
}

/// A snapshot in progress, which needs every strategy as it was when the snapshot began.
#[derive(Debug)]
struct Saving {
    /// The next bot whose strategy is written.
    next: usize,
    /// Strategies that were saved before their turn, because they were about to change.
    early: Vec<Option<SavedStrategy>>,
}

impl Strategies {
    pub(crate) const fn new(source: StrategySource) -> Self {
        Self {
            source,
            entries: Vec::new(),
            saving: None,
        }
    }

    /// Drops every strategy and makes room for a number of bots.
    pub(crate) fn clear(&mut self, bots: usize) {
        self.entries.clear();
        self.saving = None;
        self.grow(bots);
    }

    /// Makes room for a number of bots. The strategies of the others stay.
    pub(crate) fn grow(&mut self, bots: usize) {
        let bots = bots.max(self.entries.len());
        self.entries.resize_with(bots, Entry::default);
    }

    /// Rebuilds a bot's strategy, without state but what one of another lane handed in. On an error the old strategy stays.
    pub(crate) fn build(&mut self, config: &BotConfig) -> Result<(), BuildError> {
        let strategy = self.source.build(config)?;
        self.save_before_change(config.id);
        let mut warm_ups = strategy.timeframes();
        let skips_days = config
            .universe
            .is_some_and(|universe| add_days(&mut warm_ups, universe));
        self.entries[config.id.index()] = Entry {
            warm_ups,
            skips_days,
            reads: strategy.reads(),
            // A strategy of another lane is built here only to read which candles it is fed with. Its state is its own: it gets it back.
            strategy: (config.lane == Lane::Inline).then_some(strategy),
            lane: self.entries[config.id.index()].lane.take(),
        };
        Ok(())
    }

    /// What a bot's strategy is fed with.
    pub(crate) fn warm_ups(&self, bot: BotId) -> &[WarmUp] {
        &self.entries[bot.index()].warm_ups
    }

    /// Whether a bot's strategy is not fed with the daily candles that its universe is chosen by.
    pub(crate) fn skips_days(&self, bot: BotId) -> bool {
        self.entries[bot.index()].skips_days
    }

    /// What a bot's strategy uses of the instruments that it only reads.
    pub(crate) fn reads(&self, bot: BotId) -> &ReadUse {
        &self.entries[bot.index()].reads
    }

    /// The candles a bot's strategy is fed with.
    pub(crate) fn intervals(&self, bot: BotId) -> Vec<Interval> {
        let warm_ups = self.warm_ups(bot).iter();
        warm_ups.map(|warm_up| warm_up.interval).collect()
    }

    /// Another traded instrument that a strategy of the inline lane can decide on now, by slot.
    pub(crate) fn next_ready(&mut self, bot: BotId) -> Option<usize> {
        let strategy = self.entries[bot.index()].strategy.as_mut()?;
        strategy.next_ready()
    }

    /// What a strategy of the inline lane looks for in an instrument, with the values of its last evaluation.
    pub(crate) fn explain(&self, bot: BotId, slot: usize) -> Vec<Explained> {
        let strategy = self.entries[bot.index()].strategy.as_ref();
        strategy.map_or_else(Vec::new, |strategy| strategy.explain(slot))
    }

    /// Calls a strategy of the inline lane. A panic is caught here: the bot loses only its strategy's state.
    #[inline(always)]
    pub(crate) fn call(
        &mut self,
        bot: BotId,
        view: &View<'_>,
        wake: Wake,
        candle: Option<&Candle>,
    ) -> Evaluated {
        self.save_before_change(bot);
        let entry = &mut self.entries[bot.index()].strategy;
        let Some(strategy) = entry else {
            return Evaluated::Decided(None);
        };
        let evaluated = evaluate(strategy.as_mut(), view, wake, candle);
        if matches!(evaluated, Evaluated::Panicked(_)) {
            *entry = None;
        }
        evaluated
    }
}

/// Saving and restoring.
impl Strategies {
    /// Keeps what a strategy of another lane handed in; nothing for an unknown bot.
    pub(crate) fn keep_lane(&mut self, state: &LaneState) {
        self.save_before_change(state.bot);
        let Some(entry) = self.entries.get_mut(state.bot.index()) else {
            return;
        };
        entry.lane = Some(SavedLane {
            request: state.request,
            state: Bytes(state.state.clone()),
        });
    }

    /// What strategies of other lanes handed in last.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = LaneState> + '_ {
        bots(&self.entries).filter_map(|(bot, entry)| {
            let lane = entry.lane.as_ref()?;
            Some(LaneState {
                bot,
                request: lane.request,
                state: lane.state.0.clone(),
            })
        })
    }

    /// Every strategy's state as it is now.
    pub(crate) fn saved(&self) -> impl Iterator<Item = (BotId, SavedStrategy)> + '_ {
        bots(&self.entries).map(|(bot, entry)| (bot, entry.save()))
    }

    /// From now on the strategies' state as it is now can be taken with [`next_saved`](Self::next_saved).
    pub(crate) fn begin_save(&mut self) {
        let early = self.entries.iter().map(|_| None).collect();
        self.saving = Some(Saving { next: 0, early });
    }

    /// The next bot's strategy as it was at [`begin_save`](Self::begin_save); `None` after the last.
    pub(crate) fn next_saved(&mut self) -> Option<(BotId, SavedStrategy)> {
        let saving = self.saving.as_mut()?;
        let index = saving.next;
        let Some(early) = saving.early.get_mut(index) else {
            self.saving = None;
            return None;
        };
        saving.next += 1;
        let saved = early.take();
        let (bot, entry) = bots(&self.entries).nth(index)?;
        Some((bot, saved.unwrap_or_else(|| entry.save())))
    }

    /// Saves a strategy that is about to change, if a snapshot still needs it as it is.
    #[inline]
    fn save_before_change(&mut self, bot: BotId) {
        if self.saving.is_some() {
            self.save_early(bot);
        }
    }

    #[cold]
    fn save_early(&mut self, bot: BotId) {
        if let Some(saving) = &mut self.saving
            && bot.index() >= saving.next
            && let Some(early) = saving.early.get_mut(bot.index())
        {
            early.get_or_insert_with(|| self.entries[bot.index()].save());
        }
    }

    /// Gives a strategy that was just built its saved state.
    pub(crate) fn restore(&mut self, bot: BotId, saved: SavedStrategy) -> Result<(), RestoreError> {
        let entry = &mut self.entries[bot.index()];
        entry.lane = saved.lane;
        let Some(state) = saved.inline else {
            entry.strategy = None;
            return Ok(());
        };
        let strategy = entry.strategy.as_mut();
        strategy.map_or(Ok(()), |strategy| strategy.restore(&state.0))
    }
}

impl Entry {
    fn save(&self) -> SavedStrategy {
        let inline = self.strategy.as_ref();
        SavedStrategy {
            inline: inline.map(|strategy| Bytes(strategy.save())),
            lane: self.lane.clone(),
        }
    }
}

/// Adds the daily candles that a universe is chosen by. True if the strategy itself uses none.
fn add_days(warm_ups: &mut Vec<WarmUp>, universe: Universe) -> bool {
    let candles = universe.candles();
    let mut known = warm_ups.iter_mut();
    if let Some(days) = known.find(|one| one.interval == Interval::Day1) {
        days.candles = days.candles.max(candles);
        return false;
    }
    warm_ups.push(WarmUp {
        interval: Interval::Day1,
        candles,
    });
    true
}

/// Entries with the bots they belong to.
fn bots(entries: &[Entry]) -> impl Iterator<Item = (BotId, &Entry)> {
    (0..).map(BotId).zip(entries)
}
