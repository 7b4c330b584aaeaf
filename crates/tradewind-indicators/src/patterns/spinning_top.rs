//! The spinning top.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a rising candle, -100 on a falling one, if the body is below the mean of the ten before and
/// both shadows are longer than it. TA-Lib's `CDLSPINNINGTOP`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct SpinningTop {
    shapes: Shapes,
    value: Option<f64>,
}

impl SpinningTop {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for SpinningTop {
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

impl SpinningTop {
    fn newest(&self) -> Option<f64> {
        let shape = self.shapes.newest()?;
        let usual = shape.averages?;
        let is_top = shape.body() < usual.body
            && shape.upper_shadow() > shape.body()
            && shape.lower_shadow() > shape.body();
        Some(hit(is_top, shape.sign() * 100.0))
    }
}
