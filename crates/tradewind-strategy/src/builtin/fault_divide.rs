//! A strategy that divides by the average true range of a flat market at each evaluation, to test that the result is an error
//! with a name and the bot beside it does not notice.

use std::collections::BTreeMap;

use tradewind_indicators::{Atr, Bar, ratio};
use tradewind_model::{Candle, Decision, Interval, Parameter, Quote, Reason};

use super::{hold, saved};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::IntervalParameter;
use crate::parameters::Parameters;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "fault_divide",
    version: 1,
    description: "For tests: divides by the average true range of a flat market at each evaluation.",
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

/// The price of the flat market. It is always the same, whatever the real market does.
const FLAT: Bar = Bar {
    high: 100.0,
    low: 100.0,
    close: 100.0,
};

fn build(
    given: &BTreeMap<String, Parameter>,
    _instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let interval = parameters.interval(&INTERVAL);
    parameters.finish().map_err(BuildError::Parameters)?;
    Ok(Box::new(FaultDivide { interval }))
}

#[derive(Debug)]
struct FaultDivide {
    interval: Interval,
}

impl Strategy for FaultDivide {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: self.interval,
            candles: 0,
        }]
    }

    fn on_quote(&mut self, _view: &View<'_>, _quote: &Quote) -> Result<Decision, StrategyError> {
        size_by_range()
    }

    fn on_candle(&mut self, _view: &View<'_>, _candle: &Candle) -> Result<Decision, StrategyError> {
        size_by_range()
    }

    fn on_timer(&mut self, _view: &View<'_>) -> Result<Decision, StrategyError> {
        size_by_range()
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &self.interval, &())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        saved::restore(&INFO, &self.interval, state)
    }
}

/// What a careless author writes: so much that one range of movement costs so much.
fn size_by_range() -> Result<Decision, StrategyError> {
    let mut atr = Atr::new(1)?;
    atr.update(FLAT)?;
    let range = atr.update(FLAT)?.unwrap_or_default();
    let size = ratio(FLAT.close, range, "ATR")?;
    Ok(hold(Reason::Numbers("would hold {}", [size, 0.0, 0.0])))
}
