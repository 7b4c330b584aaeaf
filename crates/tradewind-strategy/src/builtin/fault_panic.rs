//! A strategy that panics at each evaluation, to test that other bots are not affected.

use std::collections::BTreeMap;

use tradewind_model::{Decision, Interval, Parameter};

use super::fault::{Fault, INTERVAL};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameters::Parameters;
use crate::strategy::{Strategy, StrategyError};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "fault_panic",
    version: 1,
    description: "For tests: panics at each evaluation.",
    wakes_on: WakesOn::Anything,
    parameters: &[INTERVAL.info()],
    for_tests: true,
    build,
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
        wake: fail,
    }))
}

/// # Panics
/// Always: that is its purpose.
fn fail(_: &Interval) -> Result<Decision, StrategyError> {
    panic!("fault_panic panics at each wake")
}
