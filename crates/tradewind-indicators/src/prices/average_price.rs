//! The average price.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
};

/// The mean of open, high, low and close. TA-Lib's `AVGPRICE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct AveragePrice {
    value: Option<f64>,
}

impl AveragePrice {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for AveragePrice {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.value = Some((candle.open + candle.high + candle.low + candle.close) / 4.0);
    }

    fn reset(&mut self) {
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        1
    }
}
