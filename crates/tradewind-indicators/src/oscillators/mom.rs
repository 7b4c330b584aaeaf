//! Momentum.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    ring::Ring,
};

/// The value minus the one `n` before it, in the units of the value. TA-Lib's `MOM`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mom {
    older: Ring<f64>,
    value: Option<f64>,
}

impl Mom {
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

impl Indicator for Mom {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.value = self.older.push(value).map(|older| value - older);
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
