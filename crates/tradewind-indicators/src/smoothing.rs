//! Exponential averages: the recursive step behind [`Ema`](crate::Ema),
//! [`Rsi`](crate::Rsi), [`Atr`](crate::Atr) and [`Macd`](crate::Macd).
//!
//! Both kinds start from the plain mean of their first `n` values, as TA-Lib does, and differ in the
//! step. Rounding cannot accumulate: each step shrinks the errors before it.

use serde::{Deserialize, Serialize};

use crate::{IndicatorError, period::Period};

/// How much a new value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Weight {
    /// `2 / (n + 1)`.
    Exponential,
    /// `1 / n`, after J. Welles Wilder.
    Wilder,
}

/// A recursive average of values that were checked before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoothing {
    period: Period,
    weight: Weight,
    /// Values seen, up to the period.
    seen: u32,
    /// The sum of the values seen; once the period is full, their average.
    state: f64,
}

impl Smoothing {
    pub(crate) fn exponential(period: u32) -> Result<Self, IndicatorError> {
        Self::new(period, Weight::Exponential)
    }

    pub(crate) fn wilder(period: u32) -> Result<Self, IndicatorError> {
        Self::new(period, Weight::Wilder)
    }

    pub(crate) fn update(&mut self, value: f64) -> Option<f64> {
        if self.is_warm() {
            self.state = self.step(value);
        } else {
            self.state += value;
            self.seen += 1;
            if self.is_warm() {
                self.state /= self.period.as_f64();
            }
        }
        self.value()
    }

    pub(crate) fn reset(&mut self) {
        self.seen = 0;
        self.state = 0.0;
    }

    pub(crate) fn value(&self) -> Option<f64> {
        self.is_warm().then_some(self.state)
    }

    pub(crate) fn period(&self) -> Period {
        self.period
    }

    fn new(period: u32, weight: Weight) -> Result<Self, IndicatorError> {
        Ok(Self {
            period: Period::new(period)?,
            weight,
            seen: 0,
            state: 0.0,
        })
    }

    fn is_warm(&self) -> bool {
        self.seen >= self.period.count()
    }

    /// The order of operations is TA-Lib's, so that the bits agree too.
    fn step(&self, value: f64) -> f64 {
        let n = self.period.as_f64();
        match self.weight {
            Weight::Exponential => (value - self.state) * (2.0 / (n + 1.0)) + self.state,
            Weight::Wilder => (self.state * (n - 1.0) + value) / n,
        }
    }
}

/// An average that ignores its first inputs, so that it begins together with a slower one.
///
/// TA-Lib computes both averages of a difference from the first row of the result on, so the faster one
/// is seeded later than it would be alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delayed {
    delay: u32,
    waiting: u32,
    average: Smoothing,
}

impl Delayed {
    pub(crate) fn new(delay: u32, average: Smoothing) -> Self {
        Self {
            delay,
            waiting: delay,
            average,
        }
    }

    pub(crate) fn update(&mut self, value: f64) -> Option<f64> {
        if self.waiting > 0 {
            self.waiting -= 1;
            return None;
        }
        self.average.update(value)
    }

    pub(crate) fn reset(&mut self) {
        self.waiting = self.delay;
        self.average.reset();
    }

    pub(crate) fn value(&self) -> Option<f64> {
        self.average.value()
    }
}

/// Averages of averages: each stage smooths the values of the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cascade {
    stages: Vec<Smoothing>,
}

impl Cascade {
    /// `count` exponential averages of one period.
    pub(crate) fn new(count: usize, period: u32) -> Result<Self, IndicatorError> {
        Ok(Self {
            stages: vec![Smoothing::exponential(period)?; count],
        })
    }

    pub(crate) fn update(&mut self, value: f64) {
        let mut value = value;
        for stage in &mut self.stages {
            let Some(smoothed) = stage.update(value) else {
                return;
            };
            value = smoothed;
        }
    }

    pub(crate) fn reset(&mut self) {
        self.stages.iter_mut().for_each(Smoothing::reset);
    }

    /// The values of all stages, once the last one has one.
    pub(crate) fn values<const N: usize>(&self) -> Option<[f64; N]> {
        let mut values = [0.0; N];
        for (value, stage) in values.iter_mut().zip(&self.stages) {
            *value = stage.value()?;
        }
        (self.stages.len() >= N).then_some(values)
    }

    /// The number of inputs until the last stage has a value.
    pub(crate) fn warm_up(&self) -> usize {
        let waits = |stage: &Smoothing| stage.period().as_usize() - 1;
        self.stages.iter().map(waits).sum::<usize>() + 1
    }
}
