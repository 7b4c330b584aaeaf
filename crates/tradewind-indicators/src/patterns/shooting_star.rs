//! The shooting star.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// -100 on an inverted hammer whose body is wholly above the one before. TA-Lib's `CDLSHOOTINGSTAR`.
/// 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct ShootingStar {
    shapes: Shapes,
    value: Option<f64>,
}

impl ShootingStar {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for ShootingStar {
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

impl ShootingStar {
    fn newest(&self) -> Option<f64> {
        let [_, _, last, newest] = self.shapes.last()?;
        let usual = newest.averages?;
        Some(hit(
            newest.is_inverted_hammer(usual) && newest.body_low() > last.body_high(),
            -100.0,
        ))
    }
}
