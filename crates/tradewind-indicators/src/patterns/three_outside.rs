//! Three outside up or down.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a candle that closes above a rising one that engulfs the falling one before it; -100 on its
/// mirror image. TA-Lib's `CDL3OUTSIDE`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct ThreeOutside {
    shapes: Shapes,
    value: Option<f64>,
}

impl ThreeOutside {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for ThreeOutside {
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

const WARM_UP: usize = 4;

impl ThreeOutside {
    fn newest(&self) -> Option<f64> {
        let [_, first, middle, newest] = self.shapes.last()?;
        let engulfs = middle.is_rising() != first.is_rising()
            && middle.body_high() > first.body_high()
            && middle.body_low() < first.body_low();
        let confirms = if middle.is_rising() {
            newest.candle.close > middle.candle.close
        } else {
            newest.candle.close < middle.candle.close
        };
        Some(hit(engulfs && confirms, middle.sign() * 100.0))
    }
}
