//! The evening star.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// -100 on a falling candle that closes well into the long rising one two before, with a small body
/// between them that lies wholly above the first: the morning star mirrored. TA-Lib's
/// `CDLEVENINGSTAR` with its default penetration. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct EveningStar {
    shapes: Shapes,
    value: Option<f64>,
}

impl EveningStar {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for EveningStar {
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

const WARM_UP: usize = 13;

impl EveningStar {
    fn newest(&self) -> Option<f64> {
        let [_, first, middle, newest] = self.shapes.last()?;
        let (before, between, usual) = (first.averages?, middle.averages?, newest.averages?);
        let is_turn = first.is_rising()
            && !newest.is_rising()
            && first.body() > before.body
            && newest.body() > usual.body;
        let is_star = middle.body() <= between.body && middle.body_low() > first.body_high();
        Some(hit(
            is_turn && is_star && newest.candle.close < first.candle.close - first.body() * 0.3,
            -100.0,
        ))
    }
}
