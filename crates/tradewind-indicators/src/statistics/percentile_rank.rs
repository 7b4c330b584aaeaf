//! The percentile rank.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    sorted::Sorted,
};

/// The share of the `n` values before that are below the newest, in `0..=100`. TA-Lib's
/// `PERCENTRANK`. An update costs a move within the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PercentileRank {
    values: Sorted,
    value: Option<f64>,
}

impl PercentileRank {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            values: Sorted::new(Period::new(period)?.as_usize()),
            value: None,
        })
    }
}

impl Indicator for PercentileRank {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.value = self.values.percent_below(value);
        self.values.push(value);
    }

    fn reset(&mut self) {
        self.values.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.values.size() + 1
    }
}
