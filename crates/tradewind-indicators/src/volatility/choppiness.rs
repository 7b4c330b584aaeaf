//! The choppiness index.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    folds::Sum,
    indicator::{Checked, Indicator},
    period::Period,
    range::RangeWindow,
    ratio::divide,
    window::Window,
};

/// `100 * log10(sum of true ranges / range) / log10(n)` over `n` bars: near 100 a market moves
/// sideways, near 0 in a line. E. W. Dreiss, 1993. 0 if the range is empty. The logarithm is
/// `libm`'s, which is the same bits on every machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choppiness {
    period: Period,
    previous_close: Option<f64>,
    sum: Window<Sum>,
    range: RangeWindow,
}

impl Choppiness {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let period = Period::at_least(2, period)?;
        Ok(Self {
            period,
            previous_close: None,
            sum: Window::new(period),
            range: RangeWindow::new(period),
        })
    }
}

impl Indicator for Choppiness {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.range.push(bar.high, bar.low);
        if let Some(close) = self.previous_close.replace(bar.close) {
            self.sum.push(Sum(bar.true_range(close)));
        }
    }

    fn reset(&mut self) {
        self.previous_close = None;
        self.sum.reset();
        self.range.reset();
    }

    fn value(&self) -> Option<f64> {
        let Sum(path) = self.sum.value()?;
        let (highest, lowest) = self.range.value()?;
        let ratio = divide(path, highest - lowest);
        Some(if ratio > 0.0 {
            100.0 * libm::log10(ratio) / libm::log10(self.period.as_f64())
        } else {
            0.0
        })
    }

    fn warm_up(&self) -> usize {
        self.range.period() + 1
    }
}
