//! Numbers and instants as text, so that no reader rounds them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Ppm, Timestamp};
use utoipa::ToSchema;

/// An exact decimal number as canonical text: no exponent, no trailing zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, format = "decimal", examples("61837.63"))]
#[serde(transparent)]
pub struct Decimal(pub String);

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        Self(amount.to_string())
    }
}

impl From<Ppm> for Decimal {
    /// A ratio: 50,000 parts per million is `0.05`.
    fn from(ratio: Ppm) -> Self {
        Self(ratio.to_string())
    }
}

impl From<u64> for Decimal {
    fn from(count: u64) -> Self {
        Self(count.to_string())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An instant as RFC 3339 in UTC.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[schema(value_type = String, format = "date-time", examples("2024-08-08T23:54:15.342Z"))]
#[serde(transparent)]
pub struct Instant(pub String);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at.to_string())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whole milliseconds of a span; the largest number for one that does not fit.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
