//! The parts of clauses with their values, for people.

use tradewind_strategy::Explained;

use crate::compile::{Clause, Shown};
use crate::program::{is_false, is_true};
use crate::unit::Unit;

impl Shown {
    /// Whether it is a part of this clause.
    pub(crate) fn is_of(&self, kind: &str, clause: &Clause) -> bool {
        self.clause.starts_with(kind) && self.of == clause.step
    }

    /// Its text and its value, and those of what it compares.
    pub(crate) fn explain(&self, live: &[f64]) -> Explained {
        let operand =
            |(text, step, unit): &(String, usize, Unit)| (text.clone(), unit.show(live[*step]));
        Explained {
            clause: self.clause.clone(),
            text: self.text.clone(),
            value: self.unit.show(live[self.step]),
            operands: self.operands.iter().map(operand).collect(),
        }
    }
}

impl Unit {
    /// A value of this unit, for people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Truth if is_true(value) => "true".to_owned(),
            Self::Truth if is_false(value) => "false".to_owned(),
            _ if value.is_nan() => "unknown".to_owned(),
            Self::Share => format!("{}%", short(value * 100.0)),
            Self::Time => format!("{} s", short(value)),
            _ => short(value),
        }
    }
}

/// Six significant digits or so.
fn short(value: f64) -> String {
    let places = match value.abs() {
        m if m >= 1_000.0 => 2,
        m if m >= 10.0 => 3,
        m if m >= 0.1 => 5,
        _ => 8,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
