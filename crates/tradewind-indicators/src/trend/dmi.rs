//! The directional indicators and their index.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    period::Period,
    trend::directional::Movement,
};

/// The directional movements as percentages of the true range, and the index: `100 * |plus - minus| /
/// (plus + minus)`. TA-Lib's `PLUS_DI`, `MINUS_DI` and `DX`; J. W. Wilder, "New Concepts in Technical
/// Trading Systems", 1978. While neither moves the index keeps its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dmi {
    movement: Movement,
    value: Option<DirectionalIndex>,
}

/// The two indicators and the index, in `0..=100` up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DirectionalIndex {
    /// TA-Lib's `PLUS_DI`.
    pub plus: f64,
    /// TA-Lib's `MINUS_DI`.
    pub minus: f64,
    /// TA-Lib's `DX`.
    pub index: f64,
}

output!(DirectionalIndex: plus, minus, index);

impl Dmi {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            movement: Movement::new(Period::at_least(2, period)?),
            value: None,
        })
    }
}

impl Indicator for Dmi {
    type Input = Bar;
    type Output = DirectionalIndex;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        self.movement.update(bar);
        if let Some([plus, minus]) = self.movement.indicators() {
            let sum = plus + minus;
            let index = if sum > 0.0 {
                100.0 * ((plus - minus).abs() / sum)
            } else {
                self.value.map_or(0.0, |value| value.index)
            };
            self.value = Some(DirectionalIndex { plus, minus, index });
        }
    }

    fn reset(&mut self) {
        self.movement.reset();
        self.value = None;
    }

    fn value(&self) -> Option<DirectionalIndex> {
        self.value
    }

    fn warm_up(&self) -> usize {
        self.movement.period() + 1
    }
}
