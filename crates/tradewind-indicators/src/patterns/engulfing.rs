//! Engulfing.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::Shapes,
};

/// 100 on a rising candle whose body covers the falling one before, -100 on a falling one that covers
/// a rising one, and 80 or -80 if they share an end. TA-Lib's `CDLENGULFING`. 0 on every other
/// candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Engulfing {
    shapes: Shapes,
    value: Option<f64>,
}

impl Engulfing {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Engulfing {
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

const WARM_UP: usize = 3;

impl Engulfing {
    fn newest(&self) -> Option<f64> {
        let last = self.shapes.before()?;
        let newest = self.shapes.newest()?;
        Some(if newest.is_rising() == last.is_rising() {
            0.0
        } else {
            newest.sign() * newest.covers(last)
        })
    }
}
