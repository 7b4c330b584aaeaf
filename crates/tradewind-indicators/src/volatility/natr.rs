//! The normalised average true range.

use serde::{Deserialize, Serialize};

use crate::{
    Atr, Bar, IndicatorError,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// The average true range in percent of the close. TA-Lib's `NATR`; J. Forman, 2006. 0 if the close
/// is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Natr {
    atr: Atr,
    close: f64,
}

impl Natr {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            atr: Atr::new(period)?,
            close: 0.0,
        })
    }
}

impl Indicator for Natr {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        self.atr.accept(input);
        self.close = input.get().close;
    }

    fn reset(&mut self) {
        self.atr.reset();
        self.close = 0.0;
    }

    fn value(&self) -> Option<f64> {
        self.atr.value().map(|atr| 100.0 * divide(atr, self.close))
    }

    fn warm_up(&self) -> usize {
        self.atr.warm_up()
    }
}
