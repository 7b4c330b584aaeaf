//! The average directional index rating.

use serde::{Deserialize, Serialize};

use crate::{
    Adx, Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::Period,
    ring::Ring,
};

/// The mean of the average directional index and its value `n - 1` bars before, in `0..=100`.
/// TA-Lib's `ADXR`; J. W. Wilder, "New Concepts in Technical Trading Systems", 1978.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adxr {
    adx: Adx,
    older: Ring<f64>,
    value: Option<f64>,
}

impl Adxr {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        let adx = Adx::new(period)?;
        Ok(Self {
            adx,
            older: Ring::new(Period::new(period)?.as_usize() - 1),
            value: None,
        })
    }
}

impl Indicator for Adxr {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        self.adx.accept(input);
        if let Some(adx) = self.adx.value() {
            self.value = self.older.push(adx).map(|older| (adx + older) / 2.0);
        }
    }

    fn reset(&mut self) {
        self.adx.reset();
        self.older.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.adx.warm_up() + self.older.size()
    }
}
