//! The percentile.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::{Period, number},
    sorted::Sorted,
};

/// The smallest of the last `n` values that is not below `percent` percent of them (the nearest
/// rank). TA-Lib's `PERCENTILE`. An update costs a move within the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    values: Sorted,
    rank: usize,
}

impl Percentile {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32, percent: f64) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        let percent = number("percent", percent, 0.0, 100.0)?;
        let place = (percent * period.as_f64() / 100.0).ceil();
        // The first rank whose number is not below `place`.
        let rank = (1..period.count())
            .find(|&rank| f64::from(rank) >= place)
            .unwrap_or(period.count());

        Ok(Self {
            values: Sorted::new(period.as_usize()),
            rank: rank as usize,
        })
    }
}

impl Indicator for Percentile {
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
        self.values
            .values()
            .and_then(|values| values.get(self.rank.checked_sub(1)?).copied())
    }

    fn warm_up(&self) -> usize {
        self.values.size()
    }
}
