//! The morning doji star.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a morning star whose middle candle is a doji. TA-Lib's `CDLMORNINGDOJISTAR` with its
/// default penetration. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct MorningDojiStar {
    shapes: Shapes,
    value: Option<f64>,
}

impl MorningDojiStar {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for MorningDojiStar {
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

impl MorningDojiStar {
    fn newest(&self) -> Option<f64> {
        let [_, first, middle, newest] = self.shapes.last()?;
        let (before, between, usual) = (first.averages?, middle.averages?, newest.averages?);
        let is_turn = !first.is_rising()
            && newest.is_rising()
            && first.body() > before.body
            && newest.body() > usual.body;
        let is_star = middle.body() <= between.range * 0.1 && middle.body_high() < first.body_low();
        Some(hit(
            is_turn && is_star && newest.candle.close > first.candle.close + first.body() * 0.3,
            100.0,
        ))
    }
}
