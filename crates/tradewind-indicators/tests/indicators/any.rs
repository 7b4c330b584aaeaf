//! The indicators by the names of the fixtures' columns, such as `bbands:20:2`, so that a law is written once.

use serde::{Deserialize, Serialize};
use tradewind_indicators::{AnyIndicator, Bar, Entry, IndicatorError, Sample, find};

/// One of each kind that the first fixtures hold, with periods short enough to warm up within 20 inputs.
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
pub(crate) struct Any(AnyIndicator);

impl Any {
    /// Builds the indicator a column's name speaks of.
    pub(crate) fn parse(spec: &str) -> Self {
        let (entry, parameters) = parse(spec);
        match entry.build(&parameters) {
            Ok(indicator) => Self(indicator),
            Err(error) => panic!("{spec}: {error}"),
        }
    }

    /// Updates with the bar; answers the lines in the order of the fixtures.
    pub(crate) fn update(&mut self, bar: Bar) -> Result<Option<Vec<f64>>, IndicatorError> {
        self.update_with(Sample::Bar(bar))
    }

    pub(crate) fn update_with(
        &mut self,
        sample: Sample,
    ) -> Result<Option<Vec<f64>>, IndicatorError> {
        let lines = self.0.update(sample)?;
        assert_eq!(lines, self.0.value());
        Ok(self.value())
    }

    pub(crate) fn value(&self) -> Option<Vec<f64>> {
        self.0.value().map(|lines| lines.as_slice().to_vec())
    }

    pub(crate) fn warm_up(&self) -> usize {
        self.0.warm_up()
    }

    pub(crate) fn reset(&mut self) {
        self.0.reset();
    }
}

/// The entry and the parameters of a spec.
pub(crate) fn parse(spec: &str) -> (&'static Entry, Vec<f64>) {
    let mut parts = spec.split(':');
    let name = match parts.next() {
        Some("deviation") => "stddev",
        Some("bollinger") => "bbands",
        Some(name) => name,
        None => panic!("a split has a first part"),
    };
    let number = |part: &str| part.parse().unwrap_or_else(|_| panic!("{spec}: no number"));
    let entry = find(name).unwrap_or_else(|| panic!("{spec}: not in the catalogue"));
    (entry, parts.map(number).collect())
}
