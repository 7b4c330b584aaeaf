//! Moving-average cross: long while a fast average of the middle price is above a slow one.
//!
//! It is evaluated on every quote, with a few multiplications and no allocation. It gives a signal only when the
//! averages cross. A position that was stopped out stays closed until the next crossing upwards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{Ema, IndicatorError};
use tradewind_model::{Decision, Parameter, Ppm, Quote, Reason};

use super::crossing::{Crossed, Crossing};
use super::position_phase::{PositionPhase, RuleOutput};
use super::prices::{mid_twice, unit};
use super::{hold, saved};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::WholeParameter;
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "ma_cross",
    version: 1,
    description: "Long when a fast average of the quotes' middle crosses above a slow one, flat when it crosses below.",
    wakes_on: WakesOn::Quotes,
    parameters: &[FAST.info(), SLOW.info()],
    for_tests: false,
    build,
};

const FAST: WholeParameter = WholeParameter {
    name: "fast",
    default: 10,
    min: 1,
    max: 10_000,
    description: "period of the fast average, in quotes",
};

const SLOW: WholeParameter = WholeParameter {
    name: "slow",
    default: 20,
    min: 2,
    max: 50_000,
    description: "period of the slow average, in quotes",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        fast: parameters.whole(&FAST),
        slow: parameters.whole(&SLOW),
    };
    if settings.fast >= settings.slow {
        let problem = format!("{} is not below slow = {}", settings.fast, settings.slow);
        parameters.refuse(FAST.name, problem, "make the fast period the shorter one");
    }
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::new(settings)?, instruments);
    Ok(Box::new(MaCross { settings, slots }))
}

/// Both averages run on twice the middle price in counts, which is exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    fast: Ema,
    slow: Ema,
    /// Quotes seen, up to the warm-up.
    seen: u32,
    crossing: Crossing,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    fast: u32,
    slow: u32,
}

#[derive(Debug)]
struct MaCross {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

impl Slot {
    fn new(settings: Settings) -> Result<Self, IndicatorError> {
        Ok(Self {
            fast: Ema::new(settings.fast)?,
            slow: Ema::new(settings.slow)?,
            seen: 0,
            crossing: Crossing::default(),
            phase: PositionPhase::default(),
        })
    }

    /// Out of line, as is [`cross`](Self::cross): nearly every quote is neither, and its path stays short.
    #[cold]
    #[inline(never)]
    fn warming_up(&mut self, needed: u32) -> Decision {
        self.seen += 1;
        let numbers = [f64::from(self.seen), f64::from(needed), 0.0];
        hold(Reason::Numbers("warming up: {} of {} quotes", numbers))
    }

    #[cold]
    #[inline(never)]
    fn cross(&mut self, view: &View<'_>, crossed: Crossed, numbers: [f64; 3]) -> Decision {
        self.phase.decide(view, rule_output(crossed, numbers))
    }
}

impl Strategy for MaCross {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn on_quote(&mut self, view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        if !quote.is_sound() {
            return Ok(hold(Reason::plain("quote crossed or empty")));
        }
        let slot = self.slots.at(view.slot);
        let mid = mid_twice(quote);
        let averages = (slot.fast.update(mid)?, slot.slow.update(mid)?);
        let (Some(fast), Some(slow)) = averages else {
            return Ok(slot.warming_up(self.settings.slow));
        };
        let crossed = slot.crossing.update(fast - slow);
        let half_unit = unit(view.instrument) * 0.5;
        let numbers = [fast * half_unit, slow * half_unit, 0.0];
        Ok(match crossed {
            None => hold(state(fast, slow, numbers)),
            Some(crossed) => slot.cross(view, crossed, numbers),
        })
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &self.settings, &self.slots)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.slots = saved::restore(&INFO, &self.settings, state)?;
        Ok(())
    }
}

const fn state(fast: f64, slow: f64, numbers: [f64; 3]) -> Reason {
    Reason::Numbers(
        if fast > slow {
            "fast {} above slow {}, waits for it to cross below"
        } else {
            "fast {} not above slow {}, waits for it to cross above"
        },
        numbers,
    )
}

const fn rule_output(crossed: Crossed, numbers: [f64; 3]) -> RuleOutput {
    let (exposure, words) = match crossed {
        Crossed::Up => (Ppm::ONE, "fast {} crossed above slow {}"),
        Crossed::Down => (Ppm::ZERO, "fast {} crossed below slow {}"),
    };
    RuleOutput {
        exposure: Some((exposure, Reason::Numbers(words, numbers))),
        outside: Reason::Numbers("fast {} crossed below slow {}, nothing to sell", numbers),
        inside: Reason::Numbers("fast {} crossed above slow {}, already long", numbers),
    }
}
