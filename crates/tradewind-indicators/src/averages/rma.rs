//! Wilder's moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    smoothing::Smoothing,
};

/// Wilder's smoothed average, in which each value weighs `1 / n`: `(previous * (n - 1) + value) / n`,
/// seeded with the mean of the first `n` values. TA-Lib's `RMA`; first in J. W. Wilder, "New Concepts
/// in Technical Trading Systems", 1978.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rma {
    average: Smoothing,
}

impl Rma {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            average: Smoothing::wilder(period)?,
        })
    }
}

impl Indicator for Rma {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.average.update(value);
    }

    fn reset(&mut self) {
        self.average.reset();
    }

    fn value(&self) -> Option<f64> {
        self.average.value()
    }

    fn warm_up(&self) -> usize {
        self.average.period().as_usize()
    }
}
