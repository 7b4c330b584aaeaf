//! The vortex indicator.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    folds::Sums,
    indicator::{Checked, Indicator, output},
    period::Period,
    ratio::divide,
    window::Window,
};

/// The distances from each high to the low before it, and from each low to the high before it, summed
/// over `n` bars and divided by the sum of the true ranges. TA-Lib's `VORTEX`; E. Botes and D.
/// Siepman, 2010. 0 if there was no range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vortex {
    previous: Option<Bar>,
    sums: Window<Sums<3>>,
}

/// The two lines, ratios around 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VortexValue {
    /// Upwards.
    pub plus: f64,
    /// Downwards.
    pub minus: f64,
}

output!(VortexValue: plus, minus);

impl Vortex {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            previous: None,
            sums: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Vortex {
    type Input = Bar;
    type Output = VortexValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        if let Some(last) = self.previous.replace(bar) {
            self.sums.push(Sums([
                (bar.high - last.low).abs(),
                (bar.low - last.high).abs(),
                bar.true_range(last.close),
            ]));
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.sums.reset();
    }

    fn value(&self) -> Option<VortexValue> {
        self.sums
            .value()
            .map(|Sums([plus, minus, range])| VortexValue {
                plus: divide(plus, range),
                minus: divide(minus, range),
            })
    }

    fn warm_up(&self) -> usize {
        self.sums.period() + 1
    }
}
