//! Three inside up or down.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a rising candle that closes above a long falling one two before, with a small body within
/// the first between them; -100 on its mirror image. TA-Lib's `CDL3INSIDE`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct ThreeInside {
    shapes: Shapes,
    value: Option<f64>,
}

impl ThreeInside {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for ThreeInside {
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

impl ThreeInside {
    fn newest(&self) -> Option<f64> {
        let [_, first, middle, newest] = self.shapes.last()?;
        let is_inside = first.body() > first.averages?.body
            && middle.body() <= middle.averages?.body
            && middle.body_high() < first.body_high()
            && middle.body_low() > first.body_low();
        let turns = if first.is_rising() {
            !newest.is_rising() && newest.candle.close < first.candle.open
        } else {
            newest.is_rising() && newest.candle.close > first.candle.open
        };
        Some(hit(is_inside && turns, -first.sign() * 100.0))
    }
}
