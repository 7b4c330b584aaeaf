//! What all indicators have in common: one trait, its inputs and its outputs.
//!
//! The typed structs are what code uses. The trait is how the catalogue, the documentation and the tests
//! go through all of them.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    input::{Ohlcv, Pair, checked},
};

/// A state machine that takes observations and gives lines.
pub trait Indicator {
    /// What one observation is: `f64`, [`Bar`], [`Ohlcv`] or [`Pair`].
    type Input: Input;
    /// What it gives out: `f64` or a struct of named lines.
    type Output: Output;

    /// Takes an observation that was checked.
    fn accept(&mut self, input: Checked<Self::Input>);

    /// Takes the next observation and answers the current value, or `None` while warming up.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`] or [`IndicatorError::MalformedBar`]; the state is then
    /// unchanged.
    fn update(&mut self, input: Self::Input) -> Result<Option<Self::Output>, IndicatorError> {
        self.accept(input.check()?);
        Ok(self.value())
    }

    /// Forgets every observation; the parameters stay.
    fn reset(&mut self);

    /// The value after the last update. An average by volume has none while nothing was traded.
    fn value(&self) -> Option<Self::Output>;

    /// The number of observations until the first value.
    fn warm_up(&self) -> usize;
}

/// An observation whose numbers are finite, at most [`MAX_MAGNITUDE`](crate::MAX_MAGNITUDE) and in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked<T>(T);

impl<T: Copy> Checked<T> {
    /// The observation.
    pub fn get(self) -> T {
        self.0
    }
}

/// Which kind of observation an indicator reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputKind {
    /// One number, such as a close.
    Value,
    /// A bar's high, low and close.
    Bar,
    /// A bar with its open and volume.
    Ohlcv,
    /// One number from each of two series.
    Pair,
}

/// An observation of any kind. A bar can stand in for its close, and a bar with volume for a bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// One number.
    Value(f64),
    /// A bar.
    Bar(Bar),
    /// A bar with its open and volume.
    Ohlcv(Ohlcv),
    /// One number from each of two series.
    Pair(Pair),
}

impl Sample {
    pub(crate) fn kind(self) -> InputKind {
        match self {
            Self::Value(_) => InputKind::Value,
            Self::Bar(_) => InputKind::Bar,
            Self::Ohlcv(_) => InputKind::Ohlcv,
            Self::Pair(_) => InputKind::Pair,
        }
    }
}

/// A type of observation.
pub trait Input: Copy {
    /// Its kind.
    const KIND: InputKind;

    /// Answers the observation if its numbers are usable.
    ///
    /// # Errors
    /// [`IndicatorError::InputOutOfRange`] or [`IndicatorError::MalformedBar`].
    fn check(self) -> Result<Checked<Self>, IndicatorError>;

    /// Reads it from a sample; `None` if the sample has less than this type needs.
    fn from_sample(sample: Sample) -> Option<Self>;
}

impl Input for f64 {
    const KIND: InputKind = InputKind::Value;

    fn check(self) -> Result<Checked<Self>, IndicatorError> {
        checked("value", self).map(Checked)
    }

    fn from_sample(sample: Sample) -> Option<Self> {
        match sample {
            Sample::Value(value) => Some(value),
            Sample::Bar(bar) => Some(bar.close),
            Sample::Ohlcv(ohlcv) => Some(ohlcv.close),
            Sample::Pair(_) => None,
        }
    }
}

impl Input for Bar {
    const KIND: InputKind = InputKind::Bar;

    fn check(self) -> Result<Checked<Self>, IndicatorError> {
        self.checked().map(Checked)
    }

    fn from_sample(sample: Sample) -> Option<Self> {
        match sample {
            Sample::Bar(bar) => Some(bar),
            Sample::Ohlcv(ohlcv) => Some(ohlcv.bar()),
            Sample::Value(_) | Sample::Pair(_) => None,
        }
    }
}

impl Input for Ohlcv {
    const KIND: InputKind = InputKind::Ohlcv;

    fn check(self) -> Result<Checked<Self>, IndicatorError> {
        self.checked().map(Checked)
    }

    fn from_sample(sample: Sample) -> Option<Self> {
        match sample {
            Sample::Ohlcv(ohlcv) => Some(ohlcv),
            Sample::Value(_) | Sample::Bar(_) | Sample::Pair(_) => None,
        }
    }
}

impl Input for Pair {
    const KIND: InputKind = InputKind::Pair;

    fn check(self) -> Result<Checked<Self>, IndicatorError> {
        checked("x", self.x)?;
        checked("y", self.y)?;
        Ok(Checked(self))
    }

    fn from_sample(sample: Sample) -> Option<Self> {
        match sample {
            Sample::Pair(pair) => Some(pair),
            Sample::Value(_) | Sample::Bar(_) | Sample::Ohlcv(_) => None,
        }
    }
}

/// What an indicator gives out: one or more named lines.
pub trait Output: Copy {
    /// The names of the lines, in order; `["value"]` for a single one.
    const NAMES: &'static [&'static str];

    /// The lines, in that order.
    fn lines(self) -> Lines;
}

impl Output for f64 {
    const NAMES: &'static [&'static str] = &["value"];

    fn lines(self) -> Lines {
        Lines::of(&[self])
    }
}

/// The most lines an indicator has.
const MAX_LINES: usize = 7;

/// The lines of one answer, in the order of [`Output::NAMES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lines {
    values: [f64; MAX_LINES],
    count: usize,
}

impl Lines {
    pub(crate) fn of(lines: &[f64]) -> Self {
        let mut values = [0.0; MAX_LINES];
        values[..lines.len()].copy_from_slice(lines);
        Self {
            values,
            count: lines.len(),
        }
    }

    /// The lines.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.values[..self.count]
    }
}

/// Makes a struct of `f64` fields an [`Output`].
macro_rules! output {
    ($name:ty: $($field:ident),+) => {
        impl crate::indicator::Output for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            fn lines(self) -> crate::indicator::Lines {
                crate::indicator::Lines::of(&[$(self.$field),+])
            }
        }
    };
}
pub(crate) use output;

/// Makes an indicator with methods of its own an [`Indicator`].
macro_rules! indicator {
    ($($name:ty: $input:ty => $output:ty;)+) => {$(
        impl Indicator for $name {
            type Input = $input;
            type Output = $output;

            fn accept(&mut self, input: Checked<$input>) {
                let _is_ok = Self::update(self, input.get()).is_ok();
            }

            fn update(&mut self, input: $input) -> Result<Option<$output>, IndicatorError> {
                Self::update(self, input)
            }

            fn reset(&mut self) {
                Self::reset(self);
            }

            fn value(&self) -> Option<$output> {
                Self::value(self)
            }

            fn warm_up(&self) -> usize {
                Self::warm_up(self)
            }
        }
    )+};
}

indicator! {
    crate::Sma: f64 => f64;
    crate::Ema: f64 => f64;
    crate::Rsi: f64 => f64;
    crate::Macd: f64 => crate::MacdValue;
    crate::Atr: Bar => f64;
    crate::Bollinger: f64 => crate::Bands;
    crate::Donchian: Bar => crate::Channel;
    crate::StandardDeviation: f64 => f64;
    crate::Highest: f64 => f64;
    crate::Lowest: f64 => f64;
}

output!(crate::MacdValue: line, signal, histogram);
output!(crate::Bands: upper, middle, lower);
output!(crate::Channel: upper, lower);
