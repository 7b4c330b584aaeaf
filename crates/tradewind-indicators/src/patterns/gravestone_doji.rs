//! The gravestone doji.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a doji with hardly any lower shadow and an upper one; the limit of both is a tenth of the
/// mean range of ten candles. TA-Lib's `CDLGRAVESTONEDOJI`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct GravestoneDoji {
    shapes: Shapes,
    value: Option<f64>,
}

impl GravestoneDoji {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for GravestoneDoji {
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

impl GravestoneDoji {
    fn newest(&self) -> Option<f64> {
        let shape = self.shapes.newest()?;
        let usual = shape.averages?;
        let limit = usual.range * 0.1;
        Some(hit(
            shape.body() <= limit && shape.lower_shadow() < limit && shape.upper_shadow() > limit,
            100.0,
        ))
    }
}
