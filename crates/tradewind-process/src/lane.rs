//! The strategy of a bot that has a process: a file of the user's, or rules over a model.

use tradewind_events::BotConfig;
use tradewind_model::{Candle, Decision, Instrument, Ppm, Quote};
use tradewind_strategy::{
    BuildError, Explained, RestoreError, Strategy, StrategyError, View, WarmUp,
};

use crate::error::ProcessError;
use crate::host::Processes;
use crate::model::{MODEL, ModelStrategy};
use crate::strategy::{Mode, ProcessStrategy};

/// One of both.
#[derive(Debug)]
pub enum LaneStrategy {
    /// A class in a file.
    File(Box<ProcessStrategy>),
    /// Rules over a model's prediction.
    Model(Box<ModelStrategy>),
}

impl LaneStrategy {
    /// The strategy of a bot whose candles come one by one. `fee` is the one that the desk reckons with.
    ///
    /// # Errors
    /// Rules or features that are wrong: the configuration has refused them before.
    pub fn live(
        bot: &BotConfig,
        instruments: &[Instrument],
        processes: &Processes,
        fee: Ppm,
    ) -> Result<Self, BuildError> {
        let kind = bot.process.as_deref().map(|process| process.kind.as_str());
        if kind == Some(MODEL) {
            let model = ModelStrategy::new(bot, processes)?;
            return Ok(Self::Model(Box::new(model)));
        }
        let file = ProcessStrategy::new(bot, instruments, processes, Mode::Live).with_fee(fee);
        Ok(Self::File(Box::new(file)))
    }

    /// Loads what its process needs, so that the first evaluation does not wait for it.
    ///
    /// # Errors
    /// What went wrong; the process was killed.
    pub fn load(&mut self) -> Result<(), ProcessError> {
        match self {
            Self::File(file) => file.load(),
            Self::Model(model) => model.load(),
        }
    }

    /// The state, if it changed since the last call. Rules over a model warm up again instead.
    pub fn take_state(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::File(file) => file.take_state(),
            Self::Model(_) => None,
        }
    }

    fn strategy(&mut self) -> &mut dyn Strategy {
        match self {
            Self::File(file) => file.as_mut(),
            Self::Model(model) => model.as_mut(),
        }
    }

    fn known(&self) -> &dyn Strategy {
        match self {
            Self::File(file) => file.as_ref(),
            Self::Model(model) => model.as_ref(),
        }
    }
}

impl Strategy for LaneStrategy {
    fn timeframes(&self) -> Vec<WarmUp> {
        self.known().timeframes()
    }

    fn on_quote(&mut self, view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        self.strategy().on_quote(view, quote)
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        self.strategy().on_candle(view, candle)
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        self.strategy().on_timer(view)
    }

    fn explain(&self, slot: usize) -> Vec<Explained> {
        self.known().explain(slot)
    }

    fn save(&self) -> Vec<u8> {
        self.known().save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.strategy().restore(state)
    }
}
