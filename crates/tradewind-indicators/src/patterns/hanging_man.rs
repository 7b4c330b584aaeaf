//! The hanging man.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// -100 on a hammer whose body is near or above the high before. TA-Lib's `CDLHANGINGMAN`. 0 on every
/// other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct HangingMan {
    shapes: Shapes,
    value: Option<f64>,
}

impl HangingMan {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for HangingMan {
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

impl HangingMan {
    fn newest(&self) -> Option<f64> {
        let [_, _, last, newest] = self.shapes.last()?;
        let (before, usual) = (last.averages?, newest.averages?);
        let is_man = newest.is_hammer(usual)
            && newest.body_low() >= last.candle.high - before.range_of_five * 0.2;
        Some(hit(is_man, -100.0))
    }
}
