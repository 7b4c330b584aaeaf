//! What patterns compare: candles, and what was usual before each.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    folds::{Sum, Sums},
    period::Period,
    window::Window,
};

/// The number of candles whose means a body or a shadow is compared with, and of those for "near".
const USUAL: Period = Period::TEN;
const NEAR: Period = Period::FIVE;

/// A candle and the means of the candles before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) candle: Ohlcv,
    /// `None` for the first candles.
    pub(crate) averages: Option<Averages>,
}

/// What was usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Averages {
    /// The mean body of ten candles.
    pub(crate) body: f64,
    /// The mean range of ten candles.
    pub(crate) range: f64,
    /// The mean range of five candles.
    pub(crate) range_of_five: f64,
}

impl Shape {
    pub(crate) fn body(&self) -> f64 {
        (self.candle.close - self.candle.open).abs()
    }

    pub(crate) fn body_low(&self) -> f64 {
        self.candle.open.min(self.candle.close)
    }

    pub(crate) fn body_high(&self) -> f64 {
        self.candle.open.max(self.candle.close)
    }

    pub(crate) fn upper_shadow(&self) -> f64 {
        self.candle.high - self.body_high()
    }

    pub(crate) fn lower_shadow(&self) -> f64 {
        self.body_low() - self.candle.low
    }

    /// A candle that closes where it opened counts as rising, as in TA-Lib.
    pub(crate) fn is_rising(&self) -> bool {
        self.candle.close >= self.candle.open
    }
}

/// The last three candles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shapes {
    usual: Window<Sums<2>>,
    near: Window<Sum>,
    recent: [Option<Shape>; 3],
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            usual: Window::new(USUAL),
            near: Window::new(NEAR),
            recent: [None; 3],
        }
    }
}

impl Shapes {
    pub(crate) fn push(&mut self, candle: Ohlcv) {
        let shape = Shape {
            candle,
            averages: self.averages(),
        };
        let [_, middle, newest] = self.recent;
        self.recent = [middle, newest, Some(shape)];
        let range = candle.high - candle.low;
        self.usual.push(Sums([shape.body(), range]));
        self.near.push(Sum(range));
    }

    pub(crate) fn reset(&mut self) {
        self.usual.reset();
        self.near.reset();
        self.recent = [None; 3];
    }

    pub(crate) fn newest(&self) -> Option<Shape> {
        self.recent[2]
    }

    /// The last three, the oldest first.
    pub(crate) fn last_three(&self) -> Option<[Shape; 3]> {
        let [first, second, third] = self.recent;
        Some([first?, second?, third?])
    }

    fn averages(&self) -> Option<Averages> {
        let (Sums([body, range]), Sum(near)) = (self.usual.value()?, self.near.value()?);
        Some(Averages {
            body: body / USUAL.as_f64(),
            range: range / USUAL.as_f64(),
            range_of_five: near / NEAR.as_f64(),
        })
    }
}
