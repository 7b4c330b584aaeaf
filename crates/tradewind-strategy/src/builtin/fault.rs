//! What the strategies that misbehave on purpose share: they do the same at each wake, whatever wakes them, and remember
//! nothing.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tradewind_model::{Candle, Decision, Interval, Quote};

use super::saved;
use crate::catalogue::StrategyInfo;
use crate::parameter_info::IntervalParameter;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(super) const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute1,
    description: "candles whose close wakes it",
};

/// One of them, with its parameters as its settings.
#[derive(Debug)]
pub(super) struct Fault<S> {
    pub(super) info: &'static StrategyInfo,
    pub(super) interval: Interval,
    pub(super) settings: S,
    /// What it does at each wake.
    pub(super) wake: fn(&S) -> Result<Decision, StrategyError>,
}

impl<S> Strategy for Fault<S>
where
    S: fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send,
{
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: self.interval,
            candles: 0,
        }]
    }

    fn on_quote(&mut self, _view: &View<'_>, _quote: &Quote) -> Result<Decision, StrategyError> {
        (self.wake)(&self.settings)
    }

    fn on_candle(&mut self, _view: &View<'_>, _candle: &Candle) -> Result<Decision, StrategyError> {
        (self.wake)(&self.settings)
    }

    fn on_timer(&mut self, _view: &View<'_>) -> Result<Decision, StrategyError> {
        (self.wake)(&self.settings)
    }

    fn save(&self) -> Vec<u8> {
        saved::save(self.info, &self.settings, &())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        saved::restore(self.info, &self.settings, state)
    }
}
