//! The median.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    sorted::Sorted,
};

/// The middle one of the last `n` values in order of size; of an even number, the mean of the two
/// middle ones. An update costs a move within the window. The textbook's definition, as `median` of a
/// rolling window in pandas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Median {
    values: Sorted,
}

impl Median {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            values: Sorted::new(Period::new(period)?.as_usize()),
        })
    }
}

impl Indicator for Median {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.values.push(value);
    }

    fn reset(&mut self) {
        self.values.reset();
    }

    fn value(&self) -> Option<f64> {
        let values = self.values.values()?;
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        if values.len() % 2 == 1 {
            return Some(upper);
        }
        Some((*values.get(middle.checked_sub(1)?)? + upper) / 2.0)
    }

    fn warm_up(&self) -> usize {
        self.values.size()
    }
}
