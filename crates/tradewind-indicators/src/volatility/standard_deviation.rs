//! The standard deviation.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, folds::Moments, input::checked, period::Period, window::Window};

/// The population standard deviation of the last `n` values (divided by `n`), never negative, and
/// exactly 0 when all of them are equal. TA-Lib's `STDDEV` with one deviation.
///
/// ```
/// use tradewind_indicators::StandardDeviation;
///
/// let mut deviation = StandardDeviation::new(2)?;
/// assert_eq!(deviation.update(1.0)?, None);
/// assert_eq!(deviation.update(3.0)?, Some(1.0));
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardDeviation {
    moments: Window<Moments>,
}

impl StandardDeviation {
    /// Creates the deviation of `period` values.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            moments: Window::new(Period::new(period)?),
        })
    }

    /// Takes the next value and answers the deviation, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<f64>, IndicatorError> {
        self.moments.push(Moments::of(checked("value", value)?));
        Ok(self.value())
    }

    /// Forgets every value; the period stays.
    pub fn reset(&mut self) {
        self.moments.reset();
    }

    /// The deviation after the last update.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.moments.value().map(Moments::deviation)
    }

    /// The number of inputs until the first value: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.moments.period()
    }
}
