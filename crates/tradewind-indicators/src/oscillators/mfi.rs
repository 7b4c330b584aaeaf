//! The money flow index.

use serde::{Deserialize, Serialize};

use crate::{
    IndicatorError, Ohlcv,
    folds::Sums,
    indicator::{Checked, Indicator},
    period::Period,
    ratio::divide,
    window::Window,
};

/// The share of money that flowed on rising typical prices in all that flowed over `n` changes, in
/// `0..=100`; money is typical price times volume. TA-Lib's `MFI`; G. Quong and A. Soudack, 1989. 0
/// if no money flowed. Typical prices that differ by rounding only count as equal, as in TA-Lib.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mfi {
    previous: Option<f64>,
    flows: Window<Sums<2>>,
}

impl Mfi {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            previous: None,
            flows: Window::new(Period::new(period)?),
        })
    }
}

impl Indicator for Mfi {
    type Input = Ohlcv;
    type Output = f64;

    fn accept(&mut self, input: Checked<Ohlcv>) {
        let candle = input.get();
        let typical = candle.bar().typical();
        if let Some(previous) = self.previous.replace(typical) {
            let money = typical * candle.volume;
            let (change, noise) = (typical - previous, ROUNDING * typical.abs());
            self.flows.push(Sums([
                if change > noise { money } else { 0.0 },
                if change < -noise { money } else { 0.0 },
            ]));
        }
    }

    fn reset(&mut self) {
        self.previous = None;
        self.flows.reset();
    }

    fn value(&self) -> Option<f64> {
        self.flows
            .value()
            .map(|Sums([rising, falling])| 100.0 * divide(rising, rising + falling))
    }

    fn warm_up(&self) -> usize {
        self.flows.period() + 1
    }
}

/// The share of a price below which a change is the rounding of a sum of three.
const ROUNDING: f64 = 1e-15;
