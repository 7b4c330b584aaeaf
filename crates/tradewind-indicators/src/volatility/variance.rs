//! The variance.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Moments,
    indicator::{Checked, Indicator},
    period::Period,
    window::Window,
};

/// The mean squared distance of the last `n` values from their mean (divided by `n`), exactly 0 when
/// all are equal. TA-Lib's `VAR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    moments: Window<Moments>,
}

impl Variance {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            moments: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Variance {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.moments.push(Moments::of(value));
    }

    fn reset(&mut self) {
        self.moments.reset();
    }

    fn value(&self) -> Option<f64> {
        self.moments.value().map(Moments::variance)
    }

    fn warm_up(&self) -> usize {
        self.moments.period()
    }
}
