//! The stochastic oscillator of the relative strength index.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Rsi, StochasticValue,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::Period,
    range::RangeWindow,
};

/// Where the relative strength index of `rsi` changes lies in its own range over `range` values, in
/// percent, and the mean of that over `d`. TA-Lib's `STOCHRSI` with a simple average; T. Chande and
/// S. Kroll, "The New Technical Trader", 1994.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StochRsi {
    rsi: Rsi,
    range: RangeWindow,
    d: Mean,
    value: Option<StochasticValue>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StochRsiParameters {
    /// Changes of the relative strength index.
    pub rsi: u32,
    /// Observations of the range.
    pub range: u32,
    /// Observations that smooth %D.
    pub d: u32,
}

impl Default for StochRsiParameters {
    fn default() -> Self {
        Self {
            rsi: 14,
            range: 5,
            d: 3,
        }
    }
}

impl StochRsi {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: StochRsiParameters) -> Result<Self, IndicatorError> {
        let StochRsiParameters { rsi, range, d } = parameters;

        Ok(Self {
            rsi: Rsi::new(rsi)?,
            range: RangeWindow::new(Period::new(range)?),
            d: Mean::new(Period::new(d)?),
            value: None,
        })
    }
}

impl Indicator for StochRsi {
    type Input = f64;
    type Output = StochasticValue;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let Ok(Some(rsi)) = self.rsi.update(value) else {
            return;
        };
        self.range.push(rsi, rsi);
        let Some(k) = self.range.percent(rsi) else {
            return;
        };
        self.value = self.d.push(k).map(|d| StochasticValue { k, d });
    }

    fn reset(&mut self) {
        self.rsi.reset();
        self.range.reset();
        self.d.reset();
        self.value = None;
    }

    fn value(&self) -> Option<StochasticValue> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.rsi.warm_up() + self.range.period() + self.d.period() - 2
    }
}
