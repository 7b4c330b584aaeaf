//! Chande's momentum oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    ratio::divide,
    smoothing::Smoothing,
};

/// Smoothed rises minus smoothed falls, as a share of their sum, in `-100..=100`; smoothed as in
/// [`Rsi`](crate::Rsi). TA-Lib's `CMO`; T. Chande and S. Kroll, "The New Technical Trader", 1994. 0
/// if nothing moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cmo {
    previous: Option<f64>,
    rise: Smoothing,
    fall: Smoothing,
}

impl Cmo {
    /// Creates the indicator.
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
}

impl Indicator for Cmo {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        if let Some(previous) = self.previous.replace(value) {
            let change = value - previous;
            self.rise.update(if change > 0.0 { change } else { 0.0 });
            self.fall.update(if change < 0.0 { -change } else { 0.0 });
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.rise.reset();
        self.fall.reset();
    }

    fn value(&self) -> Option<f64> {
        let (rise, fall) = (self.rise.value()?, self.fall.value()?);
        Some(100.0 * divide(rise - fall, rise + fall))
    }

    fn warm_up(&self) -> usize {
        self.rise.period().as_usize() + 1
    }
}
