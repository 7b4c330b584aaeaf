//! The strategies of the inline lane, and what each bot's strategy is fed with.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tradewind_events::{BotConfig, EvaluationError, EvaluationOutcome, Lane};
use tradewind_model::{BotId, Candle, Interval, Wake};
use tradewind_strategy::{BuildError, Strategy, View, WarmUp};

use crate::strategy_source::StrategySource;

/// Strategies by bot, and where they come from.
#[derive(Debug)]
pub(crate) struct Strategies {
    source: StrategySource,
    entries: Vec<Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    /// `None` for a bot of another lane, for one never built, and after a panic.
    strategy: Option<Box<dyn Strategy>>,
    warm_ups: Vec<WarmUp>,
}

impl Strategies {
    pub(crate) const fn new(source: StrategySource) -> Self {
        Self {
            source,
            entries: Vec::new(),
        }
    }

    /// Drops every strategy and makes room for a number of bots.
    pub(crate) fn clear(&mut self, bots: usize) {
        self.entries.clear();
        self.entries.resize_with(bots, Entry::default);
    }

    /// Builds a bot's strategy anew, with nothing in it. On an error the old one stays.
    pub(crate) fn build(&mut self, config: &BotConfig) -> Result<(), BuildError> {
        let strategy = self.source.build(config)?;
        self.entries[config.id.index()] = Entry {
            warm_ups: strategy.timeframes(),
            // A strategy of another lane is built here only to learn what it is fed with.
            strategy: (config.lane == Lane::Inline).then_some(strategy),
        };
        Ok(())
    }

    /// What a bot's strategy is fed with.
    pub(crate) fn warm_ups(&self, bot: BotId) -> &[WarmUp] {
        &self.entries[bot.index()].warm_ups
    }

    /// The candles a bot's strategy is fed with.
    pub(crate) fn intervals(&self, bot: BotId) -> Vec<Interval> {
        let warm_ups = self.warm_ups(bot).iter();
        warm_ups.map(|warm_up| warm_up.interval).collect()
    }

    /// Calls a strategy of the inline lane. Its panic ends here and costs the bot its strategy's state, nothing else.
    pub(crate) fn call(
        &mut self,
        bot: BotId,
        view: &View<'_>,
        wake: Wake,
        candle: Option<&Candle>,
    ) -> EvaluationOutcome {
        let entry = &mut self.entries[bot.index()].strategy;
        let Some(mut strategy) = entry.take() else {
            return EvaluationOutcome::Decided(None);
        };
        let answer = catch_unwind(AssertUnwindSafe(|| match (wake, candle, view.quote) {
            (Wake::Quote, _, Some(quote)) => strategy.on_quote(view, quote).map(Some),
            (Wake::Candle(_), Some(candle), _) => strategy.on_candle(view, candle).map(Some),
            (Wake::Timer, _, _) => strategy.on_timer(view).map(Some),
            (Wake::Quote | Wake::Candle(_), _, _) => Ok(None),
        }));
        match answer {
            Ok(answer) => {
                *entry = Some(strategy);
                answer.map_or_else(
                    |error| EvaluationOutcome::Failed(EvaluationError::Error(error.to_string())),
                    EvaluationOutcome::Decided,
                )
            }
            Err(panic) => EvaluationOutcome::Failed(EvaluationError::Panic(words_of(&*panic))),
        }
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a word".to_owned())
}
