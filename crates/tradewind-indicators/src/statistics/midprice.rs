//! The middle of the last range.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    range::RangeWindow,
};

/// The mean of the highest high and the lowest low of the last `n` bars. TA-Lib's `MIDPRICE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Midprice {
    range: RangeWindow,
}

impl Midprice {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            range: RangeWindow::new(Period::new(period)?),
        })
    }
}

impl Indicator for Midprice {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.range.push(bar.high, bar.low);
    }

    fn reset(&mut self) {
        self.range.reset();
    }

    fn value(&self) -> Option<f64> {
        self.range.middle()
    }

    fn warm_up(&self) -> usize {
        self.range.period()
    }
}
