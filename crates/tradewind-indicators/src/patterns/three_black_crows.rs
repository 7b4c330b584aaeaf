//! Three black crows.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// -100 on the third of three falling candles with hardly any lower shadow that each close lower and
/// open within the body before; the first closes below the high of the rising candle before them.
/// TA-Lib's `CDL3BLACKCROWS`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct ThreeBlackCrows {
    shapes: Shapes,
    value: Option<f64>,
}

impl ThreeBlackCrows {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for ThreeBlackCrows {
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

const WARM_UP: usize = 14;

impl ThreeBlackCrows {
    fn newest(&self) -> Option<f64> {
        let [white, first, middle, newest] = self.shapes.last()?;
        let mut is_flock = white.is_rising() && white.candle.high > first.candle.close;
        for shape in [first, middle, newest] {
            is_flock &= !shape.is_rising() && shape.lower_shadow() < shape.averages?.range * 0.1;
        }
        for [older, newer] in [[first, middle], [middle, newest]] {
            is_flock &= newer.candle.open < older.candle.open
                && newer.candle.open > older.candle.close
                && newer.candle.close < older.candle.close;
        }
        Some(hit(is_flock, -100.0))
    }
}
