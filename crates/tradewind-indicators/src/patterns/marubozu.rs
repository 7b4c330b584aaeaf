//! The marubozu.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a rising candle, -100 on a falling one, if the body is above the mean of the ten before and
/// both shadows are below a tenth of the mean range. TA-Lib's `CDLMARUBOZU`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Marubozu {
    shapes: Shapes,
    value: Option<f64>,
}

impl Marubozu {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Marubozu {
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

impl Marubozu {
    fn newest(&self) -> Option<f64> {
        let shape = self.shapes.newest()?;
        let usual = shape.averages?;
        let limit = usual.range * 0.1;
        let is_bare = shape.body() > usual.body
            && shape.upper_shadow() < limit
            && shape.lower_shadow() < limit;
        Some(hit(is_bare, shape.sign() * 100.0))
    }
}
