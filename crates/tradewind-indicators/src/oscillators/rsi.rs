//! The relative strength index.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, input::checked, smoothing::Smoothing};

/// Wilder's relative strength index: the share of rises in all recent movement, in `0.0..=100.0`.
///
/// Rises and falls are smoothed over `n` changes, each from the mean of its first `n`, as in TA-Lib's
/// `RSI`.
///
/// **A market that has not moved** has no share of rises. TA-Lib answers 0 and so does this, which
/// reads as deeply oversold; ask [`has_moved`](Self::has_moved) before acting on a low value.
///
/// ```
/// use tradewind_indicators::Rsi;
///
/// let mut rsi = Rsi::new(2)?;
/// for value in [10.0, 10.0, 10.0] {
///     rsi.update(value)?;
/// }
/// assert_eq!(rsi.value(), Some(0.0));
/// assert!(!rsi.has_moved());
/// assert_eq!(rsi.update(11.0)?, Some(100.0));
/// # Ok::<(), tradewind_indicators::IndicatorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rsi {
    previous: Option<f64>,
    rise: Smoothing,
    fall: Smoothing,
}

impl Rsi {
    /// Creates the index over `period` changes.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            previous: None,
            rise: Smoothing::wilder(period)?,
            fall: Smoothing::wilder(period)?,
        })
    }

    /// Takes the next value and answers the index, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`]; the state is then unchanged.
    pub fn update(&mut self, value: f64) -> Result<Option<f64>, IndicatorError> {
        let value = checked("value", value)?;
        if let Some(previous) = self.previous.replace(value) {
            let change = value - previous;
            self.rise.update(if change > 0.0 { change } else { 0.0 });
            self.fall.update(if change < 0.0 { -change } else { 0.0 });
        }
        Ok(self.value())
    }

    /// Forgets every value; the period stays.
    pub fn reset(&mut self) {
        self.previous = None;
        self.rise.reset();
        self.fall.reset();
    }

    /// The index after the last update, in `0.0..=100.0`; 0 if nothing has moved.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let (rise, fall) = (self.rise.value()?, self.fall.value()?);
        let movement = rise + fall;
        Some(if movement > 0.0 {
            100.0 * (rise / movement)
        } else {
            0.0
        })
    }

    /// Whether the index is warm and there was any movement for it to measure.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        let moved = |average: &Smoothing| average.value().is_some_and(|average| average > 0.0);
        moved(&self.rise) || moved(&self.fall)
    }

    /// The number of inputs until the first value: one more than the period, for `n` changes lie
    /// between `n + 1` values.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.rise.period().as_usize() + 1
    }
}
