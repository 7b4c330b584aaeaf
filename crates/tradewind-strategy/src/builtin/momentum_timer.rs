//! Momentum on a timer: the more the price has risen, the larger the position.
//!
//! The rise since `lookback` evaluations ago is turned into a quarter, a half, three quarters or all of the budget; a fall
//! ends the position, and a rise too small for a quarter changes nothing. The bot sets the interval:
//! `wake = "every 15m"`.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use tradewind_indicators::ratio;
use tradewind_model::{Decimal, Decision, Parameter, Ppm, Reason};

use super::position_phase::{PositionPhase, RuleOutput, minutes_held};
use super::prices::mid_twice;
use super::{hold, saved};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{NumberParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "momentum_timer",
    version: 1,
    description: "At an interval of its own, long by quarters of the budget the more the price has risen, flat when it has fallen.",
    wakes_on: WakesOn::Timer,
    parameters: &[LOOKBACK.info(), FULL_RISE.info()],
    for_tests: false,
    build,
};

const LOOKBACK: WholeParameter = WholeParameter {
    name: "lookback",
    default: 4,
    min: 1,
    max: 10_000,
    description: "how many evaluations ago the compared price is",
};

const FULL_RISE: NumberParameter = NumberParameter {
    name: "full_rise",
    default: Decimal::whole(1),
    min: Decimal::new(1, 3),
    max: Decimal::whole(100),
    description: "rise, in percent, for which the whole budget is used",
};

/// Exposures by the share of the full rise each needs, largest first.
const STEPS: [(f64, Ppm); 4] = [
    (1.0, Ppm::ONE),
    (0.75, Ppm(750_000)),
    (0.5, Ppm(500_000)),
    (0.25, Ppm(250_000)),
];

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        lookback: parameters.whole(&LOOKBACK),
        full_rise: parameters.number(&FULL_RISE),
    };
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::default(), instruments);
    Ok(Box::new(MomentumTimer { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    lookback: u32,
    /// In percent.
    full_rise: f64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Slot {
    /// Twice the middle price at the last `lookback` evaluations, in counts, oldest first.
    past: VecDeque<f64>,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

#[derive(Debug)]
struct MomentumTimer {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

impl Slot {
    /// Stores `mid` and returns the one of `lookback` evaluations ago, if there is one.
    fn remember(&mut self, mid: f64, lookback: u32) -> Option<f64> {
        let is_full = self.past.len() >= lookback as usize;
        let then = if is_full { self.past.pop_front() } else { None };
        self.past.push_back(mid);
        then
    }
}

impl Settings {
    fn rule_output(&self, rise: f64, view: &View<'_>) -> RuleOutput {
        let words = |words| Reason::Numbers(words, [rise, self.full_rise, 0.0]);
        let step = STEPS
            .iter()
            .find(|(share, _)| rise >= share * self.full_rise);
        let exposure = match step {
            Some((_, exposure)) => Some((*exposure, words("rose {} %, full at {} %"))),
            None if rise < 0.0 => Some((Ppm::ZERO, words("fell: {} %"))),
            None => None,
        };
        let least = self.full_rise * STEPS[STEPS.len() - 1].0;
        RuleOutput {
            exposure,
            outside: Reason::Numbers("rose {} %, needs {} %", [rise, least, 0.0]),
            inside: Reason::Numbers(
                "long for {} min: rose {} %, exits < 0",
                [minutes_held(view), rise, 0.0],
            ),
        }
    }
}

impl Strategy for MomentumTimer {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        let Some(quote) = view.quote.filter(|quote| quote.is_sound()) else {
            return Ok(hold(Reason::plain("no usable quote")));
        };
        let slot = self.slots.at(view.slot);
        let now = mid_twice(quote);
        let Some(then) = slot.remember(now, self.settings.lookback) else {
            return Ok(warming_up(slot.past.len(), self.settings.lookback));
        };
        let rise = 100.0 * ratio(now - then, then, "the price some evaluations ago")?;
        let output = self.settings.rule_output(rise, view);
        Ok(slot.phase.decide(view, output))
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &self.settings, &self.slots)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.slots = saved::restore(&INFO, &self.settings, state)?;
        Ok(())
    }
}

fn warming_up(seen: usize, lookback: u32) -> Decision {
    let seen = u32::try_from(seen).unwrap_or(lookback);
    let numbers = [f64::from(seen), f64::from(lookback), 0.0];
    hold(Reason::Numbers("warming up: {} of {} evaluations", numbers))
}
