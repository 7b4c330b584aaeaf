//! The z-score.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Moments,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// How many population standard deviations the value is from the mean of the last `n`, itself
/// included: `(x - mean) / deviation`. The two are those of TA-Lib's `SMA` and `STDDEV`. 0 if nothing
/// moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zscore {
    moments: Window<Moments>,
    value: Option<f64>,
}

impl Zscore {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            moments: Window::new(Period::new(period)?),
            value: None,
        })
    }
}

impl Indicator for Zscore {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.value = self
            .moments
            .push(Moments::of(value))
            .map(|moments| divide(value - moments.mean(), moments.deviation()));
    }

    fn reset(&mut self) {
        self.moments.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.moments.period()
    }
}
