//! RSI reversion: buys what has fallen too far and sells once it has recovered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{IndicatorError, Rsi};
use tradewind_model::{Candle, Decimal, Decision, Interval, Parameter, Ppm, Reason};

use super::candle_feed::{CandleFeed, SEEN_BEFORE, settled_wilder};
use super::position_phase::{PositionPhase, RuleOutput, minutes_held};
use super::prices::count;
use super::{hold, saved};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{IntervalParameter, NumberParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "rsi_reversion",
    version: 1,
    description: "Long when the RSI falls below its entry level, flat when it has recovered above its exit level.",
    wakes_on: WakesOn::Candles,
    parameters: &[INTERVAL.info(), PERIOD.info(), ENTRY.info(), EXIT.info()],
    for_tests: false,
    build,
};

const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute1,
    description: "candles the RSI is of",
};

const PERIOD: WholeParameter = WholeParameter {
    name: "period",
    default: 14,
    min: 2,
    max: 500,
    description: "period of the RSI, in candles",
};

const ENTRY: NumberParameter = NumberParameter {
    name: "entry",
    default: Decimal::whole(30),
    min: Decimal::whole(0),
    max: Decimal::whole(100),
    description: "RSI below which it buys",
};

const EXIT: NumberParameter = NumberParameter {
    name: "exit",
    default: Decimal::whole(55),
    min: Decimal::whole(0),
    max: Decimal::whole(100),
    description: "RSI above which it sells",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        interval: parameters.interval(&INTERVAL),
        period: parameters.whole(&PERIOD),
        entry: parameters.number(&ENTRY),
        exit: parameters.number(&EXIT),
    };
    if settings.entry >= settings.exit {
        let problem = format!("{} is not below exit = {}", settings.entry, settings.exit);
        parameters.refuse(ENTRY.name, problem, "make the entry level the lower one");
    }
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::new(settings)?, instruments);
    Ok(Box::new(RsiReversion { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    interval: Interval,
    period: u32,
    entry: f64,
    exit: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    feed: CandleFeed,
    rsi: Rsi,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

#[derive(Debug)]
struct RsiReversion {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

impl Slot {
    fn new(settings: Settings) -> Result<Self, IndicatorError> {
        Ok(Self {
            feed: CandleFeed::new(settings.warm_up()),
            rsi: Rsi::new(settings.period)?,
            phase: PositionPhase::default(),
        })
    }
}

impl Settings {
    const fn warm_up(&self) -> WarmUp {
        WarmUp {
            interval: self.interval,
            candles: settled_wilder(self.period),
        }
    }

    fn rule_output(&self, rsi: f64, view: &View<'_>) -> RuleOutput {
        let exposure = if rsi < self.entry {
            Some((Ppm::ONE, "RSI {}, below {}", self.entry))
        } else if rsi > self.exit {
            Some((Ppm::ZERO, "RSI {}, above {}", self.exit))
        } else {
            None
        };
        RuleOutput {
            exposure: exposure.map(|(exposure, words, level)| {
                (exposure, Reason::Numbers(words, [rsi, level, 0.0]))
            }),
            outside: Reason::Numbers("RSI {}, needs < {}", [rsi, self.entry, 0.0]),
            inside: Reason::Numbers(
                "long for {} min: RSI {}, exits > {}",
                [minutes_held(view), rsi, self.exit],
            ),
        }
    }
}

impl Strategy for RsiReversion {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![self.settings.warm_up()]
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let slot = self.slots.at(view.slot);
        if !slot.feed.accept(candle)? {
            return Ok(SEEN_BEFORE);
        }
        let rsi = slot.rsi.update(count(candle.close))?;
        let Some(rsi) = rsi.filter(|_| slot.feed.is_warm()) else {
            return Ok(slot.feed.warming_up());
        };
        if !slot.rsi.has_moved() {
            return Ok(hold(Reason::plain("the price has not moved: no RSI")));
        }
        let output = self.settings.rule_output(rsi, view);
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
