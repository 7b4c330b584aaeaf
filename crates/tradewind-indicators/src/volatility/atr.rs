//! The average true range.

use serde::{Deserialize, Serialize};

use crate::{Bar, IndicatorError, smoothing::Smoothing};

/// Wilder's average true range: how far a bar usually reaches, in price units, never negative.
///
/// The true range is the bar's range widened to the close before it, so the first bar has none. The
/// average starts from the mean of the first `n` true ranges, as in TA-Lib's `ATR`.
///
/// **In a flat market it is 0**, which is right and is not to be divided by: use
/// [`ratio`](crate::ratio).
///
/// ```
/// use tradewind_indicators::{Atr, Bar};
///
/// let mut atr = Atr::new(1)?;
/// assert_eq!(atr.update(Bar { high: 10.0, low: 8.0, close: 9.0 })?, None);
/// assert_eq!(atr.update(Bar { high: 13.0, low: 12.0, close: 12.0 })?, Some(4.0)); // 9 to 13
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Atr {
    previous_close: Option<f64>,
    average: Smoothing,
}

impl Atr {
    /// Creates the average of `period` true ranges.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            previous_close: None,
            average: Smoothing::wilder(period)?,
        })
    }

    /// Takes the next bar and answers the average, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`] or [`IndicatorError::MalformedBar`]; the state is then
    /// unchanged.
    pub fn update(&mut self, bar: Bar) -> Result<Option<f64>, IndicatorError> {
        let bar = bar.checked()?;
        if let Some(previous_close) = self.previous_close.replace(bar.close) {
            self.average.update(bar.true_range(previous_close));
        }
        Ok(self.value())
    }

    /// Forgets every bar; the period stays.
    pub fn reset(&mut self) {
        self.previous_close = None;
        self.average.reset();
    }

    /// The average after the last update; 0 in a flat market.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.average.value()
    }

    /// The number of bars until the first value: one more than the period.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.average.period().as_usize() + 1
    }
}
