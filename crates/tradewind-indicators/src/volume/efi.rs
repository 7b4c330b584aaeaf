//! Elder's force index.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Ohlcv,
    indicator::{Checked, Indicator},
    smoothing::Smoothing,
};

/// The exponential average of the change of the close times the volume. TA-Lib's `EFI`; A. Elder,
/// "Trading for a Living", 1993.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Efi {
    previous: Option<f64>,
    average: Smoothing,
}

impl Efi {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            previous: None,
            average: Smoothing::exponential(period)?,
        })
    }
}

impl Indicator for Efi {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        if let Some(previous) = self.previous.replace(candle.close) {
            self.average
                .update((candle.close - previous) * candle.volume);
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.average.reset();
    }

    fn value(&self) -> Option<f64> {
        self.average.value()
    }

    fn warm_up(&self) -> usize {
        self.average.period().as_usize() + 1
    }
}
