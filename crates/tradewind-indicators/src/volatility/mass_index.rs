//! The mass index.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    folds::Sum,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    smoothing::Cascade,
    window::Window,
};

/// The sum over `slow` bars of the exponential average of the range divided by the average of that
/// average: above 27 and back below 26.5 a trend is said to turn. TA-Lib's `MASSI`; D. Dorsey, 1992.
/// A quotient with an average of 0 counts as 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MassIndex {
    averages: Cascade,
    ratios: Window<Sum>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MassIndexParameters {
    /// Bars of both averages.
    pub fast: u32,
    /// Bars of the sum.
    pub slow: u32,
}

impl Default for MassIndexParameters {
    fn default() -> Self {
        Self { fast: 9, slow: 25 }
    }
}

impl MassIndex {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: MassIndexParameters) -> Result<Self, IndicatorError> {
        let MassIndexParameters { fast, slow } = parameters;

        Ok(Self {
            averages: Cascade::new(2, fast)?,
            ratios: Window::new(Period::new(slow)?),
        })
    }
}

impl Indicator for MassIndex {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.averages.update(bar.high - bar.low);
        if let Some([first, second]) = self.averages.values() {
            self.ratios.push(Sum(divide(first, second)));
        }
    }

    fn reset(&mut self) {
        self.averages.reset();
        self.ratios.reset();
    }

    fn value(&self) -> Option<f64> {
        self.ratios.value().map(|Sum(sum)| sum)
    }

    fn warm_up(&self) -> usize {
        self.averages.warm_up() + self.ratios.period() - 1
    }
}
