//! The exponential moving average.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, input::checked, smoothing::Smoothing};

/// An average in which each value weighs `2 / (n + 1)` and the older ones fade.
///
/// Seeded with the mean of its first `n` values, as TA-Lib's `EMA` is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ema {
    average: Smoothing,
}

impl Ema {
    /// Creates the average of `period`.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            average: Smoothing::exponential(period)?,
        })
    }

    /// Takes the next value and answers the average, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<f64>, IndicatorError> {
        Ok(self.average.update(checked("value", value)?))
    }

    /// Forgets every value; the period stays.
    pub fn reset(&mut self) {
        self.average.reset();
    }

    /// The average after the last update.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.average.value()
    }

    /// The number of inputs until the first value: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.average.period().as_usize()
    }
}
