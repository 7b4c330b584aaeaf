//! The triangular moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::Period,
};

/// An average of an average, so that the values in the middle of the window weigh most: the two
/// periods are `(n + 1) / 2` twice if `n` is odd, else `n / 2` and `n / 2 + 1`. TA-Lib's `TRIMA`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trima {
    period: Period,
    first: Mean,
    second: Mean,
}

impl Trima {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        let half = period.count() / 2;
        let first = Period::new(period.count() - half)?;
        let second = Period::new(half + 1)?;

        Ok(Self {
            period,
            first: Mean::new(first),
            second: Mean::new(second),
        })
    }
}

impl Indicator for Trima {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        if let Some(mean) = self.first.push(value) {
            self.second.push(mean);
        }
    }

    fn reset(&mut self) {
        self.first.reset();
        self.second.reset();
    }

    fn value(&self) -> Option<f64> {
        self.second.value()
    }

    fn warm_up(&self) -> usize {
        self.period.as_usize()
    }
}
