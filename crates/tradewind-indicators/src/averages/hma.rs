//! Hull's moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Weighted,
    indicator::{Checked, Indicator},
    period::Period,
    window::Window,
};

/// `WMA(2 * WMA(x, n / 2) - WMA(x, n), sqrt(n))`, the periods rounded down: it follows turns with
/// little lag and overshoots a little. TA-Lib's `HMA`; A. Hull, alanhull.com, 2005.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hma {
    fast: Window<Weighted>,
    slow: Window<Weighted>,
    smooth: Window<Weighted>,
}

impl Hma {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::at_least(2, period)?;
        let fast = Period::new(period.count() / 2)?;
        let smooth = Period::new(period.count().isqrt())?;

        Ok(Self {
            fast: Window::new(fast),
            slow: Window::new(period),
            smooth: Window::new(smooth),
        })
    }
}

impl Indicator for Hma {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let fast = self.fast.push(Weighted::of(value));
        let slow = self.slow.push(Weighted::of(value));
        if let (Some(fast), Some(slow)) = (fast, slow) {
            let ahead = 2.0 * fast.mean() - slow.mean();
            self.smooth.push(Weighted::of(ahead));
        }
    }

    fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
        self.smooth.reset();
    }

    fn value(&self) -> Option<f64> {
        self.smooth.value().map(Weighted::mean)
    }

    fn warm_up(&self) -> usize {
        self.slow.period() + self.smooth.period() - 1
    }
}
