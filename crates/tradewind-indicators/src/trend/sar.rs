//! The parabolic stop and reverse.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator},
    period::number,
};

/// A stop that follows a position and turns with it: each bar it moves by `factor` of its distance to
/// the extreme of the trend, and the factor grows by `acceleration` with each new extreme, to at most
/// `maximum`. It never enters the range of the last two bars. TA-Lib's `SAR`; J. W. Wilder, "New
/// Concepts in Technical Trading Systems", 1978. The first direction is that of the first directional
/// movement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sar {
    acceleration: f64,
    maximum: f64,
    previous: Option<Bar>,
    trend: Option<SarTrend>,
    value: Option<f64>,
}

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SarParameters {
    /// The first factor, and by how much it grows, in `0.0..=1.0`.
    pub acceleration: f64,
    /// The largest factor, in `0.0..=1.0`.
    pub maximum: f64,
}

impl Default for SarParameters {
    fn default() -> Self {
        Self {
            acceleration: 0.02,
            maximum: 0.2,
        }
    }
}

impl Sar {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::ParameterOutOfRange`].
    pub fn new(parameters: SarParameters) -> Result<Self, IndicatorError> {
        let SarParameters {
            acceleration,
            maximum,
        } = parameters;
        let acceleration = number("acceleration", acceleration, 0.0, 1.0)?;
        let maximum = number("maximum", maximum, 0.0, 1.0)?;
        Ok(Self {
            acceleration: acceleration.min(maximum),
            maximum,
            previous: None,
            trend: None,
            value: None,
        })
    }
}

impl Indicator for Sar {
    type Input = Bar;
    type Output = f64;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        let Some(last) = self.previous.replace(bar) else {
            return;
        };
        let trend = self
            .trend
            .unwrap_or_else(|| SarTrend::begin(last, bar, self.acceleration));
        // The first step compares the bar with itself, as TA-Lib does.
        let last = if self.trend.is_some() { last } else { bar };
        let (value, trend) = trend.step(last, bar, self.acceleration, self.maximum);
        self.value = Some(value);
        self.trend = Some(trend);
    }

    fn reset(&mut self) {
        self.previous = None;
        self.trend = None;
        self.value = None;
    }

    fn value(&self) -> Option<f64> {
        self.value
    }

    fn warm_up(&self) -> usize {
        2
    }
}

/// The state between two bars. Prices are mirrored in a falling trend, so that one step serves both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct SarTrend {
    /// 1 in a rising trend, -1 in a falling one.
    sign: f64,
    stop: f64,
    extreme: f64,
    factor: f64,
}

impl SarTrend {
    fn begin(first: Bar, second: Bar, factor: f64) -> Self {
        let (up, down) = (second.high - first.high, first.low - second.low);
        if down > 0.0 && down > up {
            Self {
                sign: -1.0,
                stop: -first.high,
                extreme: -second.low,
                factor,
            }
        } else {
            Self {
                sign: 1.0,
                stop: first.low,
                extreme: second.high,
                factor,
            }
        }
    }

    /// Answers the stop for this bar, and the state for the next.
    fn step(self, last: Bar, bar: Bar, acceleration: f64, maximum: f64) -> (f64, Self) {
        let (last, bar) = (mirrored(last, self.sign), mirrored(bar, self.sign));
        if bar.low <= self.stop {
            let stop = self.extreme.max(last.high).max(bar.high);
            let extreme = bar.low;
            let next = (stop + acceleration * (extreme - stop))
                .max(last.high)
                .max(bar.high);
            let turned = Self {
                sign: -self.sign,
                stop: -next,
                extreme: -extreme,
                factor: acceleration,
            };
            return (self.sign * stop, turned);
        }
        let (mut extreme, mut factor) = (self.extreme, self.factor);
        if bar.high > extreme {
            extreme = bar.high;
            factor = (factor + acceleration).min(maximum);
        }
        let stop = (self.stop + factor * (extreme - self.stop))
            .min(last.low)
            .min(bar.low);
        (
            self.sign * self.stop,
            Self {
                sign: self.sign,
                stop,
                extreme,
                factor,
            },
        )
    }
}

fn mirrored(bar: Bar, sign: f64) -> Bar {
    if sign > 0.0 {
        bar
    } else {
        Bar {
            high: -bar.low,
            low: -bar.high,
            close: -bar.close,
        }
    }
}
