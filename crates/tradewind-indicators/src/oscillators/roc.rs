//! The rate of change in percent.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    ring::Ring,
};

/// `100 * (x / x_n - 1)`, where `x_n` is the value `n` before. TA-Lib's `ROC`. 0 if that value was 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Roc {
    older: Ring<f64>,
    value: Option<f64>,
}

impl Roc {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            older: Ring::new(Period::new(period)?.as_usize()),
            value: None,
        })
    }
}

impl Indicator for Roc {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.value = self.older.push(value).map(|older| {
            if older == 0.0 {
                0.0
            } else {
                100.0 * (divide(value, older) - 1.0)
            }
        });
    }

    fn reset(&mut self) {
        self.older.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.older.size() + 1
    }
}
