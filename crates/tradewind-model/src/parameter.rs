//! Parameters of strategies, as configured.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parameter {
    /// A number.
    Number(Decimal),
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
}
