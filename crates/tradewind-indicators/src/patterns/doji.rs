//! The doji.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a candle whose body is at most a tenth of the mean range of the ten candles before.
/// TA-Lib's `CDLDOJI`. 0 on every other candle.
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
        self.value = if self.shapes.seen() < WARM_UP {
            None
        } else {
            self.newest()
        };
    }

    fn reset(&mut self) {
        self.shapes.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        WARM_UP
    }
}

const WARM_UP: usize = 11;

impl Doji {
    fn newest(&self) -> Option<f64> {
        let shape = self.shapes.newest()?;
        let usual = shape.averages?;
        Some(hit(shape.body() <= usual.range * 0.1, 100.0))
    }
}
