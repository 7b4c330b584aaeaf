//! The hammer.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::Shapes,
};

/// 100 on a candle with a body below the mean of the ten before, a lower shadow longer than the body,
/// an upper one below a tenth of the mean range of ten, and a body near or below the low before.
/// TA-Lib's `CDLHAMMER`. The answer is 0 on a candle that does not end the pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Hammer {
    shapes: Shapes,
    value: Option<f64>,
}

impl Hammer {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Hammer {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        self.shapes.push(candle);
        self.value = self.value_of_newest();
    }

    fn reset(&mut self) {
        self.shapes.reset();
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        12
    }
}

impl Hammer {
    fn value_of_newest(&self) -> Option<f64> {
        let [_, last, newest] = self.shapes.last_three()?;
        let (means, near) = (newest.averages?, last.averages?.range_of_five * 0.2);
        let is_hammer = newest.body() < means.body
            && newest.lower_shadow() > newest.body()
            && newest.upper_shadow() < means.range * 0.1
            && newest.body_low() <= last.candle.low + near;
        Some(if is_hammer { 100.0 } else { 0.0 })
    }
}
