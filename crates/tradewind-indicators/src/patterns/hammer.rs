//! The hammer.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a candle with a body below the mean of the ten before, a lower shadow longer than the body,
/// an upper one below a tenth of the mean range of ten, and a body near or below the low before:
/// within a fifth of the mean range of five. TA-Lib's `CDLHAMMER`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Hammer {
    shapes: Shapes,
    value: Option<f64>,
}

impl Hammer {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Hammer {
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

const WARM_UP: usize = 12;

impl Hammer {
    fn newest(&self) -> Option<f64> {
        let [_, _, last, newest] = self.shapes.last()?;
        let (before, usual) = (last.averages?, newest.averages?);
        let is_hammer = newest.is_hammer(usual)
            && newest.body_low() <= last.candle.low + before.range_of_five * 0.2;
        Some(hit(is_hammer, 100.0))
    }
}
