//! The rate of change of a triple exponential average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    ratio::divide,
    smoothing::Cascade,
};

/// The change of the third of three exponential averages in a row from one value to the next, in
/// percent. TA-Lib's `TRIX`; J. Hutson, 1982.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trix {
    averages: Cascade,
    previous: Option<f64>,
    value: Option<f64>,
}

impl Trix {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            averages: Cascade::new(3, period)?,
            previous: None,
            value: None,
        })
    }
}

impl Indicator for Trix {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.averages.update(value);
        let Some([_, _, third]) = self.averages.values() else {
            return;
        };
        if let Some(previous) = self.previous.replace(third) {
            self.value = Some(100.0 * divide(third - previous, previous));
        }
    }

    fn reset(&mut self) {
        self.averages.reset();
        self.previous = None;
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.averages.warm_up() + 1
    }
}
