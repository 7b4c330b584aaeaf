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

const LAST: usize = 3;
/// At least the longest warm-up of a pattern.
const SEEN_MAX: usize = 16;

/// `value` where a pattern ends, else 0.
pub(crate) fn hit(is_hit: bool, value: f64) -> f64 {
    if is_hit { value } else { 0.0 }
}

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

    /// 1 for a rising candle, -1 for a falling one.
    pub(crate) fn sign(&self) -> f64 {
        if self.is_rising() { 1.0 } else { -1.0 }
    }

    /// 100 if this body reaches beyond both ends of `other`'s, 80 if beyond one and to the other, else 0.
    pub(crate) fn covers(&self, other: Self) -> f64 {
        let (below, above) = (
            self.body_low() < other.body_low(),
            self.body_high() > other.body_high(),
        );
        let touches = self.body_low() <= other.body_low() && self.body_high() >= other.body_high();
        match (touches, below, above) {
            (true, true, true) => 100.0,
            (true, true, false) | (true, false, true) => 80.0,
            _ => 0.0,
        }
    }

    /// A small body above a long lower shadow.
    pub(crate) fn is_hammer(&self, usual: Averages) -> bool {
        self.body() < usual.body
            && self.lower_shadow() > self.body()
            && self.upper_shadow() < usual.range * 0.1
    }

    /// A small body beneath a long upper shadow.
    pub(crate) fn is_inverted_hammer(&self, usual: Averages) -> bool {
        self.body() < usual.body
            && self.upper_shadow() > self.body()
            && self.lower_shadow() < usual.range * 0.1
    }

    /// A candle that closes where it opened counts as rising, as in TA-Lib.
    pub(crate) fn is_rising(&self) -> bool {
        self.candle.close >= self.candle.open
    }
}

/// The last four candles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shapes {
    usual: Window<Sums<2>>,
    near: Window<Sum>,
    recent: [Option<Shape>; 4],
    /// Candles seen, as far as any pattern must count.
    seen: usize,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            usual: Window::new(USUAL),
            near: Window::new(NEAR),
            recent: [None; 4],
            seen: 0,
        }
    }
}

impl Shapes {
    pub(crate) fn push(&mut self, candle: Ohlcv) {
        let shape = Shape {
            candle,
            averages: self.averages(),
        };
        self.recent.rotate_left(1);
        self.recent[LAST] = Some(shape);
        self.seen = (self.seen + 1).min(SEEN_MAX);
        let range = candle.high - candle.low;
        self.usual.push(Sums([shape.body(), range]));
        self.near.push(Sum(range));
    }

    pub(crate) fn reset(&mut self) {
        self.usual.reset();
        self.near.reset();
        self.recent = [None; 4];
        self.seen = 0;
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    pub(crate) fn newest(&self) -> Option<Shape> {
        self.recent[LAST]
    }

    /// The one before the newest.
    pub(crate) fn before(&self) -> Option<Shape> {
        self.recent[LAST - 1]
    }

    /// The last four, the oldest first.
    pub(crate) fn last(&self) -> Option<[Shape; 4]> {
        let [first, second, third, fourth] = self.recent;
        Some([first?, second?, third?, fourth?])
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
