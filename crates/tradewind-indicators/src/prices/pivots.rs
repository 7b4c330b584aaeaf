//! Pivot points.

use serde::{Deserialize, Serialize};

use crate::{
    Bar,
    indicator::{Checked, Indicator, output},
};

/// The levels of the next session, from the bar of the last one: the pivot `p = (high + low + close)
/// / 3`, resistances and supports `2 p - low`, `p + range`, `high + 2 (p - low)`, and their mirror
/// images. The floor traders' formula, as in J. Person, "A Complete Guide to Technical Trading
/// Tactics", 2004. One bar is one session: give it bars of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Pivots {
    levels: Option<PivotLevels>,
}

/// The levels, in price units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PivotLevels {
    /// The typical price of the session.
    pub pivot: f64,
    /// The first resistance.
    pub r1: f64,
    /// The first support.
    pub s1: f64,
    /// The second resistance.
    pub r2: f64,
    /// The second support.
    pub s2: f64,
    /// The third resistance.
    pub r3: f64,
    /// The third support.
    pub s3: f64,
}

output!(PivotLevels: pivot, r1, s1, r2, s2, r3, s3);

impl Pivots {
    /// Creates the indicator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Indicator for Pivots {
    type Input = Bar;
    type Output = PivotLevels;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        let pivot = bar.typical();
        let range = bar.high - bar.low;
        self.levels = Some(PivotLevels {
            pivot,
            r1: 2.0 * pivot - bar.low,
            s1: 2.0 * pivot - bar.high,
            r2: pivot + range,
            s2: pivot - range,
            r3: bar.high + 2.0 * (pivot - bar.low),
            s3: bar.low - 2.0 * (bar.high - pivot),
        });
    }

    fn reset(&mut self) {
        self.levels = None;
    }

    fn value(&self) -> Option<PivotLevels> {
        self.levels
    }

    fn warm_up(&self) -> usize {
        1
    }
}
