//! One type for all indicators, so that a law is written once. Names are those of the fixtures' columns.

use serde::{Deserialize, Serialize};
use tradewind_indicators::{
    Atr, Bar, Bollinger, Donchian, Ema, Highest, IndicatorError, Lowest, Macd, MacdPeriods, Rsi,
    Sma, StandardDeviation,
};

/// One of each kind, with periods short enough to warm up within 20 inputs.
pub(crate) const SPECS: [&str; 10] = [
    "sma:7",
    "ema:7",
    "rsi:7",
    "atr:7",
    "deviation:7",
    "bollinger:7:2",
    "macd:3:7:4",
    "highest:7",
    "lowest:7",
    "donchian:7",
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Any {
    Sma(Sma),
    Ema(Ema),
    Rsi(Rsi),
    Atr(Atr),
    Deviation(StandardDeviation),
    Bollinger(Bollinger),
    Macd(Macd),
    Highest(Highest),
    Lowest(Lowest),
    Donchian(Donchian),
}

impl Any {
    /// Builds the indicator a column's name speaks of, such as `bollinger:20:2`.
    pub(crate) fn parse(spec: &str) -> Self {
        let mut parts = spec.split(':');
        let kind = parts.next().expect("a split has a first part");
        let parameters: Vec<&str> = parts.collect();
        let period = |i: usize| parameters[i].parse().expect("a period");
        Self::build(kind, period, || {
            parameters[1].parse().expect("a number of deviations")
        })
        .unwrap_or_else(|error| panic!("{spec}: {error}"))
    }

    fn build(
        kind: &str,
        period: impl Fn(usize) -> u32,
        deviations: impl Fn() -> f64,
    ) -> Result<Self, IndicatorError> {
        Ok(match kind {
            "sma" => Self::Sma(Sma::new(period(0))?),
            "ema" => Self::Ema(Ema::new(period(0))?),
            "rsi" => Self::Rsi(Rsi::new(period(0))?),
            "atr" => Self::Atr(Atr::new(period(0))?),
            "deviation" => Self::Deviation(StandardDeviation::new(period(0))?),
            "bollinger" => Self::Bollinger(Bollinger::new(period(0), deviations())?),
            "macd" => Self::Macd(Macd::new(MacdPeriods {
                fast: period(0),
                slow: period(1),
                signal: period(2),
            })?),
            "highest" => Self::Highest(Highest::new(period(0))?),
            "lowest" => Self::Lowest(Lowest::new(period(0))?),
            "donchian" => Self::Donchian(Donchian::new(period(0))?),
            other => panic!("unknown indicator {other}"),
        })
    }

    /// Updates with the bar, or with its close; answers the lines in the order of the fixtures.
    pub(crate) fn update(&mut self, bar: Bar) -> Result<Option<Vec<f64>>, IndicatorError> {
        match self {
            Self::Sma(indicator) => indicator.update(bar.close).map(drop),
            Self::Ema(indicator) => indicator.update(bar.close).map(drop),
            Self::Rsi(indicator) => indicator.update(bar.close).map(drop),
            Self::Atr(indicator) => indicator.update(bar).map(drop),
            Self::Deviation(indicator) => indicator.update(bar.close).map(drop),
            Self::Bollinger(indicator) => indicator.update(bar.close).map(drop),
            Self::Macd(indicator) => indicator.update(bar.close).map(drop),
            Self::Highest(indicator) => indicator.update(bar.close).map(drop),
            Self::Lowest(indicator) => indicator.update(bar.close).map(drop),
            Self::Donchian(indicator) => indicator.update(bar).map(drop),
        }?;
        Ok(self.value())
    }

    pub(crate) fn value(&self) -> Option<Vec<f64>> {
        match self {
            Self::Sma(indicator) => indicator.value().map(|value| vec![value]),
            Self::Ema(indicator) => indicator.value().map(|value| vec![value]),
            Self::Rsi(indicator) => indicator.value().map(|value| vec![value]),
            Self::Atr(indicator) => indicator.value().map(|value| vec![value]),
            Self::Deviation(indicator) => indicator.value().map(|value| vec![value]),
            Self::Bollinger(indicator) => indicator
                .value()
                .map(|bands| vec![bands.upper, bands.middle, bands.lower]),
            Self::Macd(indicator) => indicator
                .value()
                .map(|value| vec![value.line, value.signal, value.histogram]),
            Self::Highest(indicator) => indicator.value().map(|value| vec![value]),
            Self::Lowest(indicator) => indicator.value().map(|value| vec![value]),
            Self::Donchian(indicator) => indicator
                .value()
                .map(|channel| vec![channel.upper, channel.lower]),
        }
    }

    pub(crate) fn warm_up(&self) -> usize {
        match self {
            Self::Sma(indicator) => indicator.warm_up(),
            Self::Ema(indicator) => indicator.warm_up(),
            Self::Rsi(indicator) => indicator.warm_up(),
            Self::Atr(indicator) => indicator.warm_up(),
            Self::Deviation(indicator) => indicator.warm_up(),
            Self::Bollinger(indicator) => indicator.warm_up(),
            Self::Macd(indicator) => indicator.warm_up(),
            Self::Highest(indicator) => indicator.warm_up(),
            Self::Lowest(indicator) => indicator.warm_up(),
            Self::Donchian(indicator) => indicator.warm_up(),
        }
    }

    pub(crate) fn reset(&mut self) {
        match self {
            Self::Sma(indicator) => indicator.reset(),
            Self::Ema(indicator) => indicator.reset(),
            Self::Rsi(indicator) => indicator.reset(),
            Self::Atr(indicator) => indicator.reset(),
            Self::Deviation(indicator) => indicator.reset(),
            Self::Bollinger(indicator) => indicator.reset(),
            Self::Macd(indicator) => indicator.reset(),
            Self::Highest(indicator) => indicator.reset(),
            Self::Lowest(indicator) => indicator.reset(),
            Self::Donchian(indicator) => indicator.reset(),
        }
    }
}
