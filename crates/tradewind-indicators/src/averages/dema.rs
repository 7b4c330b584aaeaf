//! The double exponential moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    smoothing::Cascade,
};

/// `2 * e1 - e2`, where `e1` is the exponential average of the values and `e2` that of `e1`: less lag
/// than one average. TA-Lib's `DEMA`; P. Mulloy, "Smoothing Data with Faster Moving Averages", 1994.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dema {
    averages: Cascade,
}

impl Dema {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            averages: Cascade::new(2, period)?,
        })
    }
}

impl Indicator for Dema {
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
            .map(|[first, second]| 2.0 * first - second)
    }

    fn warm_up(&self) -> usize {
        self.averages.warm_up()
    }
}
