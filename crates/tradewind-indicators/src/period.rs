//! The length of an indicator's memory: a number that is never zero.

use serde::{Deserialize, Serialize};

use crate::IndicatorError;

/// The longest period, which is TA-Lib's too.
pub const MAX_PERIOD: u32 = 100_000;

/// A count of observations in `1..=MAX_PERIOD`, checked on every way in, deserialisation included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Period(u32);

impl Period {
    pub(crate) const FIVE: Self = Self(5);
    pub(crate) const TEN: Self = Self(10);

    pub(crate) fn new(period: u32) -> Result<Self, IndicatorError> {
        if (1..=MAX_PERIOD).contains(&period) {
            Ok(Self(period))
        } else {
            Err(IndicatorError::PeriodOutOfRange { period })
        }
    }

    /// A period of at least `min` observations, where one has no meaning.
    pub(crate) fn at_least(min: u32, period: u32) -> Result<Self, IndicatorError> {
        number(
            "period",
            f64::from(period),
            f64::from(min),
            f64::from(MAX_PERIOD),
        )?;
        Self::new(period)
    }

    pub(crate) fn count(self) -> u32 {
        self.0
    }

    pub(crate) fn as_usize(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn as_f64(self) -> f64 {
        f64::from(self.0)
    }
}

/// Answers `value` if it is a number from `min` to `max`.
pub(crate) fn number(
    name: &'static str,
    value: f64,
    min: f64,
    max: f64,
) -> Result<f64, IndicatorError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(IndicatorError::ParameterOutOfRange {
            name,
            value,
            min,
            max,
        })
    }
}

/// Refuses a fast period that is not below the slow one.
pub(crate) fn in_order(fast: u32, slow: u32) -> Result<(), IndicatorError> {
    if fast < slow {
        Ok(())
    } else {
        Err(IndicatorError::FastNotBelowSlow { fast, slow })
    }
}

impl TryFrom<u32> for Period {
    type Error = IndicatorError;

    fn try_from(period: u32) -> Result<Self, IndicatorError> {
        Self::new(period)
    }
}

impl From<Period> for u32 {
    fn from(period: Period) -> Self {
        period.0
    }
}

#[cfg(test)]
mod tests {
    use serde::de::{
        IntoDeserializer,
        value::{Error, U32Deserializer},
    };

    use super::*;

    #[test]
    fn a_saved_period_is_checked_again() {
        let restore = |period: u32| {
            let saved: U32Deserializer<Error> = period.into_deserializer();
            Period::deserialize(saved)
        };
        assert_eq!(restore(14).map(Period::count), Ok(14));
        assert!(restore(0).is_err());
        assert!(restore(MAX_PERIOD + 1).is_err());
    }
}
