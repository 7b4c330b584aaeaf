//! The triple exponential moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    smoothing::Cascade,
};

/// `3 * e1 - 3 * e2 + e3`, each the exponential average of the one before. TA-Lib's `TEMA`; P.
/// Mulloy, "Smoothing Data with Faster Moving Averages", 1994.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tema {
    averages: Cascade,
}

impl Tema {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            averages: Cascade::new(3, period)?,
        })
    }
}

impl Indicator for Tema {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.averages.update(value);
    }

    fn reset(&mut self) {
        self.averages.reset();
    }

    fn value(&self) -> Option<f64> {
        self.averages
            .values()
            .map(|[first, second, third]| 3.0 * first - 3.0 * second + third)
    }

    fn warm_up(&self) -> usize {
        self.averages.warm_up()
    }
}
