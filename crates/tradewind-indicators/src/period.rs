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
    pub(crate) fn new(period: u32) -> Result<Self, IndicatorError> {
        if (1..=MAX_PERIOD).contains(&period) {
            Ok(Self(period))
        } else {
            Err(IndicatorError::PeriodOutOfRange { period })
        }
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
