//! Directional movement.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    period::Period,
    trend::directional::Movement,
};

/// How far the highs and the lows went beyond those of the bar before, the larger of the two only, as
/// Wilder's running sum over `n`. TA-Lib's `PLUS_DM` and `MINUS_DM`; J. W. Wilder, "New Concepts in
/// Technical Trading Systems", 1978.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dm {
    movement: Movement,
}

/// The two movements, in price units, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DirectionalMovement {
    /// Upwards.
    pub plus: f64,
    /// Downwards.
    pub minus: f64,
}

output!(DirectionalMovement: plus, minus);

impl Dm {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            movement: Movement::new(Period::at_least(2, period)?),
        })
    }
}

impl Indicator for Dm {
    type Input = Bar;
    type Output = DirectionalMovement;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.movement.update(bar);
    }

    fn reset(&mut self) {
        self.movement.reset();
    }

    fn value(&self) -> Option<DirectionalMovement> {
        self.movement
            .sums()
            .map(|[plus, minus, _]| DirectionalMovement { plus, minus })
    }

    fn warm_up(&self) -> usize {
        self.movement.period()
    }
}
