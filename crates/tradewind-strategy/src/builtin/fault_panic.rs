//! A strategy that panics at each evaluation, to test that other bots are not affected.

use std::collections::BTreeMap;

use tradewind_model::{Candle, Decision, Interval, Parameter, Quote};

use super::saved;
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::IntervalParameter;
use crate::parameters::Parameters;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "fault_panic",
    version: 1,
    description: "For tests: panics at each evaluation.",
    wakes_on: WakesOn::Anything,
    parameters: &[INTERVAL.info()],
    for_tests: true,
    build,
};

const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute1,
    description: "interval of the candles it is evaluated on",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    _instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let interval = parameters.interval(&INTERVAL);
    parameters.finish().map_err(BuildError::Parameters)?;
    Ok(Box::new(FaultPanic { interval }))
}

#[derive(Debug)]
struct FaultPanic {
    interval: Interval,
}

impl Strategy for FaultPanic {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: self.interval,
            candles: 0,
        }]
    }

    fn on_quote(&mut self, _view: &View<'_>, _quote: &Quote) -> Result<Decision, StrategyError> {
        fail()
    }

    fn on_candle(&mut self, _view: &View<'_>, _candle: &Candle) -> Result<Decision, StrategyError> {
        fail()
    }

    fn on_timer(&mut self, _view: &View<'_>) -> Result<Decision, StrategyError> {
        fail()
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &self.interval, &())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        saved::restore(&INFO, &self.interval, state)
    }
}

/// # Panics
/// Always: that is its purpose.
fn fail() -> Result<Decision, StrategyError> {
    panic!("fault_panic panics at each wake")
}
