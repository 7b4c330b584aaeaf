//! Equity over time in bounded memory: when there are too many points, every other one is given up.

use serde::Serialize;
use tradewind_model::{Amount, Ppm, Timestamp};

use crate::report::text;

/// Most points kept of a run.
const POINTS_MAX: usize = 1_024;

/// Equity at a moment, in the report asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EquitySample {
    /// Time of the sample.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// The equity of all accounts.
    #[serde(serialize_with = "text")]
    pub equity: Amount,
}

/// A curve that grows in time but not in memory, and the worst fall from its peak.
#[derive(Clone, Debug)]
pub(crate) struct EquityCurve {
    points: Vec<EquitySample>,
    /// Of so many samples one is kept.
    stride: u64,
    seen: u64,
    peak: Amount,
    drawdown: Ppm,
    last: Option<EquitySample>,
}

impl Default for EquityCurve {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            stride: 1,
            seen: 0,
            peak: Amount::ZERO,
            drawdown: Ppm::ZERO,
            last: None,
        }
    }
}

impl EquityCurve {
    pub(crate) fn add(&mut self, at: Timestamp, equity: Amount) {
        let sample = EquitySample { at, equity };
        if self.seen.is_multiple_of(self.stride) {
            self.points.push(sample);
        }
        self.seen += 1;
        self.last = Some(sample);
        self.peak = self.peak.max(equity);
        self.drawdown = self.drawdown.max(fall(self.peak, equity));
        if self.points.len() == POINTS_MAX {
            let mut place = 0_usize;
            self.points.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// Largest fall from the running peak, as a share of the peak.
    pub(crate) const fn drawdown(&self) -> Ppm {
        self.drawdown
    }

    /// The points, the last sample always among them.
    pub(crate) fn into_points(mut self) -> Vec<EquitySample> {
        if self.points.last() != self.last.as_ref() {
            self.points.extend(self.last);
        }
        self.points
    }
}

fn fall(peak: Amount, equity: Amount) -> Ppm {
    let lost = (peak - equity).mul_div(i128::from(Ppm::ONE.0), peak.0);
    Ppm(lost.map_or(0, |lost| i64::try_from(lost.0).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_bounded_and_keeps_its_first_and_last_point() {
        let mut curve = EquityCurve::default();
        for second in 0..100_000_i64 {
            curve.add(Timestamp::from_secs(second), Amount::whole(1_000 + second));
        }
        let points = curve.into_points();
        assert!(points.len() <= POINTS_MAX, "{}", points.len());
        assert_eq!(points[0].at, Timestamp::from_secs(0));
        assert_eq!(
            points.last().map(|point| point.at),
            Some(Timestamp::from_secs(99_999))
        );
        assert!(points.is_sorted_by_key(|point| point.at));
    }

    #[test]
    fn drawdown_is_the_worst_fall_from_the_peak_so_far() {
        let mut curve = EquityCurve::default();
        for (second, equity) in (0..).zip([100, 120, 90, 130, 104, 140]) {
            curve.add(Timestamp::from_secs(second), Amount::whole(equity));
        }
        assert_eq!(curve.drawdown(), Ppm(250_000));
    }
}
