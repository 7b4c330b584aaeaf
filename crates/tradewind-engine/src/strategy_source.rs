//! Where the engine takes strategies from.

use std::fmt;

use tradewind_events::BotConfig;
use tradewind_strategy::{BuildError, Strategy};

/// Builds a bot's strategy.
pub type StrategyFactory = dyn Fn(&BotConfig) -> Result<Box<dyn Strategy>, BuildError> + Send;

/// Builds strategies by a bot's configuration.
pub struct StrategySource(Box<StrategyFactory>);

impl StrategySource {
    /// The built-in strategies by their names, and rules.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new(|bot| {
            tradewind_rules::build(&bot.strategy, &bot.parameters, bot.instruments.len())
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

impl fmt::Debug for StrategySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StrategySource")
    }
}
