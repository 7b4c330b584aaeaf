//! The fast stochastic oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError, StochasticValue,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::Period,
    range::RangeWindow,
};

/// Where the close lies in the range of the last `range` bars, in percent (the line %K), and its mean
/// over `d` bars (the line %D). TA-Lib's `STOCHF` with a simple average; G. Lane. 0 if the range is
/// empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StochasticFast {
    range: RangeWindow,
    d: Mean,
    value: Option<StochasticValue>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StochasticFastParameters {
    /// Observations of the range.
    pub range: u32,
    /// Observations that smooth %D.
    pub d: u32,
}

impl Default for StochasticFastParameters {
    fn default() -> Self {
        Self { range: 5, d: 3 }
    }
}

impl StochasticFast {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: StochasticFastParameters) -> Result<Self, IndicatorError> {
        let StochasticFastParameters { range, d } = parameters;

        Ok(Self {
            range: RangeWindow::new(Period::new(range)?),
            d: Mean::new(Period::new(d)?),
            value: None,
        })
    }
}

impl Indicator for StochasticFast {
    type Input = Bar;
    type Output = StochasticValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.range.push(bar.high, bar.low);
        let Some(k) = self.range.percent(bar.close) else {
            return;
        };
        self.value = self.d.push(k).map(|d| StochasticValue { k, d });
    }

    fn reset(&mut self) {
        self.range.reset();
        self.d.reset();
        self.value = None;
    }

    fn value(&self) -> Option<StochasticValue> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.range.period() + self.d.period() - 1
    }
}
