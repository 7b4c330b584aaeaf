//! The volume-weighted moving average.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Ohlcv,
    folds::Sums,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// The mean of the last `n` closes, each weighted by its volume. TA-Lib's `VWMA`. There is none if
/// nothing was traded in the whole window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vwma {
    sums: Window<Sums<2>>,
}

impl Vwma {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            sums: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Vwma {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.sums
            .push(Sums([candle.close * candle.volume, candle.volume]));
    }

    fn reset(&mut self) {
        self.sums.reset();
    }

    fn value(&self) -> Option<f64> {
        let Sums([traded, volume]) = self.sums.value()?;
        (volume != 0.0).then(|| divide(traded, volume))
    }

    fn warm_up(&self) -> usize {
        self.sums.period()
    }
}
