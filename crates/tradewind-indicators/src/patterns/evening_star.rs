//! The evening star.

use serde::{Deserialize, Serialize};

use crate::{
    Ohlcv,
    indicator::{Checked, Indicator},
    patterns::shape::Shapes,
};

/// -100 on a falling candle that closes well into the long rising one two before, with a small body
/// between them that lies wholly above the first: the morning star mirrored. TA-Lib's
/// `CDLEVENINGSTAR` with its default penetration. The answer is 0 on a candle that does not end the
/// pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct EveningStar {
    shapes: Shapes,
    value: Option<f64>,
}

impl EveningStar {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for EveningStar {
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

impl EveningStar {
    fn value_of_newest(&self) -> Option<f64> {
        let [first, star, newest] = self.shapes.last_three()?;
        let (first_mean, star_mean, newest_mean) = (
            first.averages?.body,
            star.averages?.body,
            newest.averages?.body,
        );
        let is_star = first.body() > first_mean
            && first.is_rising()
            && star.body() <= star_mean
            && star.body_low() > first.body_high()
            && newest.body() > newest_mean
            && !newest.is_rising()
            && newest.candle.close < first.candle.close - first.body() * 0.3;
        Some(if is_star { -100.0 } else { 0.0 })
    }
}
