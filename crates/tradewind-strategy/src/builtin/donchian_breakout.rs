//! Donchian breakout: buys a close above the highest high of the candles before, sells one below the lowest low.
//!
//! The latest candle lies inside its own channel, so each close is compared with the channels as they were before it.
//! With `margin` above 0 the close must clear the channel by so many average true ranges, which leaves out the
//! breakouts of a quiet market; there is no division, so a flat market (ATR 0) is no special case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_indicators::{Atr, Donchian, IndicatorError};
use tradewind_model::{Candle, Decimal, Decision, Interval, Parameter, Ppm, Reason};

use super::candle_feed::{CandleFeed, SEEN_BEFORE, settled_wilder};
use super::position_phase::{PositionPhase, RuleOutput, minutes_held};
use super::prices::{bar, unit};
use super::saved;
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{IntervalParameter, NumberParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "donchian_breakout",
    version: 1,
    description: "Long when a candle closes above the channel before it, flat when one closes below the exit channel.",
    wakes_on: WakesOn::Candles,
    parameters: &[
        INTERVAL.info(),
        ENTRY_PERIOD.info(),
        EXIT_PERIOD.info(),
        ATR_PERIOD.info(),
        MARGIN.info(),
    ],
    for_tests: false,
    build,
};

const INTERVAL: IntervalParameter = IntervalParameter {
    name: "interval",
    default: Interval::Minute1,
    description: "candles the channels are of",
};

const ENTRY_PERIOD: WholeParameter = WholeParameter {
    name: "entry_period",
    default: 20,
    min: 1,
    max: 1_000,
    description: "candles whose highest high is to be broken",
};

const EXIT_PERIOD: WholeParameter = WholeParameter {
    name: "exit_period",
    default: 10,
    min: 1,
    max: 1_000,
    description: "candles whose lowest low ends the position",
};

const ATR_PERIOD: WholeParameter = WholeParameter {
    name: "atr_period",
    default: 14,
    min: 1,
    max: 500,
    description: "period of the average true range, in candles; used only with a margin",
};

const MARGIN: NumberParameter = NumberParameter {
    name: "margin",
    default: Decimal::whole(0),
    min: Decimal::whole(0),
    max: Decimal::whole(10),
    description: "how far above the channel a close must be, in average true ranges",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        interval: parameters.interval(&INTERVAL),
        entry_period: parameters.whole(&ENTRY_PERIOD),
        exit_period: parameters.whole(&EXIT_PERIOD),
        atr_period: parameters.whole(&ATR_PERIOD),
        margin: parameters.number(&MARGIN),
    };
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::new(settings)?, instruments);
    Ok(Box::new(DonchianBreakout { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    interval: Interval,
    entry_period: u32,
    exit_period: u32,
    atr_period: u32,
    margin: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    feed: CandleFeed,
    entry: Donchian,
    exit: Donchian,
    atr: Atr,
    #[serde(rename = "stance")]
    phase: PositionPhase,
}

#[derive(Debug)]
struct DonchianBreakout {
    settings: Settings,
    slots: PerInstrument<Slot>,
}

/// The lines a close is compared with, in counts, as they were before its candle.
#[derive(Clone, Copy, Debug)]
struct Lines {
    entry: f64,
    exit: f64,
}

impl Slot {
    fn new(settings: Settings) -> Result<Self, IndicatorError> {
        Ok(Self {
            feed: CandleFeed::new(settings.warm_up()),
            entry: Donchian::new(settings.entry_period)?,
            exit: Donchian::new(settings.exit_period)?,
            atr: Atr::new(settings.atr_period)?,
            phase: PositionPhase::default(),
        })
    }

    fn lines(&self, margin: f64) -> Option<Lines> {
        let reach = if margin > 0.0 {
            margin * self.atr.value()?
        } else {
            0.0
        };
        Some(Lines {
            entry: self.entry.value()?.upper + reach,
            exit: self.exit.value()?.lower,
        })
    }
}

impl Settings {
    fn warm_up(&self) -> WarmUp {
        let channels = self.entry_period.max(self.exit_period);
        let atr = if self.margin > 0.0 {
            settled_wilder(self.atr_period)
        } else {
            0
        };
        WarmUp {
            interval: self.interval,
            candles: channels.max(atr),
        }
    }
}

impl Strategy for DonchianBreakout {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![self.settings.warm_up()]
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let slot = self.slots.at(view.slot);
        if !slot.feed.accept(candle)? {
            return Ok(SEEN_BEFORE);
        }
        let lines = slot.lines(self.settings.margin);
        let bar = bar(candle);
        slot.entry.update(bar)?;
        slot.exit.update(bar)?;
        slot.atr.update(bar)?;
        let Some(lines) = lines.filter(|_| slot.feed.is_warm()) else {
            return Ok(slot.feed.warming_up());
        };
        let output = rule_output(bar.close, lines, view);
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

/// A close cannot be beyond both lines: it lies inside the market, and the exit line never above the entry line.
fn rule_output(close: f64, lines: Lines, view: &View<'_>) -> RuleOutput {
    let unit = unit(view.instrument);
    let (shown, entry, exit) = (close * unit, lines.entry * unit, lines.exit * unit);
    let exposure = if close < lines.exit {
        Some((
            Ppm::ZERO,
            Reason::Numbers("close {} below {}", [shown, exit, 0.0]),
        ))
    } else if close > lines.entry {
        Some((
            Ppm::ONE,
            Reason::Numbers("close {} above {}", [shown, entry, 0.0]),
        ))
    } else {
        None
    };
    RuleOutput {
        exposure,
        outside: Reason::Numbers("close {}, needs > {}", [shown, entry, 0.0]),
        inside: Reason::Numbers(
            "long for {} min: close {}, exits < {}",
            [minutes_held(view), shown, exit],
        ),
    }
}
