//! The percentage price oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    indicator::{Checked, Indicator},
    period::in_order,
    ratio::divide,
    smoothing::Smoothing,
};

/// The fast exponential average minus the slow one, in percent of the slow one. TA-Lib's `PPO` with
/// exponential averages, each seeded with its own first values. 0 if the slow one is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ppo {
    fast: Smoothing,
    slow: Smoothing,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PpoParameters {
    /// Observations of the fast average; below `slow`.
    pub fast: u32,
    /// Observations of the slow average.
    pub slow: u32,
}

impl Default for PpoParameters {
    fn default() -> Self {
        Self { fast: 12, slow: 26 }
    }
}

impl Ppo {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::FastNotBelowSlow`].
    pub fn new(parameters: PpoParameters) -> Result<Self, IndicatorError> {
        let PpoParameters { fast, slow } = parameters;
        in_order(fast, slow)?;
        Ok(Self {
            fast: Smoothing::exponential(fast)?,
            slow: Smoothing::exponential(slow)?,
        })
    }
}

impl Indicator for Ppo {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        self.fast.update(value);
        self.slow.update(value);
    }

    fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
    }

    fn value(&self) -> Option<f64> {
        let (fast, slow) = (self.fast.value()?, self.slow.value()?);
        Some(100.0 * divide(fast - slow, slow))
    }

    fn warm_up(&self) -> usize {
        self.slow.period().as_usize()
    }
}
