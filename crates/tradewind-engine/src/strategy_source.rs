//! Where the engine takes strategies from.

use std::fmt;

use tradewind_events::{BotConfig, StrategyProcess};
use tradewind_strategy::{BuildError, RestoreError, Strategy, WarmUp};

/// Builds a bot's strategy.
pub type StrategyFactory = dyn Fn(&BotConfig) -> Result<Box<dyn Strategy>, BuildError> + Send;

/// Builds strategies by a bot's configuration.
pub struct StrategySource(Box<StrategyFactory>);

impl StrategySource {
    /// The built-in strategies by their names, rules, and what strategies of other processes declare.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new(|bot| match &bot.process {
            Some(process) => Ok(Box::new(Declared::new(process))),
            None => tradewind_rules::build(&bot.strategy, &bot.parameters, bot.instruments.len()),
        })
    }

    /// Strategies from a function of the caller's.
    #[must_use]
    pub fn new(
        factory: impl Fn(&BotConfig) -> Result<Box<dyn Strategy>, BuildError> + Send + 'static,
    ) -> Self {
        Self(Box::new(factory))
    }

    pub(crate) fn build(&self, bot: &BotConfig) -> Result<Box<dyn Strategy>, BuildError> {
        (self.0)(bot)
    }
}

/// Stands in the engine for a strategy of another process: it says what the strategy is fed, and decides nothing.
#[derive(Debug)]
struct Declared {
    timeframes: Vec<WarmUp>,
}

impl Declared {
    fn new(process: &StrategyProcess) -> Self {
        let timeframes = process.timeframes.iter();
        let timeframes = timeframes.map(|(interval, candles)| WarmUp {
            interval: *interval,
            candles: *candles,
        });
        Self {
            timeframes: timeframes.collect(),
        }
    }
}

impl Strategy for Declared {
    fn timeframes(&self) -> Vec<WarmUp> {
        self.timeframes.clone()
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

impl fmt::Debug for StrategySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StrategySource")
    }
}
