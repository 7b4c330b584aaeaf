//! The dark cloud cover.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// -100 on a falling candle that opens above the high of a long rising one and closes within its
/// body, below the middle. TA-Lib's `CDLDARKCLOUDCOVER`. 0 on every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct DarkCloudCover {
    shapes: Shapes,
    value: Option<f64>,
}

impl DarkCloudCover {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for DarkCloudCover {
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

impl DarkCloudCover {
    fn newest(&self) -> Option<f64> {
        let [_, _, last, newest] = self.shapes.last()?;
        let before = last.averages?;
        let is_pair = last.is_rising() && last.body() > before.body && !newest.is_rising();
        let (candle, older) = (newest.candle, last.candle);
        let covers = candle.open > older.high
            && candle.close > older.open
            && candle.close < older.close - last.body() * 0.5;
        Some(hit(is_pair && covers, -100.0))
    }
}
