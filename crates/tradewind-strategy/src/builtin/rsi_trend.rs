//! RSI in a trend: buys a setback on short candles while the long candles are in an uptrend.
//!
//! The long candles only inform; decisions are made at the close of a short one, with the trend as of the last long
//! candle that had closed by then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{Ema, IndicatorError, Rsi};
use tradewind_model::{Candle, Decimal, Decision, Interval, Parameter, Ppm, Reason};

use super::candle_feed::{CandleFeed, SEEN_BEFORE, settled_exponential, settled_wilder};
use super::position_phase::{PositionPhase, RuleOutput, minutes_held};
use super::prices::{count, unit};
use super::{hold, saved};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{IntervalParameter, NumberParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "rsi_trend",
    version: 1,
    description: "Long when the RSI of short candles dips while long candles close above their average; flat when it recovers or the trend ends.",
    wakes_on: WakesOn::Candles,
    parameters: &[
        INTERVAL.info(),
        TREND_INTERVAL.info(),
        PERIOD.info(),
        TREND_PERIOD.info(),
        ENTRY.info(),
        EXIT.info(),
    ],
    for_tests: false,
    build,
};

const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute5,
    description: "candles the RSI is of",
};

const TREND_INTERVAL: IntervalParameter = IntervalParameter {
    name: "trend_interval",
    default: Interval::Hour1,
    description: "candles the trend is of",
};

const PERIOD: WholeParameter = WholeParameter {
    name: "period",
    default: 14,
    min: 2,
    max: 500,
    description: "period of the RSI, in short candles",
};

const TREND_PERIOD: WholeParameter = WholeParameter {
    name: "trend_period",
    default: 50,
    min: 2,
    max: 500,
    description: "period of the trend's average, in long candles",
};

const ENTRY: NumberParameter = NumberParameter {
    name: "entry",
    default: Decimal::whole(40),
    min: Decimal::whole(0),
    max: Decimal::whole(100),
    description: "RSI below which it buys, if the trend is up",
};

const EXIT: NumberParameter = NumberParameter {
    name: "exit",
    default: Decimal::whole(60),
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
        trend_interval: parameters.interval(&TREND_INTERVAL),
        period: parameters.whole(&PERIOD),
        trend_period: parameters.whole(&TREND_PERIOD),
        entry: parameters.number(&ENTRY),
        exit: parameters.number(&EXIT),
    };
    settings.check(&mut parameters);
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::new(settings)?, instruments);
    Ok(Box::new(RsiTrend { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    interval: Interval,
    trend_interval: Interval,
    period: u32,
    trend_period: u32,
    entry: f64,
    exit: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    feed: CandleFeed,
    rsi: Rsi,
    trend: Trend,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

/// The last close of a long candle beside its average, in counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trend {
    feed: CandleFeed,
    average: Ema,
    close: f64,
}

#[derive(Debug)]
struct RsiTrend {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

impl Settings {
    fn check(&self, parameters: &mut Parameters<'_>) {
        if self.entry >= self.exit {
            let problem = format!("{} is not below exit = {}", self.entry, self.exit);
            parameters.refuse(ENTRY.name, problem, "make the entry level the lower one");
        }
        if self.trend_interval <= self.interval {
            let problem = format!(
                "{} is not above interval = {}",
                self.trend_interval, self.interval
            );
            parameters.refuse(
                TREND_INTERVAL.name,
                problem,
                "make the trend's candles the longer ones",
            );
        }
    }

    const fn warm_up(&self) -> WarmUp {
        WarmUp {
            interval: self.interval,
            candles: settled_wilder(self.period),
        }
    }

    const fn trend_warm_up(&self) -> WarmUp {
        WarmUp {
            interval: self.trend_interval,
            candles: settled_exponential(self.trend_period),
        }
    }

    fn rule_output(&self, rsi: f64, trend_is_up: bool, view: &View<'_>) -> RuleOutput {
        let words = |words, level| Reason::Numbers(words, [rsi, level, 0.0]);
        let exposure = match (trend_is_up, rsi) {
            (false, _) => Some((Ppm::ZERO, words("trend is down; RSI {}", 0.0))),
            (true, rsi) if rsi < self.entry => {
                Some((Ppm::ONE, words("trend is up; RSI {}, below {}", self.entry)))
            }
            (true, rsi) if rsi > self.exit => {
                Some((Ppm::ZERO, words("RSI {}, above {}", self.exit)))
            }
            (true, _) => None,
        };
        let outside = if trend_is_up {
            "trend is up; RSI {}, needs < {}"
        } else {
            "trend is down, needs up; RSI {}, needs < {}"
        };
        RuleOutput {
            exposure,
            outside: words(outside, self.entry),
            inside: Reason::Numbers(
                "long for {} min: trend is up; RSI {}, exits > {}",
                [minutes_held(view), rsi, self.exit],
            ),
        }
    }
}

impl Slot {
    fn new(settings: Settings) -> Result<Self, IndicatorError> {
        Ok(Self {
            feed: CandleFeed::new(settings.warm_up()),
            rsi: Rsi::new(settings.period)?,
            trend: Trend {
                feed: CandleFeed::new(settings.trend_warm_up()),
                average: Ema::new(settings.trend_period)?,
                close: 0.0,
            },
            phase: PositionPhase::default(),
        })
    }
}

impl Trend {
    fn update(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        if !self.feed.accept(candle)? {
            return Ok(SEEN_BEFORE);
        }
        self.close = count(candle.close);
        let average = self.average.update(self.close)?;
        let Some(average) = average.filter(|_| self.feed.has_warmed_up()) else {
            return Ok(self.feed.warming_up());
        };
        let unit = unit(view.instrument);
        let words = if self.close > average {
            "trend is up: close {} above average {}"
        } else {
            "trend is down: close {} not above average {}"
        };
        Ok(hold(Reason::Numbers(
            words,
            [self.close * unit, average * unit, 0.0],
        )))
    }

    /// None while warming up.
    fn is_up(&self) -> Option<bool> {
        let average = self.average.value().filter(|_| self.feed.has_warmed_up())?;
        Some(self.close > average)
    }
}

impl Strategy for RsiTrend {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![self.settings.warm_up(), self.settings.trend_warm_up()]
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let slot = self.slots.at(view.slot);
        if slot.trend.feed.reads(candle) {
            return slot.trend.update(view, candle);
        }
        if !slot.feed.accept(candle)? {
            return Ok(SEEN_BEFORE);
        }
        let rsi = slot.rsi.update(count(candle.close))?;
        let Some(rsi) = rsi.filter(|_| slot.feed.is_warm()) else {
            return Ok(slot.feed.warming_up());
        };
        let Some(trend_is_up) = slot.trend.is_up() else {
            return Ok(slot.trend.feed.warming_up());
        };
        if !slot.rsi.has_moved() {
            return Ok(hold(Reason::plain("the price has not moved: no RSI")));
        }
        let output = self.settings.rule_output(rsi, trend_is_up, view);
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
