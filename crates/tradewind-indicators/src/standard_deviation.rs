//! The standard deviation, and the moments it shares with the Bollinger bands.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    input::checked,
    period::Period,
    window::{Merge, Window},
};

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

/// Count, mean and sum of squared distances from the mean of some values.
///
/// Merging these is the method of Chan, Golub and LeVeque ("Updating Formulae and a Pairwise Algorithm
/// for Computing Sample Variances", 1979). Unlike the difference of two large sums of squares it keeps
/// its digits when the price is large and its movement small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(crate) fn of(value: f64) -> Self {
        Self {
            count: 1.0,
            mean: value,
            squares: 0.0,
        }
    }

    pub(crate) fn mean(self) -> f64 {
        self.mean
    }

    pub(crate) fn deviation(self) -> f64 {
        (self.squares / self.count).sqrt()
    }
}

impl Merge for Moments {
    fn merge(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let distance = newer.mean - self.mean;
        let share = newer.count / count;
        Self {
            count,
            mean: self.mean + distance * share,
            squares: self.squares + newer.squares + distance * distance * self.count * share,
        }
    }
}
