//! How a strategy declares a parameter: once, as a constant that the reader, the catalogue and the documentation share.
//!
//! Three kinds exist, one type each, so that a parameter cannot be read as something it is not. Reading them is
//! [`Parameters`](crate::Parameters)'.

use tradewind_model::{Decimal, Interval, Parameter};

/// A parameter as people see it, of whatever kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// Its key under `params`.
    pub name: &'static str,
    /// Its default, which also defines its kind.
    pub default: DefaultValue,
    /// Smallest value allowed; none for an interval.
    pub min: Option<Decimal>,
    /// Largest value allowed; none for an interval.
    pub max: Option<Decimal>,
    /// What it does, a fragment.
    pub description: &'static str,
}

/// A parameter's default, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// A whole number.
    Whole(u32),
    /// A number.
    Number(Decimal),
    /// A candle's length, written as text: `"5m"`.
    Interval(Interval),
}

impl From<DefaultValue> for Parameter {
    fn from(default: DefaultValue) -> Self {
        match default {
            DefaultValue::Whole(value) => Self::Number(Decimal::whole(i64::from(value))),
            DefaultValue::Number(value) => Self::Number(value),
            DefaultValue::Interval(interval) => Self::Text(interval.name().to_owned()),
        }
    }
}

/// A whole number: a period, a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeParameter {
    /// Its key under `params`.
    pub name: &'static str,
    /// What it is when not given.
    pub default: u32,
    /// Smallest value allowed.
    pub min: u32,
    /// Largest value allowed.
    pub max: u32,
    /// What it does, a fragment.
    pub description: &'static str,
}

impl WholeParameter {
    /// How people see it.
    #[must_use]
    pub const fn info(&self) -> ParameterInfo {
        ParameterInfo {
            name: self.name,
            default: DefaultValue::Whole(self.default),
            min: Some(Decimal::whole(self.min as i64)),
            max: Some(Decimal::whole(self.max as i64)),
            description: self.description,
        }
    }
}

/// A number that need not be whole: a threshold, a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberParameter {
    /// Its key under `params`.
    pub name: &'static str,
    /// What it is when not given.
    pub default: Decimal,
    /// Smallest value allowed.
    pub min: Decimal,
    /// Largest value allowed.
    pub max: Decimal,
    /// What it does, a fragment.
    pub description: &'static str,
}

impl NumberParameter {
    /// How people see it.
    #[must_use]
    pub const fn info(&self) -> ParameterInfo {
        ParameterInfo {
            name: self.name,
            default: DefaultValue::Number(self.default),
            min: Some(self.min),
            max: Some(self.max),
            description: self.description,
        }
    }
}

/// The length of a candle the strategy reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalParameter {
    /// Its key under `params`.
    pub name: &'static str,
    /// What it is when not given.
    pub default: Interval,
    /// What it does, a fragment.
    pub description: &'static str,
}

impl IntervalParameter {
    /// How people see it.
    #[must_use]
    pub const fn info(&self) -> ParameterInfo {
        ParameterInfo {
            name: self.name,
            default: DefaultValue::Interval(self.default),
            min: None,
            max: None,
            description: self.description,
        }
    }
}
