//! Bollinger reversion: buys a close below the lower band and sells a close above the middle.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{Bands, Bollinger, IndicatorError};
use tradewind_model::{Candle, Decimal, Decision, Interval, Parameter, Ppm, Reason};

use super::candle_feed::{CandleFeed, SEEN_BEFORE};
use super::position_phase::{PositionPhase, RuleOutput, minutes_held};
use super::prices::{count, unit};
use super::saved;
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{IntervalParameter, NumberParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "bollinger_reversion",
    version: 1,
    description: "Long when a candle closes below the lower Bollinger band, flat when one closes above the middle.",
    wakes_on: WakesOn::Candles,
    parameters: &[INTERVAL.info(), PERIOD.info(), DEVIATIONS.info()],
    for_tests: false,
    build,
};

const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute1,
    description: "candles the bands are of",
};

const PERIOD: WholeParameter = WholeParameter {
    name: "period",
    default: 20,
    min: 2,
    max: 1_000,
    description: "period of the bands, in candles",
};

const DEVIATIONS: NumberParameter = NumberParameter {
    name: "deviations",
    default: Decimal::whole(2),
    min: Decimal::new(1, 1),
    max: Decimal::whole(10),
    description: "distance of a band from the middle, in standard deviations",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        interval: parameters.interval(&INTERVAL),
        period: parameters.whole(&PERIOD),
        deviations: parameters.number(&DEVIATIONS),
    };
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::new(settings)?, instruments);
    Ok(Box::new(BollingerReversion { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    interval: Interval,
    period: u32,
    deviations: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    feed: CandleFeed,
    bands: Bollinger,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

#[derive(Debug)]
struct BollingerReversion {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

impl Slot {
    fn new(settings: Settings) -> Result<Self, IndicatorError> {
        Ok(Self {
            feed: CandleFeed::new(settings.warm_up()),
            bands: Bollinger::new(settings.period, settings.deviations)?,
            phase: PositionPhase::default(),
        })
    }
}

impl Settings {
    /// The bands need a full period, of which the candle decided on is the last.
    const fn warm_up(&self) -> WarmUp {
        WarmUp {
            interval: self.interval,
            candles: self.period - 1,
        }
    }
}

impl Strategy for BollingerReversion {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![self.settings.warm_up()]
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let slot = self.slots.at(view.slot);
        if !slot.feed.accept(candle)? {
            return Ok(SEEN_BEFORE);
        }
        let close = count(candle.close);
        let bands = slot.bands.update(close)?;
        let Some(bands) = bands.filter(|_| slot.feed.is_warm()) else {
            return Ok(slot.feed.warming_up());
        };
        Ok(slot.phase.decide(view, rule_output(close, bands, view)))
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &self.settings, &self.slots)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.slots = saved::restore(&INFO, &self.settings, state)?;
        Ok(())
    }
}

/// In a flat market the three lines coincide with the close, and neither comparison holds.
fn rule_output(close: f64, bands: Bands, view: &View<'_>) -> RuleOutput {
    let unit = unit(view.instrument);
    let low = [close * unit, bands.lower * unit, 0.0];
    let middle = [close * unit, bands.middle * unit, 0.0];
    let exposure = if close < bands.lower {
        Some((Ppm::ONE, Reason::Numbers("close {} below band {}", low)))
    } else if close > bands.middle {
        Some((
            Ppm::ZERO,
            Reason::Numbers("close {} above middle {}", middle),
        ))
    } else {
        None
    };
    RuleOutput {
        exposure,
        outside: Reason::Numbers("close {}, needs < {}", low),
        inside: Reason::Numbers(
            "long for {} min: close {}, exits > {}",
            [minutes_held(view), middle[0], middle[1]],
        ),
    }
}
