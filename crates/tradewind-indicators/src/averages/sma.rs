//! The simple moving average.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, folds::Sum, input::checked, period::Period, window::Window};

/// The mean of the last `n` values.
///
/// ```
/// use tradewind_indicators::Sma;
///
/// let mut sma = Sma::new(2)?;
/// assert_eq!(sma.update(1.0)?, None);
/// assert_eq!(sma.update(3.0)?, Some(2.0));
/// assert_eq!(sma.update(5.0)?, Some(4.0));
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sma {
    period: Period,
    sum: Window<Sum>,
}

impl Sma {
    /// Creates the average of `period` values.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        Ok(Self {
            period,
            sum: Window::new(period),
        })
    }

    /// Takes the next value and answers the average, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<f64>, IndicatorError> {
        self.sum.push(Sum(checked("value", value)?));
        Ok(self.value())
    }

    /// Forgets every value; the period stays.
    pub fn reset(&mut self) {
        self.sum.reset();
    }

    /// The average after the last update.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.sum.value().map(|Sum(sum)| sum / self.period.as_f64())
    }

    /// The number of inputs until the first value: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.period.as_usize()
    }
}
