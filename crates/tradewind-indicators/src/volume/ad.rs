//! Chaikin's accumulation and distribution line.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    ratio::divide,
};

/// The running sum of money flow: volume times the place of the close in the range, from -1 at the
/// low to 1 at the high. TA-Lib's `AD`. A candle without a range adds nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Ad {
    sum: f64,
    is_warm: bool,
}

impl Ad {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Ad {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.sum += flow(candle);
        self.is_warm = true;
    }

    fn reset(&mut self) {
        self.sum = 0.0;
        self.is_warm = false;
    }

    fn value(&self) -> Option<f64> {
        self.is_warm.then_some(self.sum)
    }

    fn warm_up(&self) -> usize {
        1
    }
}

/// Volume times the place of the close in the range, from -1 to 1.
pub(crate) fn flow(candle: Ohlcv) -> f64 {
    let Ohlcv {
        high,
        low,
        close,
        volume,
        ..
    } = candle;
    divide((close - low) - (high - close), high - low) * volume
}
