//! A strategy that is slow at each evaluation, to test that other bots are evaluated on time.
//!
//! The core has no clock to be slow by, so it counts: a billion iterations take about a second. It belongs on a thread
//! lane; inline it delays the whole engine, which is what lanes are for.

use std::collections::BTreeMap;
use std::hint::black_box;

use serde::{Deserialize, Serialize};
use tradewind_model::{Decision, Interval, Parameter, Reason};

use super::fault::{Fault, INTERVAL};
use super::hold;
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::WholeParameter;
use crate::parameters::Parameters;
use crate::strategy::{Strategy, StrategyError};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "fault_slow",
    version: 1,
    description: "For tests: runs a number of iterations at each evaluation.",
    wakes_on: WakesOn::Anything,
    parameters: &[INTERVAL.info(), ITERATIONS.info()],
    for_tests: true,
    build,
};

const ITERATIONS: WholeParameter = WholeParameter {
    name: "iterations",
    default: 500_000_000,
    min: 0,
    max: 4_000_000_000,
    description: "iterations per evaluation; a billion take about a second",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    _instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        interval: parameters.interval(&INTERVAL),
        iterations: parameters.whole(&ITERATIONS),
    };
    parameters.finish().map_err(BuildError::Parameters)?;
    Ok(Box::new(Fault {
        info: &INFO,
        interval: settings.interval,
        settings,
        wake: Settings::spin,
    }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    interval: Interval,
    iterations: u32,
}

impl Settings {
    fn spin(&self) -> Result<Decision, StrategyError> {
        let mut state = 1_u64;
        for _ in 0..self.iterations {
            // Each step waits for the one before, and the optimiser may not look through it.
            state = black_box(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1),
            );
        }
        let iterations = f64::from(self.iterations);
        Ok(hold(Reason::Numbers(
            "was busy for {} iterations",
            [iterations, 0.0, 0.0],
        )))
    }
}
