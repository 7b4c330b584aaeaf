//! The middle of the last values.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    range::RangeWindow,
};

/// The mean of the highest and the lowest of the last `n` values. TA-Lib's `MIDPOINT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Midpoint {
    range: RangeWindow,
}

impl Midpoint {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            range: RangeWindow::new(Period::new(period)?),
        })
    }
}

impl Indicator for Midpoint {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.range.push(value, value);
    }

    fn reset(&mut self) {
        self.range.reset();
    }

    fn value(&self) -> Option<f64> {
        self.range.middle()
    }

    fn warm_up(&self) -> usize {
        self.range.period()
    }
}
