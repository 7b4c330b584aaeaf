//! Engulfing.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::Shapes,
};

/// 100 on a rising candle whose body covers the falling one before, -100 on a falling one that covers
/// a rising one, and 80 or -80 if they share an end. TA-Lib's `CDLENGULFING`. The answer is 0 on a
/// candle that does not end the pattern.
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
        3
    }
}

impl Engulfing {
    fn value_of_newest(&self) -> Option<f64> {
        let [_, last, newest] = self.shapes.last_three()?;
        let covers = newest.body_low() <= last.body_low() && newest.body_high() >= last.body_high();
        let (below, above) = (
            newest.body_low() < last.body_low(),
            newest.body_high() > last.body_high(),
        );
        if newest.is_rising() == last.is_rising() || !covers || !(below || above) {
            return Some(0.0);
        }
        let strength = if below && above { 100.0 } else { 80.0 };
        Some(if newest.is_rising() {
            strength
        } else {
            -strength
        })
    }
}
