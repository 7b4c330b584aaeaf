//! The linearly weighted moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Weighted,
    indicator::{Checked, Indicator},
    period::Period,
    window::Window,
};

/// The average of the last `n` values in which the newest weighs `n` and the oldest 1: `sum(i * x_i)
/// / (n (n + 1) / 2)`. TA-Lib's `WMA`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wma {
    line: Window<Weighted>,
}

impl Wma {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            line: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Wma {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.line.push(Weighted::of(value));
    }

    fn reset(&mut self) {
        self.line.reset();
    }

    fn value(&self) -> Option<f64> {
        self.line.value().map(Weighted::mean)
    }

    fn warm_up(&self) -> usize {
        self.line.period()
    }
}
