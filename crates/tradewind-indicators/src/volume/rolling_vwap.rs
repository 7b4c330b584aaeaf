//! The volume-weighted average price of the last candles.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Ohlcv,
    folds::Sums,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// The mean of the last `n` typical prices, each weighted by its volume: the session's definition
/// over a moving window, as `rolling_vwap` of freqtrade's `qtpylib` has it. There is none
/// if nothing was traded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollingVwap {
    sums: Window<Sums<2>>,
}

impl RollingVwap {
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

impl Indicator for RollingVwap {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.sums.push(Sums([
            candle.bar().typical() * candle.volume,
            candle.volume,
        ]));
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
