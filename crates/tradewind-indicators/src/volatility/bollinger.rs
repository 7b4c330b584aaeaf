//! Bollinger bands.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, folds::Moments, input::checked, period::Period, window::Window};

/// The largest distance of a band from the middle, in standard deviations.
pub const MAX_DEVIATIONS: f64 = 1_000.0;

/// A simple moving average with a band `k` population standard deviations to either side: TA-Lib's
/// `BBANDS` with its default average.
///
/// In a flat market the three lines coincide; dividing by the width goes through
/// [`ratio`](crate::ratio).
///
/// ```
/// use tradewind_indicators::{Bands, Bollinger};
///
/// let mut bollinger = Bollinger::new(2, 2.0)?;
/// assert_eq!(bollinger.update(1.0)?, None);
/// assert_eq!(bollinger.update(3.0)?, Some(Bands { upper: 4.0, middle: 2.0, lower: 0.0 }));
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bollinger {
    deviations: f64,
    moments: Window<Moments>,
}

/// The three lines, in price units: `lower <= middle <= upper`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    /// The average plus `k` deviations.
    pub upper: f64,
    /// The average.
    pub middle: f64,
    /// The average minus `k` deviations.
    pub lower: f64,
}

impl Bands {
    /// The distance between the outer lines, never negative.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }
}

impl Bollinger {
    /// Creates bands of `period` values and `deviations` standard deviations to either side.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`], or [`IndicatorError::DeviationsOutOfRange`] unless
    /// `deviations` is positive and at most [`MAX_DEVIATIONS`].
    pub fn new(period: u32, deviations: f64) -> Result<Self, IndicatorError> {
        let period = Period::new(period)?;
        if !(deviations > 0.0 && deviations <= MAX_DEVIATIONS) {
            return Err(IndicatorError::DeviationsOutOfRange { deviations });
        }
        Ok(Self {
            deviations,
            moments: Window::new(period),
        })
    }

    /// Takes the next value and answers the bands, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<Bands>, IndicatorError> {
        self.moments.push(Moments::of(checked("value", value)?));
        Ok(self.value())
    }

    /// Forgets every value; the parameters stay.
    pub fn reset(&mut self) {
        self.moments.reset();
    }

    /// The bands after the last update.
    #[must_use]
    pub fn value(&self) -> Option<Bands> {
        let moments = self.moments.value()?;
        let middle = moments.mean();
        let reach = self.deviations * moments.deviation();
        Some(Bands {
            upper: middle + reach,
            middle,
            lower: middle - reach,
        })
    }

    /// The number of inputs until the first bands: the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.moments.period()
    }
}
