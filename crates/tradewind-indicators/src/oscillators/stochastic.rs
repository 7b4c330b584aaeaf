//! The slow stochastic oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    mean::Mean,
    period::Period,
    range::RangeWindow,
};

/// Where the close lies in the range of the last `range` bars, in percent, averaged over `k` bars
/// (the line %K) and once more over `d` (the line %D). TA-Lib's `STOCH` with simple averages; G.
/// Lane. 0 if the range is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stochastic {
    range: RangeWindow,
    k: Mean,
    d: Mean,
    value: Option<StochasticValue>,
}

/// The lines of a stochastic oscillator, in `0..=100` up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StochasticValue {
    /// Where the close lies in the range.
    pub k: f64,
    /// The mean of the last values of `k`.
    pub d: f64,
}

output!(StochasticValue: k, d);

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StochasticParameters {
    /// Observations of the range.
    pub range: u32,
    /// Bars that smooth %K.
    pub k: u32,
    /// Observations that smooth %D.
    pub d: u32,
}

impl Default for StochasticParameters {
    fn default() -> Self {
        Self {
            range: 5,
            k: 3,
            d: 3,
        }
    }
}

impl Stochastic {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: StochasticParameters) -> Result<Self, IndicatorError> {
        let StochasticParameters { range, k, d } = parameters;

        Ok(Self {
            range: RangeWindow::new(Period::new(range)?),
            k: Mean::new(Period::new(k)?),
            d: Mean::new(Period::new(d)?),
            value: None,
        })
    }
}

impl Indicator for Stochastic {
    type Input = Bar;
    type Output = StochasticValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.range.push(bar.high, bar.low);
        let k = self
            .range
            .percent(bar.close)
            .and_then(|raw| self.k.push(raw));
        let Some(k) = k else { return };
        self.value = self.d.push(k).map(|d| StochasticValue { k, d });
    }

    fn reset(&mut self) {
        self.range.reset();
        self.k.reset();
        self.d.reset();
        self.value = None;
    }

    fn value(&self) -> Option<StochasticValue> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.range.period() + self.k.period() + self.d.period() - 2
    }
}
