//! Williams' %R.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    range::RangeWindow,
    ratio::divide,
};

/// How far the close is below the highest high of `n` bars, as a share of their range, in `-100..=0`.
/// TA-Lib's `WILLR`; L. Williams, 1973. 0 if the range is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WilliamsR {
    range: RangeWindow,
    value: Option<f64>,
}

impl WilliamsR {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            range: RangeWindow::new(Period::new(period)?),
            value: None,
        })
    }
}

impl Indicator for WilliamsR {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.range.push(bar.high, bar.low);
        self.value = self
            .range
            .value()
            .map(|(highest, lowest)| divide(bar.close - highest, (highest - lowest) / 100.0));
    }

    fn reset(&mut self) {
        self.range.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.range.period()
    }
}
