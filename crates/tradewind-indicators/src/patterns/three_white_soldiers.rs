//! Three white soldiers.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::{Shapes, hit},
};

/// 100 on the third of three rising candles with hardly any upper shadow that each close higher, open
/// within or near the body before, and are not far shorter than it; the last is not short. TA-Lib's
/// `CDL3WHITESOLDIERS`: near is a fifth and far three fifths of the mean range of five candles. 0 on
/// every other candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct ThreeWhiteSoldiers {
    shapes: Shapes,
    value: Option<f64>,
}

impl ThreeWhiteSoldiers {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for ThreeWhiteSoldiers {
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

impl ThreeWhiteSoldiers {
    fn newest(&self) -> Option<f64> {
        let [_, first, middle, newest] = self.shapes.last()?;
        let march = [first, middle, newest];
        let mut is_march = newest.body() > newest.averages?.body;
        for shape in march {
            is_march &= shape.is_rising() && shape.upper_shadow() < shape.averages?.range * 0.1;
        }
        for [older, newer] in [[first, middle], [middle, newest]] {
            let five = older.averages?.range_of_five;
            is_march &= newer.candle.close > older.candle.close
                && newer.candle.open > older.candle.open
                && newer.candle.open <= older.candle.close + five * 0.2
                && newer.body() > older.body() - five * 0.6;
        }
        Some(hit(is_march, 100.0))
    }
}
