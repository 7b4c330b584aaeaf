//! The inverted hammer.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on a candle with a body below the mean of the ten before, an upper shadow longer than the
/// body, a lower one below a tenth of the mean range, and a body wholly below the one before.
/// TA-Lib's `CDLINVERTEDHAMMER`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct InvertedHammer {
    shapes: Shapes,
    value: Option<f64>,
}

impl InvertedHammer {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for InvertedHammer {
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

impl InvertedHammer {
    fn newest(&self) -> Option<f64> {
        let [_, _, last, newest] = self.shapes.last()?;
        let usual = newest.averages?;
        Some(hit(
            newest.is_inverted_hammer(usual) && newest.body_high() < last.body_low(),
            100.0,
        ))
    }
}
