//! Ichimoku Kinko Hyo.

use serde::{Deserialize, Serialize};

use crate::{
    Bar, IndicatorError,
    indicator::{Checked, Indicator, output},
    period::Period,
    range::RangeWindow,
    ring::Ring,
};

/// The middles of the ranges of the last bars, and a cloud made of them `displacement` bars ago,
/// which is what a chart shows at the newest bar: no line looks ahead. The line of closes that charts
/// draw back in time (chikou) would, and is left out. G. Hosoda, 1969; customary are 9, 26, 52 and
/// 26.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ichimoku {
    conversion: RangeWindow,
    base: RangeWindow,
    span: RangeWindow,
    cloud: Ring<[f64; 2]>,
    displaced: Option<[f64; 2]>,
}

/// The lines, in price units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IchimokuValue {
    /// Tenkan-sen: the middle of the shortest range.
    pub conversion: f64,
    /// Kijun-sen: the middle of the middle range.
    pub base: f64,
    /// Senkou span A: the mean of the two, displaced.
    pub span_a: f64,
    /// Senkou span B: the middle of the longest range, displaced.
    pub span_b: f64,
}

output!(IchimokuValue: conversion, base, span_a, span_b);

/// The parameters. The default is the customary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IchimokuParameters {
    /// Bars of the conversion line.
    pub conversion: u32,
    /// Bars of the base line.
    pub base: u32,
    /// Bars of the second span.
    pub span: u32,
    /// Bars by which the cloud lags.
    pub displacement: u32,
}

impl Default for IchimokuParameters {
    fn default() -> Self {
        Self {
            conversion: 9,
            base: 26,
            span: 52,
            displacement: 26,
        }
    }
}

impl Ichimoku {
    /// Creates the indicator.
    ///
    /// # Errors
    /// [`IndicatorError::PeriodOutOfRange`].
    pub fn new(parameters: IchimokuParameters) -> Result<Self, IndicatorError> {
        let IchimokuParameters {
            conversion,
            base,
            span,
            displacement,
        } = parameters;

        Ok(Self {
            conversion: RangeWindow::new(Period::new(conversion)?),
            base: RangeWindow::new(Period::new(base)?),
            span: RangeWindow::new(Period::new(span)?),
            cloud: Ring::new(Period::new(displacement)?.as_usize()),
            displaced: None,
        })
    }
}

impl Indicator for Ichimoku {
    type Input = Bar;
    type Output = IchimokuValue;

    fn accept(&mut self, input: Checked<Bar>) {
        let bar = input.get();
        for window in [&mut self.conversion, &mut self.base, &mut self.span] {
            window.push(bar.high, bar.low);
        }
        if let (Some(conversion), Some(base), Some(span)) = (
            self.conversion.middle(),
            self.base.middle(),
            self.span.middle(),
        ) {
            self.displaced = self.cloud.push([(conversion + base) / 2.0, span]);
        }
    }

    fn reset(&mut self) {
        for window in [&mut self.conversion, &mut self.base, &mut self.span] {
            window.reset();
        }
        self.cloud.reset();
        self.displaced = None;
    }

    fn value(&self) -> Option<IchimokuValue> {
        let [span_a, span_b] = self.displaced?;
        Some(IchimokuValue {
            conversion: self.conversion.middle()?,
            base: self.base.middle()?,
            span_a,
            span_b,
        })
    }

    fn warm_up(&self) -> usize {
        self.conversion
            .period()
            .max(self.base.period())
            .max(self.span.period())
            + self.cloud.size()
    }
}
