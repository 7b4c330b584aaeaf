//! The morning star.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::Shapes,
};

/// 100 on a rising candle that closes well into the long falling one two before, with a small body
/// between them that lies wholly below the first. "Well into" is 30 % of the first body; long and
/// small are against the mean body of the ten before each. TA-Lib's `CDLMORNINGSTAR` with its default
/// penetration. The answer is 0 on a candle that does not end the pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct MorningStar {
    shapes: Shapes,
    value: Option<f64>,
}

impl MorningStar {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for MorningStar {
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
        13
    }
}

impl MorningStar {
    fn value_of_newest(&self) -> Option<f64> {
        let [first, star, newest] = self.shapes.last_three()?;
        let (first_mean, star_mean, newest_mean) = (
            first.averages?.body,
            star.averages?.body,
            newest.averages?.body,
        );
        let is_star = first.body() > first_mean
            && !first.is_rising()
            && star.body() <= star_mean
            && star.body_high() < first.body_low()
            && newest.body() > newest_mean
            && newest.is_rising()
            && newest.candle.close > first.candle.close + first.body() * 0.3;
        Some(if is_star { 100.0 } else { 0.0 })
    }
}
