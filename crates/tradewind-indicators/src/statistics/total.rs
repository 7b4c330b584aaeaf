//! The sum.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Sum,
    indicator::{Checked, Indicator},
    period::Period,
    window::Window,
};

/// The sum of the last `n` values. TA-Lib's `SUM`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Total {
    sum: Window<Sum>,
}

impl Total {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            sum: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Total {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.sum.push(Sum(value));
    }

    fn reset(&mut self) {
        self.sum.reset();
    }

    fn value(&self) -> Option<f64> {
        self.sum.value().map(|Sum(sum)| sum)
    }

    fn warm_up(&self) -> usize {
        self.sum.period()
    }
}
