//! The doji.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::Shapes,
};

/// 100 on a candle whose body is at most a tenth of the mean range of the ten candles before.
/// TA-Lib's `CDLDOJI`. The answer is 0 on a candle that does not end the pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Doji {
    shapes: Shapes,
    value: Option<f64>,
}

impl Doji {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Doji {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.shapes.push(candle);
        self.value = self.value_of_newest();
    }

    fn reset(&mut self) {
        self.shapes.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        11
    }
}

impl Doji {
    fn value_of_newest(&self) -> Option<f64> {
        let newest = self.shapes.newest()?;
        let limit = newest.averages?.range * 0.1;
        Some(if newest.body() <= limit { 100.0 } else { 0.0 })
    }
}
