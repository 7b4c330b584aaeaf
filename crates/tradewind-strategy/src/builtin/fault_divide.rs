//! A strategy that divides by the average true range of a flat market at each evaluation, to test that the result is an error
//! with a name and the bot beside it does not notice.

use std::collections::BTreeMap;

use tradewind_indicators::{Atr, Bar, ratio};
use tradewind_model::{Decision, Interval, Parameter, Reason};

use super::fault::{Fault, INTERVAL};
use super::hold;
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameters::Parameters;
use crate::strategy::{Strategy, StrategyError};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "fault_divide",
    version: 1,
    description: "For tests: divides by the average true range of a flat market at each evaluation.",
    wakes_on: WakesOn::Anything,
    parameters: &[INTERVAL.info()],
    for_tests: true,
    build,
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
    Ok(Box::new(Fault {
        info: &INFO,
        interval,
        settings: interval,
        wake: size_by_range,
    }))
}

/// What a careless author writes: so much that one range of movement costs so much.
fn size_by_range(_: &Interval) -> Result<Decision, StrategyError> {
    let mut atr = Atr::new(1)?;
    atr.update(FLAT)?;
    let range = atr.update(FLAT)?.unwrap_or_default();
    let size = ratio(FLAT.close, range, "ATR")?;
    Ok(hold(Reason::Numbers("would hold {}", [size, 0.0, 0.0])))
}
