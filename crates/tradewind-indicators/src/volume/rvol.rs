//! The relative volume.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Ohlcv,
    indicator::{Checked, Indicator},
    mean::Mean,
    period::Period,
    ratio::divide,
};

/// The volume divided by the mean of the `n` volumes before it: 1 is usual. TA-Lib's `RVOL`. 0 if
/// nothing was traded before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rvol {
    mean: Mean,
    value: Option<f64>,
}

impl Rvol {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            mean: Mean::new(Period::new(period)?),
            value: None,
        })
    }
}

impl Indicator for Rvol {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.value = self.mean.value().map(|mean| divide(candle.volume, mean));
        self.mean.push(candle.volume);
    }

    fn reset(&mut self) {
        self.mean.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.mean.period() + 1
    }
}
