//! MACD: long while the distance of a fast average from a slow one grows faster than usual.
//!
//! It enters at a crossing of the histogram only. It leaves whenever the histogram is negative: should the exit at the
//! crossing have been lost, the next candle repeats the signal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{IndicatorError, Macd, MacdPeriods};
use tradewind_model::{Candle, Decision, Interval, Parameter, Ppm, Reason};

use super::candle_feed::{CandleFeed, SEEN_BEFORE, settled_exponential};
use super::crossing::{Crossed, Crossing};
use super::position_phase::{PositionPhase, RuleOutput, minutes_held};
use super::prices::{count, unit};
use super::saved;
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{IntervalParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "macd",
    version: 1,
    description: "Long when the MACD's histogram crosses above zero, flat when it is below.",
    wakes_on: WakesOn::Candles,
    parameters: &[INTERVAL.info(), FAST.info(), SLOW.info(), SIGNAL.info()],
    for_tests: false,
    build,
};

const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute1,
    description: "candles the averages are of",
};

const FAST: WholeParameter = WholeParameter {
    name: "fast",
    default: 12,
    min: 1,
    max: 500,
    description: "period of the fast average, in candles",
};

const SLOW: WholeParameter = WholeParameter {
    name: "slow",
    default: 26,
    min: 2,
    max: 1_000,
    description: "period of the slow average, in candles",
};

const SIGNAL: WholeParameter = WholeParameter {
    name: "signal",
    default: 9,
    min: 1,
    max: 500,
    description: "period of the average of their distance, in candles",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        interval: parameters.interval(&INTERVAL),
        fast: parameters.whole(&FAST),
        slow: parameters.whole(&SLOW),
        signal: parameters.whole(&SIGNAL),
    };
    if settings.fast >= settings.slow {
        let problem = format!("{} is not below slow = {}", settings.fast, settings.slow);
        parameters.refuse(FAST.name, problem, "make the fast period the shorter one");
    }
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::new(settings)?, instruments);
    Ok(Box::new(MacdCross { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    interval: Interval,
    fast: u32,
    slow: u32,
    signal: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    feed: CandleFeed,
    macd: Macd,
    crossing: Crossing,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

#[derive(Debug)]
struct MacdCross {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

impl Slot {
    fn new(settings: Settings) -> Result<Self, IndicatorError> {
        Ok(Self {
            feed: CandleFeed::new(settings.warm_up()),
            macd: Macd::new(MacdPeriods {
                fast: settings.fast,
                slow: settings.slow,
                signal: settings.signal,
            })?,
            crossing: Crossing::default(),
            phase: PositionPhase::default(),
        })
    }
}

impl Settings {
    const fn warm_up(&self) -> WarmUp {
        WarmUp {
            interval: self.interval,
            candles: settled_exponential(self.slow) + settled_exponential(self.signal),
        }
    }
}

impl Strategy for MacdCross {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![self.settings.warm_up()]
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let slot = self.slots.at(view.slot);
        if !slot.feed.accept(candle)? {
            return Ok(SEEN_BEFORE);
        }
        let Some(lines) = slot.macd.update(count(candle.close))? else {
            return Ok(slot.feed.warming_up());
        };
        // Fed during the warm-up too: what crosses on the first warm candle has crossed.
        let crossed = slot.crossing.update(lines.histogram);
        if !slot.feed.is_warm() {
            return Ok(slot.feed.warming_up());
        }
        let output = rule_output(crossed, lines.histogram, view);
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

fn rule_output(crossed: Option<Crossed>, histogram: f64, view: &View<'_>) -> RuleOutput {
    let shown = histogram * unit(view.instrument);
    let words = |words| Reason::Numbers(words, [shown, 0.0, 0.0]);
    let exposure = if crossed == Some(Crossed::Up) {
        Some((Ppm::ONE, words("histogram {} crossed above 0")))
    } else if histogram < 0.0 {
        Some((Ppm::ZERO, words("histogram {} is below 0")))
    } else {
        None
    };
    RuleOutput {
        exposure,
        outside: words(if histogram < 0.0 {
            "histogram {}, needs to cross above 0"
        } else {
            "histogram {} is above 0 already, waits for the next crossing"
        }),
        inside: Reason::Numbers(
            "long for {} min: histogram {}, exits < 0",
            [minutes_held(view), shown, 0.0],
        ),
    }
}
