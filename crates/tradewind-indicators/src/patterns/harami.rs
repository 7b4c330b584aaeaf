//! The harami.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 after a long falling candle and -100 after a long rising one, on a small body within it, and
/// 80 or -80 if they share an end. Long and small are against the mean body of the ten before each.
/// TA-Lib's `CDLHARAMI`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Harami {
    shapes: Shapes,
    value: Option<f64>,
}

impl Harami {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Harami {
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

impl Harami {
    fn newest(&self) -> Option<f64> {
        let [_, _, last, newest] = self.shapes.last()?;
        let (before, usual) = (last.averages?, newest.averages?);
        let is_inside = last.body() > before.body && newest.body() <= usual.body;
        let strength = if newest.body_high() < last.body_high()
            && newest.body_low() > last.body_low()
        {
            100.0
        } else if newest.body_high() <= last.body_high() && newest.body_low() >= last.body_low() {
            80.0
        } else {
            0.0
        };
        Some(hit(is_inside && strength > 0.0, -last.sign() * strength))
    }
}
