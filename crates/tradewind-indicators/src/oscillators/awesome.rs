//! The awesome oscillator.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::{Period, in_order},
};

/// The mean of the last `fast` middles of bars minus that of the last `slow`. TA-Lib's `AO`; B.
/// Williams, "New Trading Dimensions", 1998.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Awesome {
    fast: Mean,
    slow: Mean,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwesomeParameters {
    /// Observations of the fast average; below `slow`.
    pub fast: u32,
    /// Observations of the slow average.
    pub slow: u32,
}

impl Default for AwesomeParameters {
    fn default() -> Self {
        Self { fast: 5, slow: 34 }
    }
}

impl Awesome {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::FastNotBelowSlow`].
    pub fn new(parameters: AwesomeParameters) -> Result<Self, IndicatorError> {
        let AwesomeParameters { fast, slow } = parameters;
        in_order(fast, slow)?;
        Ok(Self {
            fast: Mean::new(Period::new(fast)?),
            slow: Mean::new(Period::new(slow)?),
        })
    }
}

impl Indicator for Awesome {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.fast.push(bar.middle());
        self.slow.push(bar.middle());
    }

    fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
    }

    fn value(&self) -> Option<f64> {
        Some(self.fast.value()? - self.slow.value()?)
    }

    fn warm_up(&self) -> usize {
        self.slow.period()
    }
}
