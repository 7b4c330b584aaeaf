//! Wilder's directional movement: the running sums behind [`Dm`](crate::Dm), [`Dmi`](crate::Dmi) and
//! [`Adx`](crate::Adx).

use serde::{Deserialize, Serialize};

use crate::{Bar, period::Period, ratio::divide};

/// The running sums: of the first `n - 1` movements, and from then on `sum - sum / n + movement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Movement {
    period: Period,
    previous: Option<Bar>,
    /// Movements seen, up to the period.
    seen: u32,
    /// Upwards, downwards and the true range.
    sums: [f64; 3],
}

impl Movement {
    pub(crate) fn new(period: Period) -> Self {
        Self {
            period,
            previous: None,
            seen: 0,
            sums: [0.0; 3],
        }
    }

    pub(crate) fn update(&mut self, bar: Bar) {
        let Some(last) = self.previous.replace(bar) else {
            return;
        };
        let (up, down) = (bar.high - last.high, last.low - bar.low);
        let plus = if up > 0.0 && up > down { up } else { 0.0 };
        let minus = if down > 0.0 && down > up { down } else { 0.0 };
        let n = self.period.as_f64();
        let is_seeded = self.seen + 1 >= self.period.count();
        for (sum, item) in self
            .sums
            .iter_mut()
            .zip([plus, minus, bar.true_range(last.close)])
        {
            *sum = if is_seeded {
                *sum - *sum / n + item
            } else {
                *sum + item
            };
        }
        self.seen = (self.seen + 1).min(self.period.count());
    }

    pub(crate) fn reset(&mut self) {
        self.previous = None;
        self.seen = 0;
        self.sums = [0.0; 3];
    }

    /// The sums, once `n - 1` movements were seen.
    pub(crate) fn sums(&self) -> Option<[f64; 3]> {
        (self.seen + 1 >= self.period.count()).then_some(self.sums)
    }

    /// The two movements in percent of the true range, once `n` movements were seen.
    pub(crate) fn indicators(&self) -> Option<[f64; 2]> {
        let [plus, minus, range] = self.sums;
        (self.seen >= self.period.count())
            .then(|| [100.0 * divide(plus, range), 100.0 * divide(minus, range)])
    }

    pub(crate) fn period(&self) -> usize {
        self.period.as_usize()
    }

    pub(crate) fn length(&self) -> f64 {
        self.period.as_f64()
    }
}
