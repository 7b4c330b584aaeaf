//! The detrended price oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::Period,
    ring::Ring,
};

/// The value `n / 2 + 1` before, minus the mean of the last `n`: it shows cycles without the trend.
/// TA-Lib's `DPO`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dpo {
    older: Ring<f64>,
    mean: Mean,
    value: Option<f64>,
}

impl Dpo {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        Ok(Self {
            older: Ring::new(period.as_usize() / 2 + 1),
            mean: Mean::new(period),
            value: None,
        })
    }
}

impl Indicator for Dpo {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let mean = self.mean.push(value);
        let older = self.older.push(value);
        self.value = mean.zip(older).map(|(mean, older)| older - mean);
    }

    fn reset(&mut self) {
        self.older.reset();
        self.mean.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.mean.period().max(self.older.size() + 1)
    }
}
