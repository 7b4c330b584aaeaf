//! The Coppock curve.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError,
    folds::Weighted,
    indicator::{Checked, Indicator},
    period::{Period, in_order},
    ratio::divide,
    ring::Ring,
    window::Window,
};

/// The weighted average over `period` values of the sum of two rates of change in percent. TA-Lib's
/// `COPPOCK`; E. Coppock, Barron's, 1962.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coppock {
    short: Ring<f64>,
    long: Ring<f64>,
    sum: Window<Weighted>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoppockParameters {
    /// Observations of the average.
    pub period: u32,
    /// Values that the shorter rate of change spans; below `long`.
    pub short: u32,
    /// Values that the longer rate of change spans.
    pub long: u32,
}

impl Default for CoppockParameters {
    fn default() -> Self {
        Self {
            period: 10,
            short: 11,
            long: 14,
        }
    }
}

impl Coppock {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`] or [`IndicatorError::FastNotBelowSlow`].
    pub fn new(parameters: CoppockParameters) -> Result<Self, IndicatorError> {
        let CoppockParameters {
            period,
            short,
            long,
        } = parameters;
        in_order(short, long)?;
        Ok(Self {
            short: Ring::new(Period::new(short)?.as_usize()),
            long: Ring::new(Period::new(long)?.as_usize()),
            sum: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Coppock {
    type Input = f64;
    type Output = f64;

    fn accept(&mut self, input: Checked<f64>) {
        let value = input.get();
        let older = self.short.push(value).zip(self.long.push(value));
        if let Some((short, long)) = older {
            let change = |older: f64| 100.0 * divide(value - older, older);
            self.sum.push(Weighted::of(change(short) + change(long)));
        }
    }

    fn reset(&mut self) {
        self.short.reset();
        self.long.reset();
        self.sum.reset();
    }

    fn value(&self) -> Option<f64> {
        self.sum.value().map(Weighted::mean)
    }

    fn warm_up(&self) -> usize {
        self.long.size() + self.sum.period()
    }
}
