//! Chaikin's money flow.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Ohlcv,
    folds::Sums,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    volume::ad::flow,
    window::Window,
};

/// The money flow of `n` candles as a share of their volume, in `-1..=1`. TA-Lib's `CMF`. 0 if
/// nothing was traded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cmf {
    sums: Window<Sums<2>>,
}

impl Cmf {
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

impl Indicator for Cmf {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.sums.push(Sums([flow(candle), candle.volume]));
    }

    fn reset(&mut self) {
        self.sums.reset();
    }

    fn value(&self) -> Option<f64> {
        self.sums
            .value()
            .map(|Sums([flow, volume])| divide(flow, volume))
    }

    fn warm_up(&self) -> usize {
        self.sums.period()
    }
}
